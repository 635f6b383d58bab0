import type { Page } from './page.js';

/** The full-screen progress page: asks /progress every 500 ms and shows what it says, or that nobody answers. */
export const SCREEN: Page = {
  title: 'Update',
  name: 'screen',
  body: `
<main>
<h1 id="stage" role="status">…</h1>
<progress id="bar" max="100" value="0" aria-labelledby="stage"></progress>
<p id="percent">0 %</p>
<p id="message"></p>
<p id="error" role="alert"></p>
</main>
`,
};

export const SCREEN_SCRIPT = `
const STAGE_NAMES = {
  idle: 'No update in progress',
  downloading: 'Downloading',
  verifying: 'Verifying',
  toInstall: 'Ready to install',
  installing: 'Installing',
  rebooting: 'Restarting services',
  success: 'Update finished',
  failed: 'Update failed',
};
const element = (id) => document.getElementById(id);

function show({ stage, progress, message, error }) {
  document.body.dataset.stage = stage;
  element('stage').textContent = STAGE_NAMES[stage] ?? stage;
  element('bar').value = progress;
  element('percent').textContent = progress + ' %';
  element('message').textContent = message;
  element('error').textContent = error ?? '';
}

function showSilence() {
  document.body.dataset.stage = 'silent';
  element('stage').textContent = 'Waiting for the updater';
  element('message').textContent = 'It does not answer right now; this page goes on by itself.';
  element('error').textContent = '';
}

async function ask() {
  try {
    const response = await fetch('/api/v1.0/progress', { signal: AbortSignal.timeout(3000) });
    show((await response.json()).data);
  } catch {
    showSilence();
  }
  setTimeout(ask, 500);
}

ask();
`;

export const SCREEN_STYLE = `
:root { color-scheme: light dark; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; font-family: system-ui, sans-serif; }
main { width: min(90vw, 60rem); text-align: center; }
h1 { font-size: clamp(1.5rem, 5vw, 3rem); margin: 0 0 1rem; }
progress { width: 100%; height: 1.5rem; }
p { font-size: clamp(1rem, 2.5vw, 1.5rem); margin: 0.5rem 0; overflow-wrap: anywhere; }
#error { color: light-dark(#a40000, #ff9c9c); }
[data-stage='success'] h1 { color: light-dark(#006400, #8fdc8f); }
[data-stage='failed'] h1 { color: light-dark(#a40000, #ff9c9c); }
[data-stage='silent'] progress, [data-stage='silent'] #percent { visibility: hidden; }
`;
