import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { startOtaGui } from '../../services/programs/ota-gui.js';
import { findFileUsers } from '../../services/service-control/file-users.js';
import { RecordingLog } from '../support/recording-log.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { until } from '../support/until.js';

async function gui(...lines: string[]): Promise<string> {
  const path = join(await temporaryFolder(), 'ota-gui');
  await writeFile(path, ['#!/bin/sh', ...lines, ''].join('\n'));
  await chmod(path, 0o755);
  return path;
}

describe('the screen', () => {
  test('is started, not waited for, and never twice [D-97]', async () => {
    const path = await gui('while :; do sleep 0.05; done');
    const log = new RecordingLog();
    await startOtaGui(path, 'none', log);
    const [user] = await until('it runs', async () => {
      const users = await findFileUsers([path]);
      return users.length > 0 ? users : null;
    });
    await startOtaGui(path, 'none', log);
    expect(log.lines).toEqual([
      `info screen started path=${path}`,
      `warn screen not started path=${path} why=it is running already (pid ${String(user?.process.pid)})`,
    ]);
    if (user !== undefined) process.kill(user.process.pid, 'SIGKILL');
    await until('its end is told', () => log.lines.some((line) => line.startsWith('info screen ended')));
  });

  test('is a line in the log where it crashes, cannot be run or is not there [D-98]', async () => {
    const log = new RecordingLog();
    await startOtaGui(await gui('exit 9'), 'none', log);
    await until('its end is told', () => log.lines.some((line) => line.includes('code=9')));
    const text = await gui();
    await writeFile(text, 'neither a script nor a program');
    await startOtaGui(join(text, '..'), 'none', log);
    expect(log.lines.at(-1)).toMatch(/^warn screen not started .* why=spawn .* EACCES$/);
    await startOtaGui('/no/such/gui', 'none', log);
    expect(log.lines.at(-1)).toMatch(/^info no screen to start path=\/no\/such\/gui why=ENOENT/);
  });
});
