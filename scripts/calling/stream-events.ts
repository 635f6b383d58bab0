import { progress, transition } from './compiled-checks.js';

/** What a reader needs of the updater's event stream. */
export type StreamEvent =
  | { type: 'transition'; data: { from: string; to: string; event: string } }
  | { type: 'progress'; data: { stage: string; progress: number; message: string } };

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

function isTransition(data: unknown): data is { from: string; to: string; event: string } {
  return transition(data);
}

function isProgress(data: unknown): data is { stage: string; progress: number; message: string } {
  return progress(data);
}
