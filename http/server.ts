import { createServer } from 'node:http';
import { createApp } from './app.js';
import { answerBrokenRequest } from './broken-request.js';
import { limitConnections } from './connection-limit.js';
import { EventStreams } from './event-streams.js';
import { ROUTES } from './routes.js';
import { dropUnreadAnswers } from './unread-answers.js';
import type { UpdaterPort } from './updater-port.js';

export interface HttpOptions {
  /** The address to bind to. */
  host: string;
  /** 0 lets the system choose a free one. */
  port: number;
  /** Names besides loopback's that a request's Host may have. */
  allowedHosts: readonly string[];
  /** The bearer token that orders must carry; none where it is absent or null. */
  token?: string | null;
  /** The only hosts that an order's package may come from; any where it is absent or empty. */
  packageHosts?: readonly string[];
  /** Whether /visualizer offers to give orders; false if absent. */
  visualizerOrders?: boolean;
  /** Told of every error that should not happen, so that it does not end in an answer alone. */
  onInternalError?: (error: Error) => void;
}

export interface HttpServer {
  /**
   * Answers with the port once connections are taken. Rejects, with an error fit for people, where that cannot be had
   * (`port 12315 on 127.0.0.1 is already in use`); another port is never tried.
   */
  listen(): Promise<number>;
  /** Takes no more requests, ends event streams, and answers when the last connection is closed, at most 2 s later. */
  close(): Promise<void>;
}

/** Connections at once; for more, those that wait the longest make way. */
export const MAX_CONNECTIONS = 100;

const TIMEOUTS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 2_000,
};

/** How long requests that are going on may take to end when the server closes, in ms. */
const CLOSE_MS = 2_000;

/** The updater's HTTP server; it does not listen before it is told to. */
export function createHttpServer(updater: UpdaterPort, options: HttpOptions): HttpServer {
  const { host, port, allowedHosts, token = null, packageHosts = [], visualizerOrders = false } = options;
  const { onInternalError = () => undefined } = options;
  const streams = new EventStreams();
  const app = createApp({
    updater,
    streams,
    routes: ROUTES,
    allowedHosts,
    token,
    packageHosts,
    allowsPageOrders: visualizerOrders,
    onInternalError,
  });
  // A missing Host is answered like a wrong one.
  const server = createServer({ ...TIMEOUTS, requireHostHeader: false }, dropUnreadAnswers(app));
  limitConnections(server, MAX_CONNECTIONS);
  server.on('clientError', answerBrokenRequest);

  return {
    listen: () =>
      new Promise((resolve, reject) => {
        const refuse = (error: Error) => reject(listenError(error, host, port));
        server.once('error', refuse).listen(port, host, () => {
          server.off('error', refuse);
          const address = server.address();
          resolve(typeof address === 'object' && address !== null ? address.port : port);
        });
      }),
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      streams.closeAll();
      const deadline = setTimeout(() => server.closeAllConnections(), CLOSE_MS);
      await closed;
      clearTimeout(deadline);
    },
  };
}

function listenError(error: Error, host: string, port: number): Error {
  const isTaken = 'code' in error && error.code === 'EADDRINUSE';
  const message = isTaken
    ? `port ${port} on ${host} is already in use`
    : `cannot listen on port ${port} of ${host}: ${error.message}`;
  return new Error(message, { cause: error });
}
