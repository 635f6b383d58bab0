import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from '@jest/globals';
import { Device } from '../support/device.js';
import { until } from '../support/until.js';
import { atEndOf } from '../support/life.js';
import { accepted } from '../support/updater-caller.js';

const NOT_STARTED = 'services were not started (no service manager)';

/** Where a service of the device's writes what it saw. */
interface Notes {
  ready: string;
  seen: string;
}

/**
 * Starts a real service from the managed root, a shell script, and waits until it runs. On SIGTERM it notes what its
 * own file holds at that moment, runs `onTerm` and ends.
 */
async function startService(
  device: Device,
  onTerm = 'exit 0',
): Promise<{ service: ChildProcess; notes: Notes }> {
  const notes = { ready: join(device.folder, 'ready'), seen: join(device.folder, 'seen') };
  const script = device.put(
    'voice/voice-app',
    `#!/bin/sh\ntrap 'cat "$0" >> ${notes.seen}; ${onTerm}' TERM\ntouch ${notes.ready}\nwhile :; do sleep 0.05; done\n`,
    0o755,
  );
  const service = spawn(script, { stdio: 'ignore' });
  atEndOf('test', async () => {
    if (service.exitCode !== null || service.signalCode !== null) return;
    service.kill('SIGKILL');
    await once(service, 'exit');
  });
  await until('the service runs', () => existsSync(notes.ready));
  return { service, notes };
}

function update(device: Device) {
  return device.build({
    version: '2.0.0',
    modules: [
      {
        name: 'voice-app',
        dst: device.path('voice/voice-app'),
        brings: { bytes: '#!/bin/sh\necho new\n', mode: 0o755 },
        also: { process_name: 'voice-app', restart_order: 1 },
      },
    ],
  });
}

describe('where there is no service manager', () => {
  test('a module’s process gets SIGTERM and is gone before its file is replaced', async () => {
    const device = await Device.on();
    const { service, notes } = await startService(device);
    const ended = once(service, 'exit');
    await device.install(update(device));
    expect(await ended).toEqual([0, null]);
    expect(readFileSync(notes.seen, 'utf8')).toMatch(/^#!\/bin\/sh\ntrap/);
    expect(device.read('voice/voice-app')).toBe('#!/bin/sh\necho new\n');
    await device.logs(/ unit stopped unit=voice-app\.service way=SIGTERM /);
  });

  test('a process of the same name outside the managed root is left alone [D-92]', async () => {
    const device = await Device.on();
    const outside = join(device.folder, 'voice-app');
    writeFileSync(outside, '#!/bin/sh\necho up\nwhile :; do sleep 0.05; done\n', { mode: 0o755 });
    const other = spawn(outside, { stdio: ['ignore', 'pipe', 'ignore'] });
    const said = text(other.stdout);
    await once(other.stdout, 'readable');
    device.put('voice/voice-app', 'old', 0o755);
    await device.install(update(device));
    expect(other.exitCode ?? other.signalCode).toBe(null);
    other.kill('SIGKILL');
    expect(await said).toBe('up\n');
  });

  test('the last words of an update say that services were not started [D-93]', async () => {
    const device = await Device.on();
    await device.install(update(device));
    expect((await device.progress()).message).toContain(NOT_STARTED);
    const { raw } = await device.api.hearsStage('success');
    expect(raw).toContain(NOT_STARTED);
    await device.restart('SIGKILL');
    expect((await device.progress()).message).toContain(NOT_STARTED);
  });

  test('an updater that gets SIGTERM while it waits for a process to end goes on at its next start [M-62]', async () => {
    const device = await Device.on();
    const go = join(device.folder, 'go');
    const { service } = await startService(device, `[ -e ${go} ] && exit 0`);
    const ended = once(service, 'exit');
    await device.fetch(update(device));
    accepted(await device.update('2.0.0'));
    await device.isIn('deploying.stopping');
    const { exitCode, tookMs } = await device.updater.end('SIGTERM');
    expect(exitCode).toBe(0);
    expect(tookMs).toBeLessThan(5000);
    expect(service.exitCode).toBe(null);
    expect(device.read('voice/voice-app')).toContain('trap');
    writeFileSync(go, '');
    await device.start();
    await device.reaches('success');
    expect(await ended).toEqual([0, null]);
    expect(device.read('voice/voice-app')).toBe('#!/bin/sh\necho new\n');
  });

  test('a process that ignores SIGTERM gets SIGKILL after 10 s [D-53]', async () => {
    const device = await Device.on();
    const { service } = await startService(device, ':');
    const ended = once(service, 'exit');
    await device.fetch(update(device));
    const began = performance.now();
    accepted(await device.update('2.0.0'));
    await device.reaches('success', 25_000);
    expect(await ended).toEqual([null, 'SIGKILL']);
    expect(performance.now() - began).toBeGreaterThan(10_000);
    await device.logs(/ unit gets SIGKILL unit=voice-app\.service /);
  }, 40_000);
});
