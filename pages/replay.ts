import { element } from './elements.js';
import { lastUpdate, type Step } from './steps.js';

const slider = element('slider', HTMLInputElement);
const live = element('live', HTMLButtonElement);

/** Steps of the last update, by the slider's places. */
let replayed: readonly Step[] = [];

/** Calls back with the step that the slider stands at, and with null when the page shall be live again. */
export function offerReplay(onStep: (step: Step | null) => void): void {
  slider.addEventListener('input', () => {
    const step = replayed[Number(slider.value)] ?? null;
    tell(step);
    onStep(step);
  });
  live.addEventListener('click', () => onStep(null));
}

/** Renews what there is to replay. */
export function renewReplay(steps: readonly Step[]): void {
  replayed = lastUpdate(steps);
  slider.disabled = replayed.length === 0;
  slider.max = String(Math.max(0, replayed.length - 1));
}

/** Puts the slider where a chosen step is; live: at the end. */
export function showReplayAt(step: Step | null): void {
  const index = step === null ? replayed.length - 1 : replayed.findIndex(({ id }) => id === step.id);
  if (index >= 0) slider.value = String(index);
  live.disabled = step === null;
  tell(replayed[index] ?? null);
}

function tell(step: Step | null): void {
  slider.setAttribute('aria-valuetext', step === null ? 'nothing to replay' : `${step.event}: ${step.to}`);
}
