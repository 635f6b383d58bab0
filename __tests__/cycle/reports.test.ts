import { describe, expect, test } from '@jest/globals';
import type { BuiltPackage } from '../support/build-package.js';
import { Device } from '../support/device.js';
import { fieldOf, numberOf } from '../support/json-fields.js';
import { accepted } from '../support/updater-caller.js';

const WAY_TO_SUCCESS = ['downloading', 'verifying', 'toInstall', 'installing', 'rebooting', 'success'];

function packageOf(device: Device, version: string, bytes = 100_000): BuiltPackage {
  const content = Buffer.alloc(bytes, version);
  return device.build({
    version,
    modules: [{ name: 'app', dst: device.path('app/app'), brings: { bytes: content } }],
  });
}

/** How far a download was told to be, but for its beginning. */
function stepsOf(device: Device): number[] {
  return device.api.heard
    .filter(({ stage }) => stage === 'downloading')
    .map(({ body }) => numberOf(body, 'progress'))
    .filter((percent) => percent > 0);
}

describe('device-api', () => {
  test('is told every stage in order, with the four fields and nothing else [W-48, W-58]', async () => {
    const device = await Device.on();
    await device.install(packageOf(device, '1.0.0'));
    await device.api.hearsStage('success');
    expect(device.api.stages).toEqual(WAY_TO_SUCCESS);
    for (const { path, body } of device.api.heard) {
      expect(path).toBe('/api/v1.0/ota/report');
      expect(body).toEqual({
        stage: expect.any(String),
        progress: expect.any(Number),
        message: expect.stringMatching(/\S/),
        error: null,
      });
      expect(Number.isInteger(numberOf(body, 'progress'))).toBe(true);
    }
  });

  test('is told each step of 5 % of a throttled download once [W-49]', async () => {
    const device = await Device.on();
    const built = packageOf(device, '1.0.0', 5_000_000);
    device.server.pace = async (bytesSent) => {
      const percent = 5 * Math.floor((20 * bytesSent) / built.size);
      if (percent === 0) return;
      await device.api.hears(`${percent} %`, ({ body }) => numberOf(body, 'progress') >= percent);
    };
    await device.fetch(built);
    await device.api.hearsStage('toInstall');
    const steps = stepsOf(device).map((percent) => Math.floor(percent / 5));
    // The last one may be overtaken by the next stage.
    expect(steps.filter((step) => step < 20)).toEqual(Array.from({ length: 19 }, (_, at) => at + 1));
    expect(steps.filter((step) => step === 20).length).toBeLessThanOrEqual(1);
  });

  test('is told all stages where it was away at first and came back in the middle [W-62]', async () => {
    const device = await Device.make();
    await device.api.goAway();
    await device.start();
    const built = packageOf(device, '1.0.0');
    await device.fetch(built);
    await device.api.comeBack();
    accepted(await device.update('1.0.0'));
    await device.api.hearsStage('success');
    expect(device.api.stages).toEqual(WAY_TO_SUCCESS);
  });

  test('is told the end of an update that it was replaced by, after a restart of the updater too [W-65]', async () => {
    const device = await Device.make();
    await device.api.goAway();
    await device.start();
    await device.install(packageOf(device, '1.0.0'));
    expect((await device.updater.end('SIGTERM')).exitCode).toBe(0);
    await device.api.comeBack();
    await device.start();
    await device.api.hearsStage('success');
    expect(device.api.stages).toEqual(WAY_TO_SUCCESS);
    expect(device.api.heard.filter(({ stage }) => stage === 'success')).toHaveLength(1);
  });

  test('is told of a failure once, with the error that /progress shows [W-57, W-59]', async () => {
    const device = await Device.on();
    accepted(await device.download(packageOf(device, '1.0.0'), { package_md5: '0'.repeat(32) }));
    const { body } = await device.api.hearsStage('failed');
    const { stage, progress, message, error } = await device.progress();
    expect(body).toEqual({ stage, progress, message, error });
    expect(String(fieldOf(body, 'error'))).toMatch(/^MD5_MISMATCH: /);
    await device.hasToldAll();
    expect(device.api.stages).toEqual(['downloading', 'verifying', 'failed']);
  });

  test.each(['success', 'failed'])(
    'is not told %s again by an updater that was killed after it had been acknowledged [W-68]',
    async (stage) => {
      const device = await Device.on();
      const built = packageOf(device, '1.0.0');
      if (stage === 'success') await device.install(built);
      else accepted(await device.download(built, { package_md5: '0'.repeat(32) }));
      await device.api.hearsStage(stage);
      await device.hasToldAll();
      const heardBefore = device.api.heard.length;
      await device.restart('SIGKILL');
      expect((await device.progress()).stage).toBe(stage);
      // Reports come in order: what follows shows that nothing came before it.
      await device.fetch(packageOf(device, '2.0.0'));
      await device.api.hearsStage('toInstall', { from: heardBefore });
      const since = device.api.heard.slice(heardBefore).map((report) => report.stage);
      expect(since.filter((told, at) => told !== since[at - 1])).toEqual(WAY_TO_SUCCESS.slice(0, 3));
    },
  );
});
