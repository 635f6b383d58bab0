import { element } from './elements.js';
import type { Step } from './steps.js';

const canvas = element('canvas', HTMLElement);

/** Lights the state that the machine is in (with those around it), and the step that led there, if it is known. */
export function light(path: string, step: Step | null): void {
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
  bringIntoView(canvas.querySelector('.is-now'));
}

/** Moves the picture, and nothing else of the page, so that a state stands in its middle. */
function bringIntoView(state: Element | null): void {
  if (state === null) return;
  const [box, view] = [state.getBoundingClientRect(), canvas.getBoundingClientRect()];
  canvas.scrollBy({
    left: box.left + box.width / 2 - view.left - view.width / 2,
    top: box.top + box.height / 2 - view.top - view.height / 2,
    behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'instant' : 'smooth',
  });
}

/** Lets the button switch between a picture that can be read and one that is seen whole. */
export function offerWholePicture(): void {
  const button = element('whole', HTMLButtonElement);
  button.addEventListener('click', () => {
    const isWhole = canvas.classList.toggle('is-whole');
    button.setAttribute('aria-pressed', String(isWhole));
    bringIntoView(canvas.querySelector('.is-now'));
  });
}
