import type { Handler } from '../route.js';

/** GET /events: server-sent events, one per transition and per progress step, until the client or the server ends. */
export const events: Handler = ({ updater, streams, request, response }) => {
  streams.open(updater, request, response);
  return null;
};
