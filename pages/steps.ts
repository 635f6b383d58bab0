import { element, make } from './elements.js';
import { fieldAt, listAt, numberAt, textAt } from './json.js';

/** One transition of the machine, as /state and /events tell it. */
export interface Step {
  id: number;
  time: string;
  afterMs: number;
  event: string;
  from: string;
  to: string;
  edge: string;
  about: string;
  refused: { guard: string; question: string }[];
  changes: { field: string; before: string | null; after: string | null }[];
}

/** Reads a transition; what is missing in it is empty. */
export function stepOf(json: unknown): Step {
  return {
    id: numberAt(json, 'id'),
    time: textAt(json, 'time'),
    afterMs: numberAt(json, 'afterMs'),
    event: textAt(json, 'event'),
    from: textAt(json, 'from'),
    to: textAt(json, 'to'),
    edge: textAt(json, 'edge'),
    about: textAt(json, 'about'),
    refused: listAt(json, 'refused').map((one) => ({
      guard: textAt(one, 'guard'),
      question: textAt(one, 'question'),
    })),
    changes: listAt(json, 'changes').map((one) => ({
      field: textAt(one, 'field'),
      before: textOrNull(fieldAt(one, 'before')),
      after: textOrNull(fieldAt(one, 'after')),
    })),
  };
}

/** The steps of the update that was ordered last, also those after a restart of the updater in its middle. */
export function lastUpdate(steps: readonly Step[]): Step[] {
  const begin = steps.findLastIndex(({ event }) => event === 'DOWNLOAD' || event === 'ROLLBACK');
  if (begin < 0) return [];
  const end = steps.findIndex(({ to }, index) => index >= begin && ['done', 'failed', 'idle'].includes(to));
  return steps.slice(begin, end < 0 ? undefined : end + 1);
}

/** A row of the list: a button that chooses the step. */
export function rowOf(step: Step, onChoose: () => void): HTMLElement {
  const button = make(
    'button',
    'step',
    make('span', 'time', new Date(step.time).toLocaleTimeString()),
    make('span', 'after', `${(step.afterMs / 1000).toFixed(step.afterMs < 10_000 ? 2 : 0)} s`),
    make('span', 'event', eventInWords(step.event)),
    make('span', 'way', `${step.from} → ${step.to}`),
  );
  button.setAttribute('aria-pressed', 'false');
  button.addEventListener('click', onChoose);
  const refusals = step.refused.map(({ guard }) => make('span', 'no', `${guard}: no`));
  const row = make('li', '', button, ...refusals);
  row.dataset['id'] = String(step.id);
  return row;
}

/** Shows all that is known of a step; nothing for null. */
export function showDetail(step: Step | null): void {
  const place = element('detail', HTMLElement);
  if (step === null) {
    place.replaceChildren();
    return;
  }
  const refused = step.refused.map(({ guard, question }) =>
    make('li', '', make('strong', 'no', `${guard}: no`), ` ${question}`),
  );
  const changes = step.changes.map(({ field, before, after }) =>
    make('tr', '', make('th', '', field), make('td', 'before', before ?? '–'), make('td', '', after ?? '–')),
  );
  place.replaceChildren(
    make('h2', '', `${eventInWords(step.event)}: ${step.from} → ${step.to}`),
    ...(step.about === '' ? [] : [make('p', 'about', step.about)]),
    ...(refused.length === 0 ? [] : [make('ul', '', ...refused)]),
    changes.length === 0
      ? make('p', 'about', 'Nothing changed in the context.')
      : make(
          'table',
          'changes',
          make('caption', '', 'Changes in the context'),
          make('tbody', '', ...changes),
        ),
  );
}

function eventInWords(event: string): string {
  const [, end, actor = ''] = /^xstate\.(done|error)\.actor\.(.+)$/.exec(event) ?? [];
  return actor === '' ? event : `${actor} ${end === 'done' ? 'done' : 'failed'}`;
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
