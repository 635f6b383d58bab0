import { request, type IncomingHttpHeaders } from 'node:http';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** The parsed JSON; null where the answer is no JSON. */
  json: unknown;
}

export interface Question {
  method?: string;
  path: string;
  headers?: Record<string, string>;
  /** An object travels as JSON with its content type; text and bytes travel as they are, with none. */
  body?: object | string | Buffer;
  /** Whether node's own Host is sent; off for a request without any. */
  setHost?: boolean;
}

/** Asks a server on 127.0.0.1 over a connection of its own. Rejects after 15 s. */
export function call(port: number, { method, path, headers, body, setHost }: Question): Promise<Answer> {
  const isRaw = body === undefined || typeof body === 'string' || Buffer.isBuffer(body);
  const payload = isRaw ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: '127.0.0.1',
        port,
        path,
        method: method ?? (body === undefined ? 'GET' : 'POST'),
        headers: { ...(isRaw ? {} : { 'Content-Type': 'application/json' }), ...headers },
        agent: false,
        setHost: setHost ?? headers?.['Host'] === undefined,
        signal: AbortSignal.timeout(15_000),
      },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(parts).toString();
          const isJson = response.headers['content-type']?.startsWith('application/json') ?? false;
          const json: unknown = isJson && text !== '' ? JSON.parse(text) : null;
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json });
        });
      },
    );
    asked.on('error', reject);
    asked.end(payload);
  });
}
