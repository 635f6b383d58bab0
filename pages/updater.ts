import { fieldAt } from './json.js';

const BASE = '/api/v1.0';
/** An updater that takes longer is as good as away, in ms. */
const PATIENCE_MS = 3000;

export const EVENTS = `${BASE}/events`;

/** The `data` that a path below the base path answers. Rejects where the updater does not answer. */
export async function ask(path: string): Promise<unknown> {
  const response = await fetch(BASE + path, { signal: AbortSignal.timeout(PATIENCE_MS) });
  const answer: unknown = await response.json();
  return fieldAt(answer, 'data');
}

/**
 * Gives an order, with a token where one is given; answers with the whole envelope, a refusal too. Rejects where the
 * updater does not answer.
 */
export async function order(path: string, body: object, token: string): Promise<unknown> {
  const response = await fetch(BASE + path, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      ...(token === '' ? {} : { Authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  });
  return response.json();
}
