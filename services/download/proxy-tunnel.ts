import { Agent as HttpAgent, request, type AgentOptions, type IncomingMessage } from 'node:http';
import { addAbortSignal, type Duplex } from 'node:stream';
import { basicCredentials } from './basic-credentials.js';
import { bareHost, portOf } from './choose-proxy.js';
import type { Answered } from './judge-answer.js';

/** The proxy answered, but opens no tunnel. */
export class TunnelRefused extends Error {
  override readonly name = 'TunnelRefused';
  readonly answer: Answered;

  constructor(answer: Answered) {
    super('no tunnel');
    this.answer = answer;
  }
}

/** What a proxy that is spoken to is sent beside the request. */
export function proxyHeaders(proxy: URL): Record<string, string> {
  const credentials = basicCredentials(proxy);
  return credentials === null ? {} : { 'proxy-authorization': credentials };
}

/**
 * Has a proxy open a tunnel to a server (RFC 9110 9.3.6). Throws TunnelRefused, or node's error where the proxy cannot
 * be reached. What is said in the tunnel is for the caller to encrypt.
 */
export async function openTunnel(
  proxy: URL,
  server: URL,
  signal: AbortSignal,
  connections: AgentOptions,
): Promise<Duplex> {
  const authority = `${server.hostname}:${portOf(server)}`;
  const asking = request({
    method: 'CONNECT',
    host: bareHost(proxy),
    port: portOf(proxy),
    path: authority,
    headers: { host: authority, ...proxyHeaders(proxy) },
    agent: new HttpAgent(connections),
    signal,
  }).end();
  const [response, socket] = await answerTo(asking);
  // RFC 9110 9.3.6: any 2xx opens the tunnel.
  if (Math.floor((response.statusCode ?? 0) / 100) !== 2) {
    socket.destroy();
    const { statusCode: status = 0, headers } = response;
    throw new TunnelRefused({ status, headers, from: `the proxy ${proxy.origin}` });
  }
  // Who uses the tunnel is told of its failures by what it carries.
  socket.on('error', () => undefined);
  return addAbortSignal(signal, socket);
}

function answerTo(asking: ReturnType<typeof request>): Promise<[IncomingMessage, Duplex]> {
  return new Promise((resolve, reject) => {
    asking.once('error', reject);
    asking.once('connect', (response, socket) => resolve([response, socket]));
  });
}
