import express, {
  type Express,
  type NextFunction,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import { toUpdateError } from '../machines/errors.js';
import { checkToken } from './checks/bearer-token.js';
import { checkContentType } from './checks/content-type.js';
import { checkHost } from './checks/host.js';
import { readJsonBody } from './checks/json-body.js';
import { checkOrigin } from './checks/origin.js';
import { setSecurityHeaders } from './checks/response-headers.js';
import { errorReply, TransportFault } from './envelope.js';
import type { EventStreams } from './event-streams.js';
import { stageNow } from './reads/progress.js';
import { writeReply } from './reply.js';
import { placesOf, type Route } from './route.js';
import type { UpdaterPort } from './updater-port.js';

/** All that the app is made from. */
export interface AppParts {
  updater: UpdaterPort;
  streams: EventStreams;
  routes: readonly Route[];
  allowedHosts: readonly string[];
  token: string | null;
  packageHosts: readonly string[];
  /** Whether /visualizer offers to give orders. */
  allowsPageOrders: boolean;
  onInternalError: (error: Error) => void;
}

/** The express app: checks of who calls, then the table of routes, then what fits no route, then errors. */
export function createApp(parts: AppParts): Express {
  const { routes, allowedHosts, token, updater, onInternalError } = parts;
  const app = express();
  const mayOrder = checkToken(token);
  app.disable('x-powered-by').disable('etag').enable('case sensitive routing').enable('strict routing');
  app.use(setSecurityHeaders, checkHost(allowedHosts), checkOrigin);
  for (const route of routes) {
    const answer = answerOf(route, parts);
    for (const place of placesOf(route)) {
      if (route.method === 'GET') app.get(place, answer).all(place, refuseMethod('GET, HEAD'));
      else app.post(place, mayOrder, checkContentType, readJsonBody, answer).all(place, refuseMethod('POST'));
    }
  }
  app.use(refuseRoute);
  app.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
    if (isInternal(error)) onInternalError(toUpdateError(error));
    // An answer that has begun can only be broken off: express does that.
    if (response.headersSent) next(error);
    else
      writeReply(
        response,
        errorReply(error, () => stageNow(updater)),
      );
  });
  return app;
}

function answerOf({ handle }: Route, parts: AppParts): RequestHandler {
  const { updater, streams, routes, packageHosts, allowsPageOrders } = parts;
  return async (request, response) => {
    const body: unknown = request.body;
    const call = { updater, streams, routes, packageHosts, allowsPageOrders, request, response, body };
    const reply = await handle(call);
    if (reply !== null) writeReply(response, reply);
  };
}

function isInternal(error: unknown): boolean {
  return !(error instanceof TransportFault) && toUpdateError(error).code === 'INTERNAL_ERROR';
}

function refuseMethod(allow: string): RequestHandler {
  return ({ method, path }) => {
    throw new TransportFault(405, `${method} is not a method of ${path}; expected ${allow}`, {
      headers: { Allow: allow },
    });
  };
}

const refuseRoute: RequestHandler = ({ path }) => {
  throw new TransportFault(404, `there is no route ${JSON.stringify(path.slice(0, 255))}; see /openapi.json`);
};
