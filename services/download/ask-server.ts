import { once } from 'node:events';
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Request } from 'got';
import { UpdateError } from '../../machines/errors.js';
import { basicCredentials } from './basic-credentials.js';
import { DIRECT, openConnections, type Connections } from './connections.js';
import { TunnelRefused } from './proxy-tunnel.js';
import { shownUrl } from './shown-url.js';

/** What a server answered, before the first byte of the body. */
export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  /** Where the answer is from, fit to be shown. */
  from: string;
  /** The body as it comes. Throws a WireFailure where the connection breaks. */
  body: AsyncIterable<Uint8Array>;
  /** Ends the connection, whatever is still to come. */
  end(): void;
}

/** The connection failed; the cause is node's or got's error, whose words may hold the URL with its credential. */
export class WireFailure extends Error {
  override readonly name = 'WireFailure';
  /** Who was asked, fit to be shown. */
  readonly from: string;

  constructor(message: string, from: string, cause: unknown) {
    super(message, { cause });
    this.from = from;
  }
}

const MAX_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/**
 * Sends one GET and follows its redirects. Throws a WireFailure, a TunnelRefused of a proxy, or an UpdateError for a
 * redirect that is refused, or a host that packages may not come from.
 */
export async function askServer(
  url: URL,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
  connections: Connections = openConnections(DIRECT),
): Promise<Answer> {
  let at = url;
  for (let redirects = 0; ; redirects++) {
    if (!connections.mayReach(at)) throw refused(at, 'is not on a host that TOPE_PACKAGE_HOSTS names');
    const answer = await ask(at, headers, signal, connections);
    const location = REDIRECTS.has(answer.status) ? answer.headers.location : undefined;
    if (location === undefined) return answer;
    answer.end();
    if (redirects === MAX_REDIRECTS) throw refused(at, `redirects more than ${MAX_REDIRECTS} times`);
    at = redirected(at, location);
  }
}

async function ask(
  url: URL,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
  connections: Connections,
): Promise<Answer> {
  const from = shownWay(url, connections.proxyFor(url));
  const { got } = await import('got');
  const route = await connections.route(url, signal).catch((cause: unknown) => {
    throw cause instanceof TunnelRefused ? cause : new WireFailure('no tunnel', from, cause);
  });
  const authorization = basicCredentials(url);
  const stream = got.stream(withoutUserinfo(url), {
    headers: {
      'user-agent': 'tope-updater',
      'accept-encoding': 'identity',
      ...headers,
      ...(authorization === null ? {} : { authorization }),
    },
    ...route,
    signal,
    retry: { limit: 0 },
    decompress: false,
    followRedirect: false,
    throwHttpErrors: false,
  });
  // The connection may break while nobody reads; who reads next is told then.
  stream.on('error', () => undefined);
  const lastBytes = keepLastBytes(stream);
  try {
    await once(stream, 'response');
  } catch (cause) {
    throw new WireFailure('no answer', from, cause);
  }
  return {
    status: stream.response?.statusCode ?? 0,
    headers: stream.response?.headers ?? {},
    from,
    body: bodyOf(stream, lastBytes, from),
    end: () => stream.destroy(),
  };
}

async function* bodyOf(
  stream: Request,
  lastBytes: readonly Uint8Array[],
  from: string,
): AsyncGenerator<Uint8Array> {
  const chunks: AsyncIterable<Uint8Array> = stream;
  try {
    for await (const chunk of chunks) yield chunk;
  } catch (cause) {
    yield* lastBytes;
    throw new WireFailure('the body ended early', from, cause);
  }
}

/**
 * Node and got throw away what is in their buffers when a connection fails, or when a server says more than it
 * declared. These bytes were paid for: they are taken out before that, and become the end of the body.
 */
function keepLastBytes(stream: Request): readonly Uint8Array[] {
  const kept: Uint8Array[] = [];
  const keep = () => {
    for (const source of [stream, stream.response]) {
      const bytes: unknown = source?.read();
      if (bytes instanceof Uint8Array) kept.push(bytes);
    }
  };
  stream.on('request', (request: ClientRequest) => request.prependListener('error', keep));
  stream.on('response', (response: IncomingMessage) => response.prependListener('aborted', keep));
  return kept;
}

/** Where a redirect leads. Credentials stay with the origin that they were given for. */
function redirected(from: URL, location: string): URL {
  // Node reads headers as Latin-1; servers write UTF-8.
  const target = Buffer.from(location, 'latin1').toString();
  if (!URL.canParse(target, from.href)) throw refused(from, 'redirects to what is not a URL');
  const to = new URL(target, from);
  if (to.protocol !== 'http:' && to.protocol !== 'https:') {
    throw refused(from, `redirects to ${to.protocol}, which is not followed`);
  }
  if (from.protocol === 'https:' && to.protocol === 'http:') {
    throw refused(from, `redirects from https to ${shownUrl(to)}, which is not followed`);
  }
  if (to.origin === from.origin && to.username === '' && to.password === '') {
    to.username = from.username;
    to.password = from.password;
  }
  return to;
}

function refused(from: URL, what: string): UpdateError {
  return new UpdateError('DOWNLOAD_FAILED', `${shownUrl(from)} ${what}`);
}

/** A URL, and the proxy on the way to it, as people may see them. */
function shownWay(url: URL, proxy: URL | null): string {
  return proxy === null ? shownUrl(url) : `${shownUrl(url)} through the proxy ${proxy.origin}`;
}

function withoutUserinfo(url: URL): URL {
  const bare = new URL(url);
  bare.username = '';
  bare.password = '';
  return bare;
}
