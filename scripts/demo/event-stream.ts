import { eventParser, type StreamEvent } from '../calling/stream-events.js';

export type { StreamEvent } from '../calling/stream-events.js';

/**
 * Reads an updater's server-sent events, those that it still keeps first, until the connection ends, however it ends.
 * Throws where it cannot be opened.
 */
export async function* readEvents(url: string): AsyncGenerator<StreamEvent> {
  const response = await fetch(url, { headers: { 'last-event-id': '0' } });
  if (response.body === null || !response.ok) throw new Error(`${url} answered ${response.status}`);
  const parse = eventParser();
  const body: AsyncIterable<Uint8Array> = response.body;
  const chunks = body[Symbol.asyncIterator]();
  for (;;) {
    const next = await chunks.next().catch(() => null);
    if (next === null || next.done === true) return;
    yield* parse(next.value);
  }
}
