import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, jest, test } from '@jest/globals';
import { askInstallGuard } from '../../services/programs/install-guard.js';
import { closedOrigin, serve } from '../support/small-server.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const manager = 'none';

function answering(body: string, status = 200): Promise<string> {
  return serve((_, response) => response.writeHead(status, { 'content-type': 'application/json' }).end(body));
}

function moonraker(state: unknown): string {
  return JSON.stringify({ result: { eventtime: 1.5, status: { print_stats: { state } } } });
}

async function program(...lines: string[]): Promise<string> {
  const path = join(await temporaryFolder(), 'guard');
  await writeFile(path, ['#!/bin/sh', ...lines, ''].join('\n'));
  await chmod(path, 0o755);
  return path;
}

describe('a guard that is a URL', () => {
  test.each([
    ['{ "busy": false }', null],
    ['{ "busy": false, "reason": "never mind" }', null],
    ['{ "busy": true, "reason": "printing a boat\\nsecond line" }', 'printing a boat'],
    ['{ "busy": true }', 'the device is busy'],
    ['{ "busy": "no" }', 'the install guard gave no clear answer: neither busy nor print_stats.state'],
    ['{}', 'the install guard gave no clear answer: neither busy nor print_stats.state'],
    ['null', 'the install guard gave no clear answer: neither busy nor print_stats.state'],
    ['free', 'the install guard gave no clear answer: not JSON'],
    ['', 'the install guard gave no clear answer: not JSON'],
  ])('that answers %s [D-95]', async (body, words) => {
    expect(await askInstallGuard(await answering(body), { manager })).toBe(words);
  });

  test.each([
    ['standby', null],
    ['complete', null],
    ['cancelled', null],
    ['error', null],
    ['printing', 'the printer is printing'],
    ['paused', 'the printer is paused'],
    ['dancing', 'the printer is dancing'],
    [7, 'the install guard gave no clear answer: neither busy nor print_stats.state'],
  ])("takes Moonraker's %s", async (state, words) => {
    expect(await askInstallGuard(await answering(moonraker(state)), { manager })).toBe(words);
  });

  test.each([404, 500, 302])('is busy by status %i, whatever it says [D-95]', async (status) => {
    const origin = await answering('{ "busy": false }', status);
    expect(await askInstallGuard(origin, { manager })).toBe(
      `the install guard gave no clear answer: status ${status}`,
    );
  });

  test('is busy while nobody answers, and does not keep the asker waiting [D-95]', async () => {
    const away = await askInstallGuard(await closedOrigin(), { manager });
    expect(away).toMatch(/^the install guard gave no answer: connect ECONNREFUSED/);
    const silent = await serve(() => undefined);
    expect(await askInstallGuard(silent, { manager, timeoutMs: 100 })).toBe(
      'the install guard gave no answer: no answer within 100 ms',
    );
    const halfway = await serve((_, response) => response.write('{ "busy": '));
    expect(await askInstallGuard(halfway, { manager, timeoutMs: 100 })).toMatch(
      /^the install guard gave no answer/,
    );
    expect(await askInstallGuard('http://[', { manager })).toMatch(/^the install guard gave no answer/);
  });

  test('has 3 s [D-95]', async () => {
    let isAsked: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => (isAsked = resolve));
    const silent = await serve(() => isAsked());
    jest.useFakeTimers({
      doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance', 'hrtime'],
    });
    try {
      let isOver = false;
      const words = askInstallGuard(silent, { manager }).finally(() => (isOver = true));
      await asked;
      jest.advanceTimersByTime(2999);
      await new Promise((resolve) => setImmediate(resolve));
      expect(isOver).toBe(false);
      jest.advanceTimersByTime(1);
      expect(await words).toBe('the install guard gave no answer: no answer within 3000 ms');
    } finally {
      jest.useRealTimers();
    }
  });

  test('is not read without end', async () => {
    const endless = await serve((_, response) => {
      const more = () => {
        if (response.write('x'.repeat(65_536))) setImmediate(more);
        else response.once('drain', more);
      };
      more();
    });
    expect(await askInstallGuard(endless, { manager })).toBe(
      'the install guard gave no clear answer: not JSON',
    );
  });
});

describe('a guard that is an executable', () => {
  test('is free by exit 0, and busy by exit 1 with the first line that it prints', async () => {
    expect(await askInstallGuard(await program('echo printing', 'exit 0'), { manager })).toBeNull();
    const busy = await program('echo note >&2', 'echo printing a boat', 'echo more', 'exit 1');
    expect(await askInstallGuard(busy, { manager })).toBe('printing a boat');
    expect(await askInstallGuard(await program('exit 1'), { manager })).toBe('the device is busy');
  });

  test('is busy by anything else [D-95]', async () => {
    expect(await askInstallGuard(await program('exit 2'), { manager })).toBe(
      'the install guard gave no clear answer: exited 2',
    );
    expect(await askInstallGuard(await program('kill -SEGV $$'), { manager })).toMatch(/was ended by SEGV$/);
    expect(await askInstallGuard(await program('sleep 1000'), { manager, timeoutMs: 200 })).toBe(
      'the install guard gave no clear answer: did not end in time',
    );
    expect(await askInstallGuard('/no/such/guard', { manager })).toMatch(/no clear answer: exited 127/);
  });

  test('says no more than a line can hold', async () => {
    const words = await askInstallGuard(await program('head -c 9000 /dev/zero | tr "\\\\0" x', 'exit 1'), {
      manager,
    });
    expect(words).toHaveLength(200);
  });
});

test('without a guard the device is free', async () => {
  expect(await askInstallGuard('', { manager })).toBeNull();
});
