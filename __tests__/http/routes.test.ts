import { Ajv } from 'ajv';
import type { Express } from 'express';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createApp } from '../../http/app.js';
import { EventStreams } from '../../http/event-streams.js';
import { DOWNLOAD_BODY } from '../../http/orders/order-schemas.js';
import { openApiDocument } from '../../http/reads/openapi.js';
import { placesOf, type JsonSchema } from '../../http/route.js';
import { ROUTES } from '../../http/routes.js';
import { closeBenches, openBench } from '../support/http-bench.js';
import { textOf } from '../support/json-fields.js';
import { startScriptedUpdater } from '../support/scripted-updater.js';

afterEach(closeBenches);

const BASE = '/api/v1.0';
const AT_BASE = [
  '/download',
  '/update',
  '/cancel',
  '/rollback',
  '/progress',
  '/state',
  '/events',
  '/versions',
  '/history',
];
const AT_BOTH = ['/healthz', '/metrics', '/openapi.json', '/visualizer', '/screen'];

function asObject(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}

/** The paths that an app answers at, whoever has put them there. */
function pathsOf(app: Express): string[] {
  const paths = app.router.stack.map((layer) => textOf(layer, 'route', 'path'));
  return [...new Set(paths.filter((path) => path !== ''))];
}

test('no route is served that /openapi.json does not describe [W-4]', () => {
  const updater = startScriptedUpdater();
  const parts = {
    updater: updater.port,
    streams: new EventStreams(),
    routes: ROUTES,
    allowedHosts: [],
    token: null,
    packageHosts: [],
    allowsPageOrders: false,
    onInternalError: () => undefined,
  };
  const served = pathsOf(createApp(parts));
  expect(served).toContain(`${BASE}/download`);
  expect(served.sort()).toEqual(Object.keys({ ...asObject(openApiDocument(ROUTES)['paths']) }).sort());
  updater.machine.stop();
});

describe('the table of routes', () => {
  test('has every route of the contract where it belongs [W-3]', () => {
    const places = ROUTES.flatMap(placesOf).filter((place) => !place.startsWith('/pages/'));
    expect(places.sort()).toEqual(
      [...AT_BASE.map((path) => BASE + path), ...AT_BOTH.flatMap((path) => [path, BASE + path]), '/'].sort(),
    );
  });

  test('is wholly described by /openapi.json, with the schemas that bodies are checked by [W-4]', async () => {
    const bench = await openBench();
    const { json } = await bench.call({ path: '/openapi.json' });
    expect(json).toEqual(JSON.parse(JSON.stringify(openApiDocument(ROUTES))));
    for (const route of ROUTES) {
      for (const place of placesOf(route)) {
        expect(json).toHaveProperty(['paths', place, route.method.toLowerCase(), 'summary'], route.does);
      }
    }
    const schema = [
      'paths',
      `${BASE}/download`,
      'post',
      'requestBody',
      'content',
      'application/json',
      'schema',
    ];
    expect(json).toHaveProperty(schema, DOWNLOAD_BODY);
  });

  const reads = ROUTES.filter(({ method, path }) => method === 'GET' && path !== '/events');

  test.each(reads)('$path answers what it is described to answer, at each of its places', async (route) => {
    const bench = await openBench('downloading.backingOff');
    for (const path of placesOf(route)) {
      const { status, headers, json } = await bench.call({ path });
      expect(status).toBe(200);
      const { answers } = route;
      if ('mediaType' in answers) expect(headers['content-type']).toContain(answers.mediaType);
      else
        expect(faultsOf('data' in answers ? envelopeOf(answers.data) : answers.document, json)).toEqual([]);
      const head = await bench.call({ method: 'HEAD', path });
      expect([head.status, head.text]).toEqual([200, '']);
    }
  });
});

function envelopeOf(data: JsonSchema): JsonSchema {
  return { type: 'object', required: ['code', 'msg', 'data'], properties: { data } };
}

function faultsOf(schema: JsonSchema, json: unknown): unknown[] {
  const isValid = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(schema);
  return isValid(json) ? [] : (isValid.errors ?? ['?']);
}

describe('GET /versions', () => {
  test('tells current, previous and factory as versions, and all releases [W-75]', async () => {
    const bench = await openBench();
    const bad = { since: '2027-01-03T00:00:00Z', why: 'HEALTH_CHECK_FAILED: voice-app exited 1' };
    const release = { id: null, version: '1.2.0', installedAt: null, bytes: null, bad };
    bench.updater.store = { ...bench.updater.store, previous: null, releases: [release] };
    expect(await bench.get('/versions')).toEqual({
      code: 200,
      msg: 'success',
      data: { current: '1.1.0', previous: null, factory: '0.0.0', releases: [release] },
    });
  });

  test('answers 500 in the envelope when the store cannot be read [W-6]', async () => {
    const bench = await openBench();
    bench.updater.storeReads.fail(new Error('EIO: i/o error'));
    expect(await bench.call({ path: `${BASE}/versions` })).toMatchObject({
      status: 200,
      json: { code: 500, msg: 'INTERNAL_ERROR: EIO: i/o error' },
    });
  });
});

test('GET /history tells each order’s story', async () => {
  const bench = await openBench();
  bench.updater.history = [{ version: '1.1.0', outcome: 'success' }];
  expect(await bench.get('/history')).toMatchObject({
    data: { history: [{ version: '1.1.0', outcome: 'success' }] },
  });
});

test('GET /healthz answers 503 with what is wrong [W-83]', async () => {
  const bench = await openBench();
  const checks = { stateFolder: 'EROFS: read-only file system', disk: 'ok', clock: 'not set' };
  bench.updater.health = { ok: false, checks };
  for (const path of ['/healthz', `${BASE}/healthz`]) {
    const { status, json } = await bench.call({ path });
    expect(status).toBe(503);
    expect(json).toEqual({
      code: 503,
      msg: 'INTERNAL_ERROR: the updater is unwell: stateFolder: EROFS: read-only file system; clock: not set',
      data: { ok: false, checks },
    });
  }
});

test('GET /metrics gives the port’s Prometheus text as it is', async () => {
  const bench = await openBench();
  const { text, headers } = await bench.call({ path: '/metrics' });
  expect(text).toBe('tope_updates_total{outcome="success"} 3\n');
  expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
});
