import { element, say } from './elements.js';
import { fieldAt, numberAt, textAt } from './json.js';
import { FAILURE_KINDS, wordsFor } from './screen-words.js';
import { ask } from './updater.js';

const ASK_EVERY_MS = 500;
/** The stages that each step of the list stands for. */
const STEPS = ['downloading', 'verifying', 'installing', 'rebooting'];
const ORDER = ['idle', 'downloading', 'verifying', 'toInstall', 'installing', 'rebooting', 'success'];
/** The release that was there before the first update; its number means nothing to a person. */
const AS_FOUND = '0.0.0';

const words = wordsFor(navigator.language);
const bar = element('bar', HTMLProgressElement);
let shown = '';

/** Asks, shows, and asks again, for ever: also while the updater is restarted, or replaced by a new one. */
async function follow(): Promise<void> {
  try {
    const progress = await ask('/progress');
    const stage = textAt(progress, 'stage');
    if (stage !== shown) await showVersions(stage);
    shown = stage;
    show(stage, progress);
  } catch {
    shown = '';
    document.body.dataset['stage'] = 'waiting';
    say('stage', words.waiting.headline);
    say('hint', words.waiting.hint);
    say('message', '');
    say('error', '');
  }
  setTimeout(() => void follow(), ASK_EVERY_MS);
}

function show(stage: string, progress: unknown): void {
  const percent = numberAt(progress, 'progress');
  const error = textAt(progress, 'error');
  const code = error.split(':')[0] ?? '';
  document.body.dataset['stage'] = stage;
  say('stage', words.stages[stage] ?? stage);
  say(
    'hint',
    stage === 'failed' ? words.failures[FAILURE_KINDS[code] ?? 'other'] : (words.hints[stage] ?? ''),
  );
  say('percent', `${percent} %`);
  say('message', stage === 'failed' || stage === 'idle' ? '' : words.message(textAt(progress, 'message')));
  say('error', error);
  bar.value = percent;
  if (stage !== 'failed') showSteps(stage);
}

function showSteps(stage: string): void {
  const now = ORDER.indexOf(stage);
  for (const [index, step] of [...element('steps', HTMLElement).children].entries()) {
    const place = ORDER.indexOf(STEPS[index] ?? '');
    step.classList.toggle('is-over', place < now);
    if (place === now) step.setAttribute('aria-current', 'step');
    else step.removeAttribute('aria-current');
  }
}

/** From which version to which; where nothing was ordered, the one that runs. */
async function showVersions(stage: string): Promise<void> {
  const context = fieldAt(await ask('/state'), 'context');
  const versions = await ask('/versions');
  const current = textAt(versions, 'current');
  const to = textAt(context, 'deployment', 'to', 'version') || textAt(context, 'order', 'version');
  const left = stage === 'success' ? textAt(versions, 'previous') : current;
  const shown = (to === '' ? [current] : [left, to]).filter(
    (version) => version !== '' && version !== AS_FOUND,
  );
  say('versions', [...new Set(shown)].join(' → '));
}

document.documentElement.lang = words.language;
document.title = words.title;
for (const [index, step] of [...element('steps', HTMLElement).children].entries())
  step.textContent = words.steps[index] ?? '';
void follow();
