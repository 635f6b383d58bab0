import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { DrivenLab, service } from '../support/driven-lab.js';
import { describeIf, SYSTEMD_LAB } from '../support/requirements.js';

let driven: DrivenLab;

describeIf(SYSTEMD_LAB, 'stopping under a real systemd', () => {
  beforeAll(async () => {
    driven = await DrivenLab.boot();
  }, 60_000);

  afterAll(() => driven.close());

  test('stops a simple unit with SIGTERM, as the one named step', async () => {
    await driven.install({ 'simple.service': service('ExecStart=/bin/sleep 1000') });
    await driven.lab.sh('systemctl start simple');
    expect(await driven.drive('stop', 'simple.service')).toMatchObject({
      value: [{ unit: 'simple.service', way: 'SIGTERM' }],
      steps: ['unit.stop'],
    });
    expect(await driven.activeStates('simple')).toBe('inactive');
  });

  test('finds a unit idle that is not running, and asks nothing of it', async () => {
    expect(await driven.drive('stop', 'simple.service')).toMatchObject({
      value: [{ way: 'idle' }],
      steps: [],
    });
  });

  test('kills the whole cgroup of a unit that ignores SIGTERM, and of one whose child does [D-53]', async () => {
    await driven.install({
      'stubborn.service': service(`ExecStart=/bin/sh -c 'trap "" TERM; while :; do sleep 1; done'`),
      'parent.service': service(
        `ExecStart=/bin/sh -c '(trap "" TERM; while :; do sleep 1; done) & exec sleep 1000'`,
      ),
    });
    await driven.lab.sh('systemctl start stubborn parent; sleep 0.2');
    const stopped = await driven.drive('stop', 'stubborn.service', 'parent.service');
    expect(stopped).toMatchObject({
      value: [{ way: 'SIGKILL' }, { way: 'SIGKILL' }],
      steps: ['unit.stop', 'unit.kill', 'unit.stop', 'unit.kill'],
    });
    expect(await driven.activeStates('stubborn', 'parent')).toBe('failed inactive');
    expect((await driven.lab.exec(['pgrep', '-f', 'trap "" TERM'])).stdout).toBe('');
  });

  test('tells SIGKILL also where systemd was less patient', async () => {
    await driven.install({
      'impatient.service': service(
        'TimeoutStopSec=300ms',
        `ExecStart=/bin/sh -c 'trap "" TERM; while :; do sleep 1; done'`,
      ),
    });
    await driven.lab.sh('systemctl start impatient; sleep 0.2');
    expect(await driven.drive('stop', 'impatient.service')).toMatchObject({
      value: [{ way: 'SIGKILL' }],
      steps: ['unit.stop'],
    });
  });

  test('kills what a unit leaves behind when it is down already', async () => {
    await driven.install({
      'leaver.service': service('KillMode=process', `ExecStart=/bin/sh -c 'sleep 4321 & exec sleep 1000'`),
    });
    await driven.lab.sh('systemctl start leaver; sleep 0.2');
    expect(await driven.drive('stop', 'leaver.service')).toMatchObject({
      value: [{ way: 'SIGKILL' }],
      steps: ['unit.stop', 'unit.kill'],
    });
    expect((await driven.lab.exec(['pgrep', '-f', 'sleep 4321'])).stdout).toBe('');
  });

  test('refuses, before any is stopped, every unit that is missing, masked, unreadable or unstoppable [D-88, D-89]', async () => {
    await driven.install({
      'guarded.service': ['[Unit]', 'RefuseManualStop=yes', ...service('ExecStart=/bin/sleep 1000')],
      'broken.service': service('Type=simple'),
    });
    await driven.lab.sh('systemctl mask masked.service; systemctl start guarded simple');
    const units = ['missing', 'masked', 'broken', 'guarded', 'simple', 'brought-along', 'tope-updater'];
    const refused = await driven.drive('refuse', ...units.map((unit) => `${unit}.service`));
    expect(refused).toMatchObject({ code: 'SERVICE_STOP_FAILED', steps: [] });
    expect(refused).toHaveProperty(
      'message',
      'units that cannot be stopped and started: missing.service: there is no such unit; ' +
        'masked.service: it is masked; broken.service: its unit file cannot be read; ' +
        "guarded.service: it refuses to be stopped (RefuseManualStop); tope-updater.service: it is the updater's own",
    );
    expect(await driven.drive('refuse', 'simple.service', 'brought-along.service')).toMatchObject({
      value: null,
    });
  });

  test('tells a refused stop as SERVICE_STOP_FAILED', async () => {
    expect(await driven.drive('ask', 'guarded.service')).toMatchObject({
      code: 'SERVICE_STOP_FAILED',
      message: expect.stringContaining('guarded.service'),
    });
  });
});
