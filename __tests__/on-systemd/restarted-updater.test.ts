import { beforeAll, expect, test } from '@jest/globals';
import { until } from '../support/until.js';
import { describeIf, SYSTEMD_LAB } from '../support/requirements.js';
import { VoiceDevice } from '../support/voice-device.js';

let on: VoiceDevice;

/** The updater's process, once it is another one and has told that it is ready. */
async function isAnother(than: string): Promise<void> {
  const look = async () => {
    const state = await on.device.property('tope-updater', 'MainPID --property=ActiveState');
    return !state.includes(than) && state.endsWith('active') && !state.includes('activating');
  };
  await until('another updater is ready', look, 30_000, 200);
}

const pid = () => on.device.property('tope-updater', 'MainPID');

describeIf(SYSTEMD_LAB, 'an updater in the middle of an update that', () => {
  beforeAll(async () => {
    on = await VoiceDevice.make({ watchdogS: 2 });
  }, 180_000);

  test.each<[string, string, RegExp | null]>([
    ['starting services', 'unit.start after', null],
    ['switching', 'switch.rename after', /^DEPLOYMENT_FAILED: /],
  ])('hangs while %s is killed by its watchdog, and the update ends right', async (_, step, error) => {
    const before = (await on.voice()).file;
    await on.holdAt(step);
    const hanging = await pid();
    await isAnother(hanging);
    const log = await on.device.lab.sh('journalctl --sync; journalctl --no-pager -u tope-updater _PID=1');
    expect(log).toContain('Watchdog timeout');
    const end = await on.device.ends();
    if (error === null) expect(end).toBeNull();
    else expect(end).toMatch(error);
    const version = error === null ? on.newest : before;
    expect(await on.voice()).toEqual({ file: version, unit: version, process: version });
  });

  test('is killed with SIGKILL while it stops services goes on by itself', async () => {
    await on.holdAt('unit.stop after');
    await on.device.lab.sh('systemctl kill --signal=KILL tope-updater');
    expect(await on.device.ends()).toBeNull();
    expect(await on.voice()).toEqual({ file: on.newest, unit: on.newest, process: on.newest });
  });

  test('is killed by its memory limit goes on by itself', async () => {
    await on.holdAt('unit.start after');
    const before = await pid();
    // Of the unit's processes the kernel takes the updater, although another one eats the memory.
    await on.device.lab.sh(`echo 1000 >/proc/${before}/oom_score_adj
      group=$(systemctl show --value --property=ControlGroup tope-updater)
      for at in /sys/fs/cgroup/memory /sys/fs/cgroup; do if [ -e $at$group/cgroup.procs ]; then break; fi; done
      (echo $$ >$at$group/cgroup.procs; exec dd if=/dev/zero of=/dev/null bs=400M count=1) 2>/dev/null || true`);
    await isAnother(before);
    const log = await on.device.lab.sh(
      'journalctl --sync; journalctl --no-pager -u tope-updater _PID=1 -n 20',
    );
    expect(log).toMatch(/oom-kill|status=9\/KILL/);
    expect(await on.device.ends()).toBeNull();
    expect(await on.voice()).toEqual({ file: on.newest, unit: on.newest, process: on.newest });
  });

  test('leaves its screen running when it is killed [D-97]', async () => {
    expect(await on.device.property('tope-ota-gui', 'ActiveState')).toBe('active');
  });

  test('is restarted by systemctl while the services settle ends in success', async () => {
    await on.device.order(on.next());
    await on.device.isIn('restarting.settling');
    await on.device.lab.sh('systemctl restart tope-updater');
    expect(await on.device.ends()).toBeNull();
    expect(await on.voice()).toMatchObject({ process: on.newest });
  });

  test.each([
    ['stopping services', 'unit.stop after'],
    ['switching', 'switch.rename after'],
  ])('is stopped by systemctl while %s leaves no service down [M-64]', async (_, step) => {
    const before = (await on.voice()).file;
    await on.holdAt(step);
    await on.device.lab.sh('systemctl stop tope-updater');
    expect(await on.device.property('tope-updater', 'Result')).toBe('success');
    const voice = await on.voice();
    expect(voice).toEqual({ file: voice.file, unit: voice.file, process: voice.file });
    expect([before, on.newest]).toContain(voice.file);
    await on.device.lab.sh('systemctl start tope-updater');
    await on.device.ends();
    const after = await on.voice();
    expect(after).toEqual({ file: after.file, unit: after.file, process: after.file });
  });

  test('has a configuration that is bad is not started again and again', async () => {
    await on.device.configure({ keep: -1 });
    await on.device.lab.exec(['systemctl', 'restart', 'tope-updater']);
    await until(
      'it has given up',
      async () => (await on.device.property('tope-updater', 'ActiveState')) === 'failed',
    );
    expect(await on.device.property('tope-updater', 'ExecMainStatus')).toBe('78');
    await on.device.configure({});
    await on.device.lab.sh('systemctl start tope-updater');
  });
});
