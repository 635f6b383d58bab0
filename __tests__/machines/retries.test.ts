import { describe, expect, test } from '@jest/globals';
import { at, ORDER, restart, restored, type DrivenMachine } from '../support/machine-driver.js';
import { machineIn } from '../support/driven-states.js';

const RETRY = { retry: 'retry' } as const;
const NETWORK = { retry: 'network' } as const;

/** Fails one request and lets the wait after it pass; tells the wait, or null where there is none. */
async function cut(machine: DrivenMachine, facts: { bytesArrived?: number; retryAfterMs?: number } = {}) {
  await machine.fail('transfer', 'DOWNLOAD_FAILED', { ...RETRY, ...facts }, 'reset');
  if (machine.state === 'failed') return null;
  expect(machine.state).toBe('downloading.backingOff');
  const { input } = machine.call('backOff');
  await machine.finish('backOff');
  return input;
}

describe('a download', () => {
  test('makes one try and three retries, after 1 s, 2 s and 4 s, then fails [M-6, M-7]', async () => {
    const machine = await machineIn('downloading.transferring');
    expect(await cut(machine)).toEqual({ delayMs: 1000 });
    expect(await cut(machine)).toEqual({ delayMs: 2000 });
    expect(await cut(machine)).toEqual({ delayMs: 4000 });
    expect(await cut(machine)).toBeNull();
    expect(machine.context.failure).toEqual({ code: 'DOWNLOAD_FAILED', message: 'reset', progress: 0 });
    expect(machine.context.kept).toBe('partial');
  });

  test('counts anew whenever bytes arrived [M-6]', async () => {
    const machine = await machineIn('downloading.transferring');
    for (let round = 0; round < 5; round++) {
      expect(await cut(machine)).toEqual({ delayMs: 1000 });
      expect(await cut(machine)).toEqual({ delayMs: 2000 });
      expect(await cut(machine)).toEqual({ delayMs: 4000 });
      expect(await cut(machine, { bytesArrived: 1 })).toEqual({ delayMs: 1000 });
    }
    for (let retry = 0; retry < 3; retry++) await cut(machine);
    expect(await cut(machine)).toBeNull();
  });

  test('counts anew also where the bytes came before the network went', async () => {
    const machine = await machineIn('downloading.transferring');
    for (let retry = 0; retry < 3; retry++) await cut(machine);
    await machine.fail('transfer', 'DOWNLOAD_FAILED', { ...NETWORK, bytesArrived: 1 });
    await machine.finish('awaitNetwork');
    expect(await cut(machine)).toEqual({ delayMs: 1000 });
  });

  test('does not count requests that met no network, however many [M-8]', async () => {
    const machine = await machineIn('downloading.transferring');
    for (let loss = 0; loss < 20; loss++) {
      await machine.fail('transfer', 'DOWNLOAD_FAILED', NETWORK);
      await machine.finish('awaitNetwork');
    }
    expect(await cut(machine)).toEqual({ delayMs: 1000 });
  });

  test('counts the minutes without network from the first loss, and anew once a byte came', async () => {
    const machine = await machineIn('downloading.waitingForNetwork');
    expect(machine.call('awaitNetwork').input).toEqual({ since: null });
    await machine.finish('awaitNetwork', { since: at(10) });
    await machine.fail('transfer', 'DOWNLOAD_FAILED', NETWORK);
    expect(machine.call('awaitNetwork').input).toEqual({ since: at(10) });
    await machine.finish('awaitNetwork', { since: at(10) });
    await machine.fail('transfer', 'DOWNLOAD_FAILED', { ...NETWORK, bytesArrived: 1 });
    expect(machine.call('awaitNetwork').input).toEqual({ since: null });
  });

  test('fails when there was no network for too long, and keeps the partial [M-8]', async () => {
    const machine = await machineIn('downloading.waitingForNetwork');
    await machine.fail('awaitNetwork', 'DOWNLOAD_FAILED', {}, 'no network for 10 min');
    expect(machine.state).toBe('failed');
    expect(machine.context).toMatchObject({ kept: 'partial', failure: { message: 'no network for 10 min' } });
  });

  test('waits as long as the server asks, but not for hours', async () => {
    const machine = await machineIn('downloading.transferring');
    expect(await cut(machine, { retryAfterMs: 30_000 })).toEqual({ delayMs: 30_000 });
    expect(await cut(machine, { retryAfterMs: 5 })).toEqual({ delayMs: 2000 });
    expect(await cut(machine, { retryAfterMs: 86_400_000 })).toEqual({ delayMs: 60_000 });
  });

  test.each([RETRY, NETWORK])('never fetches twice the package, nor goes on for ever (%j)', async (facts) => {
    const machine = await machineIn('downloading.transferring');
    let requests = 0;
    for (; machine.state !== 'failed' && requests < 100; requests++) {
      await machine.fail('transfer', 'DOWNLOAD_FAILED', { ...facts, bytesArrived: ORDER.size / 4 });
      await (facts === RETRY ? machine.settleWait('backOff') : machine.settleWait('awaitNetwork'));
    }
    expect(requests).toBe(8);
  });

  test('ends after 2000 requests although each brought a byte', async () => {
    const machine = await machineIn('downloading.transferring');
    let requests = 0;
    for (; machine.state !== 'failed' && requests < 3000; requests++) {
      await machine.fail('transfer', 'DOWNLOAD_FAILED', { ...RETRY, bytesArrived: 0.5 });
      await machine.settleWait('backOff');
    }
    expect(requests).toBe(2000);
  });
});

