import { Ajv } from 'ajv';
import { afterEach, describe, expect, test } from '@jest/globals';
import { openApiDocument } from '../../http/reads/openapi.js';
import { BASE_PATH, type JsonSchema } from '../../http/route.js';
import { ROUTES } from '../../http/routes.js';
import { closeBenches, openBench } from '../support/http-bench.js';
import { until } from '../support/until.js';
import { fieldOf, textOf } from '../support/json-fields.js';

afterEach(closeBenches);

const DOCUMENT: JsonSchema = openApiDocument(ROUTES);
const ajv = new Ajv({ strict: false, validateFormats: false }).addSchema(DOCUMENT, 'openapi');

const OPERATIONS = Object.entries<unknown>({ ...asObject(DOCUMENT['paths']) }).flatMap(([path, methods]) =>
  Object.keys(asObject(methods)).map((method) => ({ path, method })),
);

function asObject(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}

/** An order of each kind, as device-api would give it. */
const ORDERS = new Map<string, object>([
  [
    '/download',
    {
      version: '1.2.0',
      package_url: 'http://127.0.0.1:1/p.zip',
      package_name: 'p.zip',
      package_size: 7,
      package_md5: 'ab'.repeat(16),
      from_a_newer_device_api: true,
    },
  ],
  ['/update', { version: '1.2.0' }],
  ['/cancel', {}],
  ['/rollback', { to: 'previous' }],
]);

/** What is wrong with a value, by the schema that stands at a place of the document. */
function faultsAt(place: readonly string[], value: unknown): unknown[] {
  const pointer = place.map((name) => name.replaceAll('~', '~0').replaceAll('/', '~1')).join('/');
  const isValid = ajv.getSchema(`openapi#/${encodeURI(pointer)}`);
  if (isValid === undefined) return [`/openapi.json has nothing at ${pointer}`];
  return isValid(value) === true ? [] : (isValid.errors ?? ['?']);
}

const JSON_SCHEMA = ['content', 'application/json', 'schema'];

describe('/openapi.json', () => {
  const orders = OPERATIONS.filter(({ method }) => method === 'post');

  test.each(orders)(
    'tells the truth of an order to $path: what is sent, and what is answered',
    async ({ path }) => {
      const at = ['paths', path, 'post'];
      const body = ORDERS.get(path.replace(BASE_PATH, '')) ?? [];
      expect(faultsAt([...at, 'requestBody', ...JSON_SCHEMA], body)).toEqual([]);
      for (const state of ['idle', 'ready.waiting', 'deploying.staging'] as const) {
        const bench = await openBench(state);
        const answer = bench.call({ path, body });
        const { askGuard } = bench.updater.machine.script;
        if (path.endsWith('/update') && state === 'ready.waiting') {
          await until('the install guard is asked', () => askGuard.isPending);
          await askGuard.answer({ busy: null });
        }
        const { status, json } = await answer;
        expect(status).toBe(200);
        expect(faultsAt([...at, 'responses', '200', ...JSON_SCHEMA], json)).toEqual([]);
      }
      const bench = await openBench();
      for (const bad of [[], ...Object.keys(body).map((field) => ({ ...body, [field]: {} }))]) {
        const isGood = faultsAt([...at, 'requestBody', ...JSON_SCHEMA], bad).length === 0;
        const { json } = await bench.call({ path, body: bad });
        expect([bad, fieldOf(json, 'code') === 400]).toEqual([bad, !isGood]);
        expect(faultsAt([...at, 'responses', '200', ...JSON_SCHEMA], json)).toEqual([]);
      }
    },
  );

  test('names the token for exactly the routes that answer 401 without it', async () => {
    const schemes = Object.entries<unknown>({
      ...asObject(fieldOf(DOCUMENT, 'components', 'securitySchemes')),
    });
    expect(schemes).toEqual([['token', expect.objectContaining({ type: 'http', scheme: 'bearer' })]]);
    const bench = await openBench('idle', [], { token: 'a-token-of-16-or-more' });
    for (const { path, method } of OPERATIONS) {
      // A stream of events has no end to wait for.
      if (path.endsWith('/events')) continue;
      const { status, headers, json } = await bench.call({
        path,
        method: method.toUpperCase(),
        ...(method === 'post' ? { body: {} } : {}),
      });
      const at = ['paths', path, method];
      const security = fieldOf(DOCUMENT, ...at, 'security');
      expect([path, security]).toEqual([path, status === 401 ? [{}, { token: [] }] : undefined]);
      if (status !== 401) continue;
      expect(faultsAt([...at, 'responses', '401', ...JSON_SCHEMA], json)).toEqual([]);
      expect(headers['www-authenticate']).toBe(
        textOf(DOCUMENT, ...at, 'responses', '401', 'headers', 'WWW-Authenticate', 'schema', 'const'),
      );
    }
  });
});
