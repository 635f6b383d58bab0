import { jsonReply } from '../reply.js';
import { placesOf, type AnswerForm, type Handler, type JsonSchema, type Route } from '../route.js';

const ENVELOPE = {
  type: 'object',
  required: ['code', 'msg'],
  properties: {
    code: { type: 'integer', description: 'The outcome; a refused order too travels as HTTP 200' },
    msg: { type: 'string', description: '`success`, or `ERROR_CODE: what happened`' },
    stage: { type: 'string', description: 'Where the error is about what is going on' },
    progress: { type: 'integer', minimum: 0, maximum: 100 },
    data: { type: 'object' },
  },
} as const;

/** RFC 6750. Orders alone need it, and only where the device's configuration names a token file. */
const TOKEN = {
  type: 'http',
  scheme: 'bearer',
  description: 'The token in TOPE_TOKEN_FILE; where none is configured, orders need none',
} as const;

const FAULT = { 'application/json': { schema: { $ref: '#/components/schemas/Envelope' } } } as const;

const TOKEN_MISSING = {
  description: 'The token is missing or wrong',
  headers: { 'WWW-Authenticate': { schema: { const: 'Bearer' } } },
  content: FAULT,
} as const;

/** The OpenAPI 3.1 document of a table of routes, with the very schemas that requests are checked by. */
export function openApiDocument(routes: readonly Route[]): JsonSchema {
  const paths: Record<string, Record<string, JsonSchema>> = {};
  for (const route of routes) {
    for (const place of placesOf(route)) {
      paths[place] = { ...paths[place], [route.method.toLowerCase()]: operationOf(route) };
    }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'TOPE Updater',
      version: '1.0',
      description: 'Orders, progress and state of the on-device updater.',
    },
    paths,
    components: { schemas: { Envelope: ENVELOPE }, securitySchemes: { token: TOKEN } },
  };
}

/** GET /openapi.json: the table of routes, described. */
export const openapi: Handler = ({ routes }) => jsonReply(openApiDocument(routes));

function operationOf({ method, does, body, answers }: Route): JsonSchema {
  const isOrder = method === 'POST';
  const requestBody = { required: true, content: { 'application/json': { schema: body ?? {} } } };
  return {
    summary: does,
    // An empty one among them: it may be left out where the device demands none.
    ...(isOrder ? { requestBody, security: [{}, { token: [] }] } : {}),
    responses: {
      200: { description: 'The answer', content: contentOf(answers) },
      ...(isOrder ? { 401: TOKEN_MISSING } : {}),
      default: {
        description:
          'A request that is no order at all (403, 404, 405, 413, 415, 421, 429), or an unwell updater (503)',
        content: FAULT,
      },
    },
  };
}

function contentOf(form: AnswerForm): JsonSchema {
  if ('mediaType' in form) return { [form.mediaType]: { schema: { type: 'string' } } };
  if ('document' in form) return { 'application/json': { schema: form.document } };
  const schema = {
    allOf: [{ $ref: '#/components/schemas/Envelope' }, { type: 'object', properties: { data: form.data } }],
  };
  return { 'application/json': { schema } };
}
