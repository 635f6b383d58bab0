import fc, { type Arbitrary } from 'fast-check';
import { placesOf } from '../../http/route.js';
import { ROUTES } from '../../http/routes.js';
import { ORDER } from '../support/machine-states.js';

/** A part of a request, and whether an order may have it. */
interface Part<Value> {
  value: Value;
  isGood: boolean;
}

export interface HostileRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  /** Each byte one character. */
  body: string | null;
  /** Whether it is an order that the machine may heed. */
  mayOrder: boolean;
}

function part<Value>(good: readonly Value[], bad: Arbitrary<Value>): Arbitrary<Part<Value>> {
  return fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...good).map((value) => ({ value, isGood: true })) },
    { weight: 1, arbitrary: bad.map((value) => ({ value, isGood: false })) },
  );
}

const ORDERS = ROUTES.filter(({ method }) => method === 'POST').flatMap(placesOf);
const QUESTIONS = ROUTES.filter(({ method }) => method === 'GET').flatMap(placesOf);

const download = {
  version: ORDER.version,
  package_url: 'http://127.0.0.1:1/x',
  package_name: ORDER.name,
  package_size: ORDER.size,
  package_md5: ORDER.md5,
};

/** Stands in the query of an order's URL, and in no answer. */
export const QUERY_SECRET = 'q5SecretOfTheQuery';
const odd = { ...download, package_url: `http://127.0.0.1:1/it's "an" <odd> file?sig=${QUERY_SECRET}` };

/** Anything that can stand in a header's value or a path: printable ASCII. */
const word = fc.string({ unit: 'grapheme-ascii', maxLength: 30 }).map((text) => text.trim());
const pathWord = fc
  .oneof(
    fc.webPath(),
    fc.string({ maxLength: 20 }).map(encodeURIComponent),
    fc.constantFrom('..', '%00', '%', ';'),
  )
  .map((text) => (text.startsWith('/') ? text : `/${text}`));

const path = part(
  ORDERS,
  fc.oneof(
    fc.constantFrom(...QUESTIONS),
    fc.tuple(fc.constantFrom(...ORDERS, ...QUESTIONS, ''), pathWord).map(([route, more]) => route + more),
  ),
);
const method = part(
  ['POST'],
  fc.constantFrom('GET', 'GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE'),
);
const host = part(
  ['localhost', '127.0.0.1:1', '[::1]'],
  fc.oneof(word, fc.constantFrom('evil.example', 'localhost.evil.example', '')).filter(isForeign),
);
const origin = part([null], fc.oneof(word, fc.constantFrom('null', 'http://evil.example', 'file://')));
const site = part([null, 'same-origin', 'none'], fc.constantFrom('cross-site', 'same-site', 'x'));
const type = part(
  ['application/json', 'application/json; charset=utf-8'],
  fc.oneof(word, fc.constant('text/plain')).filter((text) => text !== ''),
);
const body = part<Buffer>(
  [
    ...[
      download,
      odd,
      { version: ORDER.version },
      { to: 'previous' },
      { ...download, __proto__: 1, more: [] },
    ],
  ].map((json) => Buffer.from(JSON.stringify(json))),
  fc
    .oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc
        .jsonValue()
        .filter((value) => typeof value !== 'object' || value === null || Array.isArray(value))
        .map((value) => Buffer.from(JSON.stringify(value))),
      fc
        .constantFrom('{', '{"a":', '[]', '"x"', '['.repeat(5000), 'x'.repeat(66_000))
        .map((text) => Buffer.from(text)),
    )
    .filter((bytes) => !isObject(bytes)),
);
const more = fc.dictionary(
  fc.constantFrom(
    'X-Forwarded-Host',
    'Cookie',
    'Accept',
    'Last-Event-ID',
    'Range',
    'Content-Encoding',
    'If-None-Match',
    'X-HTTP-Method-Override',
  ),
  word.filter((text) => text !== ''),
  { maxKeys: 2 },
);

/** Requests of which most parts are as they should be, so that they come far. */
export const requests: Arbitrary<HostileRequest> = fc
  .record({ path, method, host, origin, site, type, body, more })
  .map((parts) => {
    const {
      path: { value: path },
      method: { value: method },
    } = parts;
    const headers: Record<string, string> = { ...parts.more, Host: parts.host.value };
    if (parts.origin.value !== null) headers['Origin'] = parts.origin.value;
    if (parts.site.value !== null) headers['Sec-Fetch-Site'] = parts.site.value;
    const hasBody = method !== 'GET' && method !== 'HEAD' && method !== 'TRACE';
    if (hasBody) headers['Content-Type'] = parts.type.value;
    const judged = { ...parts, more: { isGood: true } };
    const mayOrder = Object.values(judged).every(({ isGood }) => isGood);
    return { method, path, headers, body: hasBody ? parts.body.value.toString('latin1') : null, mayOrder };
  });

function isForeign(authority: string): boolean {
  return !/^(localhost|127\.0\.0\.1|\[::1\])(:\d*)?$/i.test(authority);
}

function isObject(bytes: Buffer): boolean {
  try {
    const value: unknown = JSON.parse(bytes.toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    // No JSON at all.
    return bytes.length === 0;
  }
}