test('all requests and all bytes of an order are counted, those of the one that ends well too', async () => {
  const machine = await machineIn('downloading.transferring');
  await machine.fail('transfer', 'DOWNLOAD_FAILED', { ...RETRY, bytesArrived: 300 });
  await machine.settleWait('backOff');
  await machine.finish('transfer', { resumed: true, bytesArrived: 700 });
  expect(machine.context.attempts).toMatchObject({ total: 2, bytes: 1000 });
  const again = await machineIn('downloading.transferring');
  await again.finish('transfer', { resumed: true });
  expect(again.context.attempts).toMatchObject({ total: 0, bytes: 0 });
});

describe('a wrong digest', () => {
  test('after a resumed download makes it start over once from byte 0, and then fails [M-10]', async () => {
    const machine = await machineIn('downloading.transferring');
    await machine.finish('transfer', { resumed: true });
    await machine.fail('hashPackage', 'MD5_MISMATCH');
    expect(machine.state).toBe('downloading.transferring');
    await machine.finish('transfer', { resumed: true });
    await machine.fail('hashPackage', 'MD5_MISMATCH');
    expect(machine.state).toBe('failed');
    expect(machine.reports.map(({ stage }) => stage)).toEqual([
      'downloading',
      'verifying',
      'downloading',
      'verifying',
      'failed',
    ]);
  });

  test('leaves room for one whole package, whatever the requests before have wasted', async () => {
    const machine = await machineIn('downloading.transferring');
    await cut(machine, { bytesArrived: ORDER.size * 0.9 });
    await cut(machine, { bytesArrived: ORDER.size * 0.9 });
    await machine.finish('transfer', { resumed: true });
    await machine.fail('hashPackage', 'MD5_MISMATCH');
    expect(machine.context.attempts).toMatchObject({ bytes: ORDER.size, total: 2, startedOver: true });
    expect(await cut(machine, { bytesArrived: ORDER.size * 0.9 })).toEqual({ delayMs: 1000 });
  });

  test('of bytes that came in one piece fails at once [M-10]', async () => {
    const machine = await machineIn('verifying.hashing');
    await machine.fail('hashPackage', 'MD5_MISMATCH');
    expect(machine.state).toBe('failed');
    expect(machine.call('tidy').input).toMatchObject({ kept: 'nothing', identity: { md5: ORDER.md5 } });
  });

  test('does not make the updater forget over a restart that it started over', async () => {
    const machine = await machineIn('downloading.transferring');
    await machine.finish('transfer', { resumed: true });
    await machine.fail('hashPackage', 'MD5_MISMATCH');
    const again = restart(machine.saved(), restored());
    await again.finish('transfer', { resumed: true });
    await again.fail('hashPackage', 'MD5_MISMATCH');
    expect(again.state).toBe('failed');
  });
});

describe('what a package inflates to', () => {
  test('is known to a second order of it, and to no order of another one', async () => {
    const machine = await machineIn('ready.waiting');
    const { facts } = machine.context;
    expect(facts?.inflatedBytes).toBeGreaterThan(0);
    await machine.finish('watchTrust', { at: at(25 * 60 * 60 * 1000) });
    expect(machine.context.failure?.code).toBe('PACKAGE_EXPIRED');
    machine.send({ type: 'DOWNLOAD', order: ORDER });
    expect(machine.state).toBe('downloading.transferring');
    expect(machine.context.facts).toEqual(facts);
    machine.send({ type: 'CANCEL' });
    machine.send({ type: 'DOWNLOAD', order: { ...ORDER, md5: 'e'.repeat(32) } });
    expect(machine.context.facts).toBeNull();
  });
});
