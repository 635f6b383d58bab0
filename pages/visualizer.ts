import { element, say } from './elements.js';
import { listAt, numberAt, textAt } from './json.js';
import { allowOrders, offerOrders } from './orders.js';
import { light, offerWholePicture } from './picture.js';
import { offerReplay, renewReplay, showReplayAt } from './replay.js';
import { rowOf, showDetail, stepOf, type Step } from './steps.js';
import { ask, EVENTS } from './updater.js';

const MOST_STEPS = 400;

/** All steps that this page has heard of, oldest first; those of an updater before this one, too. */
let steps: Step[] = [];
let path = '';
let readyVersion = '';
/** The step that is looked at; null while the page is live. */
let chosen: Step | null = null;

function add(step: Step): void {
  if (steps.some(({ id }) => id === step.id)) return;
  steps = [...steps, step].sort((a, b) => a.id - b.id).slice(-MOST_STEPS);
  const list = element('steps', HTMLElement);
  list.prepend(rowOf(step, () => choose(step)));
  while (list.children.length > MOST_STEPS) list.lastElementChild?.remove();
  renewReplay(steps);
}

function choose(step: Step | null): void {
  chosen = step;
  showDetail(step);
  for (const row of element('steps', HTMLElement).children)
    if (row instanceof HTMLElement)
      row.firstElementChild?.setAttribute('aria-pressed', String(row.dataset['id'] === String(step?.id)));
  showReplayAt(step);
  draw();
}

function draw(): void {
  const step = chosen ?? steps.at(-1) ?? null;
  light(chosen?.to ?? path, step, chosen !== null);
  document.body.classList.toggle('is-replay', chosen !== null);
}

/** What cannot be told by a transition alone: since when, and what would be accepted. */
async function renew(): Promise<void> {
  const state = await ask('/state');
  // A transition came while this was on its way: it is older than what is shown, and asked for once more.
  if (isStale) return;
  for (const one of listAt(state, 'transitions')) add(stepOf(one));
  path = textAt(state, 'statePath');
  readyVersion = textAt(state, 'context', 'order', 'version');
  const since = textAt(state, 'since');
  const accepts = listAt(state, 'accepts').map(String);
  say('path', path);
  say('since', since === '' ? 'before the updater was started' : new Date(since).toLocaleString());
  say('accepts', accepts.join(', ') || 'no order');
  allowOrders(accepts);
  showProgress(await ask('/progress'));
  showReplayAt(chosen);
  draw();
}

function showProgress(progress: unknown): void {
  say('progress', `${numberAt(progress, 'progress')} % · ${textAt(progress, 'message')}`);
}

let isAsking = false;
let isStale = false;

/** One question at a time; what happens meanwhile is asked for afterwards. */
async function refresh(): Promise<void> {
  isStale = true;
  if (isAsking) return;
  isAsking = true;
  try {
    while (isStale) {
      isStale = false;
      await renew();
    }
    if (events.readyState === EventSource.OPEN) connection('live', 'Live');
  } catch {
    connection('lost', 'The updater does not answer; what is shown may be old');
  }
  isAsking = false;
}

function connection(state: string, words: string): void {
  document.body.dataset['connection'] = state;
  say('connection', words);
}

offerWholePicture();
offerReplay(choose);
offerOrders(() => readyVersion);
element('live', HTMLButtonElement).addEventListener('click', () => element('canvas', HTMLElement).focus());

const events = new EventSource(EVENTS);
events.addEventListener('open', () => void refresh());
events.addEventListener('transition', ({ data }) => {
  const step = stepOf(JSON.parse(String(data)));
  add(step);
  path = step.to;
  say('path', path);
  if (chosen === null) showReplayAt(null);
  draw();
  void refresh();
});
events.addEventListener('progress', ({ data }) => showProgress(JSON.parse(String(data))));
events.addEventListener('error', () => {
  const isRefused = events.readyState === EventSource.CLOSED;
  connection(
    'lost',
    isRefused
      ? 'Not live: the updater serves no more event streams; load the page again later'
      : 'Connection lost; what is shown may be old',
  );
});
void refresh();
