import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { notifySystemd } from '../../services/service-control/sd-notify.js';
import { startWatchdog } from '../../services/service-control/watchdog.js';
import { until } from '../support/until.js';
import { RecordingLog } from '../support/recording-log.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const log = new RecordingLog();
const before = { ...process.env };
let folder = '';

/** What a systemd-notify that writes down its arguments was told, a line for each call. */
const told = async () => (await readFile(join(folder, 'told'), 'utf8').catch(() => '')).trimEnd();

/** Puts a program in the place of systemd-notify. */
async function putNotify(script: string): Promise<void> {
  await writeFile(join(folder, 'systemd-notify'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

beforeEach(async () => {
  folder = await temporaryFolder();
  await putNotify(`IFS='|'; echo "$*" >>${folder}/told`);
  Object.assign(process.env, { PATH: `${folder}:${before['PATH'] ?? ''}`, NOTIFY_SOCKET: '/run/nobody' });
  log.lines.length = 0;
});

afterEach(() => {
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID'])
    Reflect.deleteProperty(process.env, name);
  process.env['PATH'] = before['PATH'];
});

test('systemd is told variables, each on one line', async () => {
  await notifySystemd(['READY=1', 'STATUS=idle 0 %:\nMAINPID=1'], log);
  expect(await told()).toBe('READY=1|STATUS=idle 0 %: MAINPID=1');
});

test('nobody is told anything where nobody listens', async () => {
  Reflect.deleteProperty(process.env, 'NOTIFY_SOCKET');
  await notifySystemd(['READY=1'], log);
  expect({ told: await told(), log: log.lines }).toEqual({ told: '', log: [] });
});

test('what could not be told is a line in the log', async () => {
  await putNotify('echo no such socket >&2; exit 1');
  await notifySystemd(['READY=1'], log);
  expect(log.lines).toEqual(['warn systemd was not told variables=READY=1 why=no such socket']);
});

test('signs of life are given while the machine is well, and only then', async () => {
  Object.assign(process.env, { WATCHDOG_USEC: '60000', WATCHDOG_PID: String(process.pid) });
  let isWell = true;
  const stop = startWatchdog({ log, isWell: () => isWell, status: () => 'idle 0 %: Ready' });
  await until('two signs', async () => (await told()).split('\n').length >= 2);
  expect((await told()).split('\n')[0]).toBe('WATCHDOG=1|STATUS=idle 0 %: Ready');
  isWell = false;
  let asked = 0;
  const stopCounting = startWatchdog({ log, isWell: () => ++asked < 0, status: () => '' });
  await until('the second watchdog has asked', () => asked >= 4);
  const signs = await told();
  const from = asked;
  await until('time has passed', () => asked >= from + 4);
  stop();
  stopCounting();
  expect(await told()).toBe(signs);
});

test('no watchdog is started for another process, or without a time', () => {
  Object.assign(process.env, { WATCHDOG_USEC: '1000', WATCHDOG_PID: '1' });
  const isWell = () => {
    throw new Error('asked');
  };
  startWatchdog({ log, isWell, status: () => '' })();
  Object.assign(process.env, { WATCHDOG_USEC: 'soon', WATCHDOG_PID: String(process.pid) });
  startWatchdog({ log, isWell, status: () => '' })();
});
