import { Ajv } from 'ajv';

/** What the demo needs of the updater's event stream. */
export type StreamEvent =
  | { type: 'transition'; data: { from: string; to: string; event: string } }
  | { type: 'progress'; data: { stage: string; progress: number; message: string } };

const TEXT = { type: 'string' } as const;
const ajv = new Ajv();
const isTransition = ajv.compile<{ from: string; to: string; event: string }>({
  type: 'object',
  required: ['from', 'to', 'event'],
  properties: { from: TEXT, to: TEXT, event: TEXT },
});
const isProgress = ajv.compile<{ stage: string; progress: number; message: string }>({
  type: 'object',
  required: ['stage', 'progress', 'message'],
  properties: { stage: TEXT, progress: { type: 'integer' }, message: TEXT },
});

/**
 * Reads an updater's server-sent events, those that it still keeps first, until the connection ends, however it ends.
 * Throws where it cannot be opened, or where something else than such events comes.
 */
export async function* readEvents(url: string): AsyncGenerator<StreamEvent> {
  const response = await fetch(url, { headers: { 'last-event-id': '0' } });
  if (response.body === null || !response.ok) throw new Error(`${url} answered ${response.status}`);
  const decoder = new TextDecoder();
  let rest = '';
  const body: AsyncIterable<Uint8Array> = response.body;
  const chunks = body[Symbol.asyncIterator]();
  for (;;) {
    const next = await chunks.next().catch(() => null);
    if (next === null || next.done === true) return;
    const blocks = (rest + decoder.decode(next.value, { stream: true })).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const event = parse(block);
      if (event !== null) yield event;
    }
  }
}

/** Null for a comment. */
function parse(block: string): StreamEvent | null {
  const lines = block.split('\n');
  const valueOf = (field: string) =>
    lines.find((line) => line.startsWith(`${field}: `))?.slice(field.length + 2);
  const text = valueOf('data');
  if (text === undefined) return null;
  const type = valueOf('event');
  const data: unknown = JSON.parse(text);
  if (type === 'transition' && isTransition(data)) return { type, data };
  if (type === 'progress' && isProgress(data)) return { type, data };
  throw new Error(`an event that is not known: ${block}`);
}
