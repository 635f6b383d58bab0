import { STAGES } from '../../machines/stage.js';
import type { Page } from './page.js';

/** The page for people who look at the machine: the state that it is in now, live, and its transitions. */
export const VISUALIZER: Page = {
  title: 'TOPE Updater: the machine',
  name: 'visualizer',
  body: `
<h1>The update machine</h1>
<p id="connection" role="status">Connecting…</p>
<ol id="states">
${Object.keys(STAGES)
  .map((state) => `<li data-state="${state}">${state}</li>`)
  .join('\n')}
</ol>
<dl>
<dt>State</dt><dd id="path">…</dd>
<dt>Since</dt><dd id="since">…</dd>
<dt>Progress</dt><dd id="progress">…</dd>
<dt>Takes now</dt><dd id="accepts">…</dd>
</dl>
<table>
<caption>Transitions, newest first</caption>
<thead><tr><th scope="col">Time</th><th scope="col">After</th><th scope="col">Event</th><th scope="col">From</th><th scope="col">To</th></tr></thead>
<tbody id="transitions"></tbody>
</table>
`,
};

/** Asks /state whole after each transition and each connection, so that what is shown never drifts from the machine. */
export const VISUALIZER_SCRIPT = `
const element = (id) => document.getElementById(id);
const MAX_ROWS = 200;

function rowOf({ time, afterMs, event, from, to }) {
  const row = document.createElement('tr');
  for (const text of [time, (afterMs / 1000).toFixed(1) + ' s', event, from, to]) {
    row.insertCell().textContent = text;
  }
  return row;
}

function show({ statePath, since, accepts, transitions }) {
  const top = statePath.split('.')[0];
  for (const state of document.querySelectorAll('#states li')) {
    if (state.dataset.state === top) state.setAttribute('aria-current', 'step');
    else state.removeAttribute('aria-current');
  }
  element('path').textContent = statePath;
  element('since').textContent = since ?? 'before the updater was started';
  element('accepts').textContent = accepts.join(', ') || 'no order';
  element('transitions').replaceChildren(...transitions.slice(-MAX_ROWS).reverse().map(rowOf));
}

function showProgress({ progress, message }) {
  element('progress').textContent = progress + ' %: ' + message;
}

async function get(path) {
  const response = await fetch('/api/v1.0' + path, { signal: AbortSignal.timeout(5000) });
  return (await response.json()).data;
}

let isAsking = false;
let isStale = false;

async function refresh() {
  isStale = true;
  if (isAsking) return;
  isAsking = true;
  try {
    while (isStale) {
      isStale = false;
      show(await get('/state'));
      showProgress(await get('/progress'));
    }
    if (events.readyState === EventSource.OPEN) element('connection').textContent = 'Live';
  } catch {
    element('connection').textContent = 'The updater does not answer; what is shown may be old';
  }
  isAsking = false;
}

const events = new EventSource('/api/v1.0/events');
events.addEventListener('open', refresh);
events.addEventListener('transition', refresh);
events.addEventListener('progress', ({ data }) => showProgress(JSON.parse(data)));
events.addEventListener('error', () => {
  const isLost = events.readyState === EventSource.CLOSED;
  element('connection').textContent = isLost
    ? 'Not live: the updater serves no more event streams; load the page again later'
    : 'Connection lost; what is shown may be old';
});
refresh();
`;

export const VISUALIZER_STYLE = `
:root { color-scheme: light dark; }
body { margin: 1rem auto; max-width: 70rem; padding: 0 1rem; font-family: system-ui, sans-serif; }
#states { display: flex; flex-wrap: wrap; gap: 0.5rem; padding: 0; list-style: none; }
#states li { padding: 0.5rem 1rem; border: 2px solid currentColor; border-radius: 0.5rem; }
#states [aria-current] { background: light-dark(#0b4f9e, #9ecbff); color: light-dark(#fff, #000); font-weight: bold; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.25rem 1rem; }
dt { font-weight: bold; }
dd { margin: 0; overflow-wrap: anywhere; }
table { width: 100%; border-collapse: collapse; }
caption { text-align: left; font-weight: bold; padding: 0.5rem 0; }
th, td { text-align: left; padding: 0.25rem 0.5rem; border-bottom: 1px solid; }
`;
