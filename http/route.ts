import type { Request, Response } from 'express';
import type { EventStreams } from './event-streams.js';
import type { Reply } from './reply.js';
import type { UpdaterPort } from './updater-port.js';

/** What every route may use. */
export interface Call {
  updater: UpdaterPort;
  streams: EventStreams;
  /** All routes, for the one that describes them. */
  routes: readonly Route[];
  /** The only hosts that an order's package may come from; any where it is empty. */
  packageHosts: readonly string[];
  request: Request;
  response: Response;
  /** Whether /visualizer offers to give orders. */
  allowsPageOrders: boolean;
  /** The parsed JSON body of a POST, not validated yet; `{}` where there is none. */
  body: unknown;
}

/** Answers one request; null where the handler writes the response itself. Throws UpdateError or TransportFault. */
export type Handler = (call: Call) => Reply | null | Promise<Reply | null>;

/** A JSON Schema, as ajv and OpenAPI both read it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** What a route answers: an envelope around `data` of this form, a JSON document of its own, or another media type. */
export type AnswerForm = { data: JsonSchema } | { document: JsonSchema } | { mediaType: string };

export interface Route {
  method: 'GET' | 'POST';
  path: string;
  /** Below the base path, at the root, or both. */
  at: 'base' | 'root' | 'both';
  handle: Handler;
  /** One sentence for OpenAPI. */
  does: string;
  answers: AnswerForm;
  /** The form of a POST's body. */
  body?: JsonSchema;
}

/** Below it lie the routes of the wire contract. */
export const BASE_PATH = '/api/v1.0';

/** The full paths that a route answers at. */
export function placesOf({ path, at }: Pick<Route, 'path' | 'at'>): string[] {
  const below = `${BASE_PATH}${path}`;
  return { base: [below], root: [path], both: [below, path] }[at];
}
