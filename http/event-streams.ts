import type { Request, Response } from 'express';
import { safeJson } from './credentials.js';
import { TransportFault } from './envelope.js';
import type { StreamItem } from '../machines/views.js';
import type { UpdaterPort } from './updater-port.js';

/** At most so many clients listen at once. */
export const MAX_STREAMS = 10;
/** A comment at least this often, in ms, so that both ends notice a dead connection. */
export const COMMENT_EVERY_MS = 15_000;
/** A client that leaves more than so many bytes unread is dropped: it can resume with Last-Event-ID. */
const MAX_UNREAD_BYTES = 256 * 1024;

/** The open event streams, in the form of server-sent events (HTML Standard, section Server-sent events). */
export class EventStreams {
  readonly #open = new Set<Response>();

  /** Opens a stream; a Last-Event-ID resumes after that item. Throws a transport fault 429 where too many are open. */
  open(updater: UpdaterPort, request: Request, response: Response): void {
    if (this.#open.size >= MAX_STREAMS) {
      throw new TransportFault(429, `${MAX_STREAMS} event streams are open; no more are served`, {
        code: 'OPERATION_IN_PROGRESS',
      });
    }
    response.status(200).set('Content-Type', 'text/event-stream; charset=utf-8');
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    const end = updater.stream(lastEventId(request), (item) => write(response, inWords(item)));
    this.#open.add(response);
    response.flushHeaders();
    const comments = setInterval(() => write(response, ': still here\n\n'), COMMENT_EVERY_MS);
    response.on('close', () => {
      clearInterval(comments);
      end();
      this.#open.delete(response);
    });
  }

  /** Ends every stream, so that the server can close. */
  closeAll(): void {
    for (const response of this.#open) response.end();
  }
}

function write(response: Response, text: string): void {
  if (response.destroyed || response.writableEnded) return;
  if (response.writableLength > MAX_UNREAD_BYTES) response.destroy();
  else response.write(text);
}

function inWords({ id, type, data }: StreamItem): string {
  return `id: ${id}\nevent: ${type}\ndata: ${safeJson(data)}\n\n`;
}

function lastEventId(request: Request): number | null {
  const id = request.get('Last-Event-ID') ?? '';
  return /^\d{1,15}$/.test(id) ? Number(id) : null;
}
