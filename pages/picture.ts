import { element } from './elements.js';
import type { Step } from './steps.js';

const canvas = element('canvas', HTMLElement);
/** What is looked at where not all has room. */
let wanted = '.is-now';

/**
 * Lights the state that the machine is in (with those around it), and the step that led there, if it is known. Where
 * there is no room to see both, a chosen step is what is looked at, else the state.
 */
export function light(path: string, step: Step | null, isChosen: boolean): void {
  wanted = isChosen ? '.edge.is-lit' : '.is-now';
  for (const state of canvas.querySelectorAll<SVGElement>('[data-state]')) {
    const own = state.dataset['state'] ?? '';
    state.classList.toggle('is-now', path === own);
    state.classList.toggle('is-around', path.startsWith(`${own}.`));
  }
  const edge = step?.edge ?? '';
  for (const word of canvas.querySelectorAll<SVGElement>('[data-edge]'))
    word.classList.toggle('is-lit', word.dataset['edge'] === edge);
  for (const line of canvas.querySelectorAll<SVGElement>('[data-edges]'))
    line.classList.toggle('is-lit', (line.dataset['edges'] ?? '').split(' ').includes(edge));
  bringIntoView();
}

/** Moves the picture, and nothing else of the page, so that state and step stand in its middle. */
function bringIntoView(): void {
  const view = canvas.getBoundingClientRect();
  const [state, step] = ['.is-now', '.edge.is-lit'].map(boxOf);
  const both = state === undefined || step === undefined ? state : around(state, step);
  const hasRoom = both !== undefined && both.width <= view.width && both.height <= view.height;
  const box = hasRoom ? both : (boxOf(wanted) ?? state);
  if (box === undefined) return;
  canvas.scrollBy({
    left: box.left + box.width / 2 - view.left - view.width / 2,
    top: box.top + box.height / 2 - view.top - view.height / 2,
    behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'instant' : 'smooth',
  });
}

function boxOf(selector: string): DOMRect | undefined {
  return canvas.querySelector(selector)?.getBoundingClientRect();
}

function around(one: DOMRect, other: DOMRect): DOMRect {
  const [left, top] = [Math.min(one.left, other.left), Math.min(one.top, other.top)];
  const [right, bottom] = [Math.max(one.right, other.right), Math.max(one.bottom, other.bottom)];
  return new DOMRect(left, top, right - left, bottom - top);
}

/** Lets the button switch between a picture that can be read and one that is seen whole. */
export function offerWholePicture(): void {
  const button = element('whole', HTMLButtonElement);
  button.addEventListener('click', () => {
    const isWhole = canvas.classList.toggle('is-whole');
    button.setAttribute('aria-pressed', String(isWhole));
    bringIntoView();
  });
}
