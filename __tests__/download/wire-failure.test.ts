import { expect, test } from '@jest/globals';
import { wireFailure } from '../../services/download/wire-failure.js';

const now = { bootId: 'b', uptimeMs: 0, wallMs: Date.UTC(2026, 11, 24), wallIsPlausible: true };
const reached = { from: 'http://host/package.zip', bytes: 0, size: 10, isAnswered: false };

function failing(code: string, also: object = {}): Error {
  return Object.assign(new Error(`${code} http://user:s3cr3t@host/package.zip?s3cr3t`), { code, ...also });
}

test.each(['EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN', 'EAI_AGAIN', 'ENOTFOUND'])(
  '%s means that there is no network',
  (code) => {
    const error = wireFailure(failing('GOT', { cause: failing(code) }), reached, now);
    expect(error).toMatchObject({ code: 'DOWNLOAD_FAILED', facts: { retry: 'network' } });
    expect(error.message).toContain(`(${code})`);
  },
);

test.each(['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EPROTO', 'HPE_INVALID_HEADER_TOKEN'])(
  '%s means that somebody is there',
  (code) => {
    expect(wireFailure(failing(code), reached, now).facts.retry).toBe('retry');
  },
);

test('a host of which one address answers and the other has no route is there', () => {
  const both = failing('ECONNREFUSED', { errors: [failing('ENETUNREACH'), failing('ECONNREFUSED')] });
  const error = wireFailure(failing('GOT', { cause: both }), reached, now);
  expect(error.facts.retry).toBe('retry');
  expect(error.message).toBe(
    'http://host/package.zip: network unreachable (ENETUNREACH), connection refused (ECONNREFUSED)',
  );
});

test('a host without a route to any of its addresses is away', () => {
  const both = failing('ENETUNREACH', { errors: [failing('ENETUNREACH'), failing('EHOSTUNREACH')] });
  expect(wireFailure(both, reached, now).facts.retry).toBe('network');
});

test('a network that goes away behind the first byte is counted like any other cut, since bytes came', () => {
  const error = wireFailure(failing('EHOSTUNREACH'), { ...reached, bytes: 5, isAnswered: true }, now);
  expect(error.line).toBe(
    'INCOMPLETE_DOWNLOAD: http://host/package.zip ended at 5 of 10 bytes: host unreachable (EHOSTUNREACH)',
  );
  expect(error.facts.retry).toBe('retry');
});

test('neither the words nor the cause of the original error are handed on', () => {
  const error = wireFailure(failing('GOT', { cause: failing('EPIPE') }), reached, now);
  expect(error.message).not.toContain('s3cr3t');
  expect(error.cause).toBeUndefined();
});

test('what has no code is told by its name', () => {
  expect(wireFailure(new TypeError('s3cr3t'), reached, now).message).toBe(
    'http://host/package.zip: TypeError',
  );
});
