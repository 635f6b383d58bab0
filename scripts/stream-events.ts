import { Ajv } from 'ajv';

/** What a reader needs of the updater's event stream. */
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
 * Reads server-sent events (HTML Standard, section Server-sent events) piece by piece: answers with those that each piece
 * ends. Comments and events of other types are left out. Throws where the data of one is no JSON.
 */
export function eventParser(): (piece: Uint8Array) => StreamEvent[] {
  const decoder = new TextDecoder();
  let rest = '';
  return (piece) => {
    const blocks = (rest + decoder.decode(piece, { stream: true })).split('\n\n');
    rest = blocks.pop() ?? '';
    return blocks.map(parse).filter((event) => event !== null);
  };
}

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
  return null;
}
