import { beforeAll, expect, test } from '@jest/globals';
import { UNITS } from '../support/installed-device.js';
import { fieldOf } from '../support/json-fields.js';
import { describeIf, SYSTEMD_LAB } from '../support/requirements.js';
import { VoiceDevice } from '../support/voice-device.js';

let on: VoiceDevice;

/** The monotonic time at which systemd said something of a unit in this boot, in µs; null where it did not. */
async function saidAt(unit: string, words: string): Promise<number | null> {
  const script = `journalctl --sync; journalctl --no-pager -b --output=json UNIT=${unit} _PID=1`;
  const lines = (await on.device.lab.sh(script)).split('\n').filter((line) => line !== '');
  const entries = lines.map((line): unknown => JSON.parse(line));
  const entry = entries.find((one) => String(fieldOf(one, 'MESSAGE')).startsWith(words));
  return entry === undefined ? null : Number(fieldOf(entry, '__MONOTONIC_TIMESTAMP'));
}

/** Cuts the power where the updater is held, and boots again. */
async function cutAt(step: string): Promise<{ before: string }> {
  const before = (await on.voice()).file;
  await on.holdAt(step);
  await on.device.lab.kill();
  await on.device.lab.boot();
  return { before };
}

describeIf(SYSTEMD_LAB, 'a power cut', () => {
  beforeAll(async () => {
    on = await VoiceDevice.make({ watchdogS: 60 });
  }, 180_000);

  test.each([
    ['staging', 'staging.write before'],
    ['stopping', 'unit.stop after'],
    ['starting', 'unit.start before'],
  ])('while %s: the update goes on after the boot, and ends in success [M-45]', async (_, step) => {
    await cutAt(step);
    expect(await on.device.ends()).toBeNull();
    const { newest } = on;
    expect(await on.voice()).toEqual({ file: newest, unit: newest, process: newest });
  });

  test('while settling: the new version is started, watched and committed [M-34]', async () => {
    const { device } = on;
    await device.configure({ settleMs: 2000 });
    await device.lab.sh('systemctl restart tope-updater');
    await device.order(on.next());
    await device.isIn('restarting.settling');
    await device.lab.kill();
    await device.lab.boot();
    expect(await device.ends()).toBeNull();
    expect(await on.voice()).toEqual({ file: on.newest, unit: on.newest, process: on.newest });
    await device.configure({});
    await device.lab.sh('systemctl restart tope-updater');
  });

  test('while switching: recover undoes it before any service starts, and each runs what it was [M-52]', async () => {
    const { before } = await cutAt('switch.rename after');
    expect(await on.device.ends()).toMatch(/^DEPLOYMENT_FAILED: interrupted while switching/);
    expect(await on.voice()).toEqual({ file: before, unit: before, process: before });
    const recovered = await saidAt('tope-updater-recover.service', 'Finished ');
    const started = await saidAt('voice.service', 'Started ');
    expect(recovered).not.toBeNull();
    expect(Number(recovered)).toBeLessThan(Number(started));
  });

  test('after which recover fails does not stop the boot, and the updater undoes what was cut [M-57]', async () => {
    const { lab } = on.device;
    const folder = `${UNITS}/tope-updater-recover.service.d`;
    await lab.write(`${folder}/fail.conf`, '[Service]\nExecStart=\nExecStart=/bin/false\n');
    const { before } = await cutAt('switch.rename after');
    expect(await on.device.property('tope-updater-recover', 'Result')).toBe('exit-code');
    expect(await on.device.ends()).toMatch(/^DEPLOYMENT_FAILED: /);
    expect(await on.voice()).toEqual({ file: before, unit: before, process: before });
    await lab.sh(`rm -r ${folder}; systemctl daemon-reload`);
  });

  test('with no update going on needs no recover [M-52]', async () => {
    await on.device.lab.kill();
    await on.device.lab.boot();
    expect(await on.device.property('tope-updater-recover', 'ConditionResult')).toBe('no');
    expect(await on.device.progress()).toMatchObject({ stage: 'failed' });
  });
});
