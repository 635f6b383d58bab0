import { randomBytes } from 'node:crypto';
import { get } from 'node:http';
import { expect, test } from '@jest/globals';
import { Device } from '../support/device.js';
import { numberOf, textOf } from '../support/json-fields.js';

interface Told {
  stage: string;
  progress: number;
  message: string;
}

/** All progress that an updater has told since it was started, from its stream of events. */
function progressOf(device: Device, last: string): Promise<Told[]> {
  // An id that is not given out yet brings all that is kept.
  const headers = { 'Last-Event-ID': '900000000000000' };
  return new Promise((resolve, reject) => {
    const request = get(`${device.url}/api/v1.0/events`, { headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
        if (!text.includes(last)) return;
        request.destroy();
        resolve(
          [...text.matchAll(/event: progress\ndata: (.*)\n/g)].map(([, data = '{}']) => {
            const item: unknown = JSON.parse(data);
            return {
              stage: textOf(item, 'stage'),
              progress: numberOf(item, 'progress'),
              message: textOf(item, 'message'),
            };
          }),
        );
      });
    });
    request.on('error', reject);
  });
}

test('downloading is told by the bytes on disk, verifying by the bytes hashed, and neither falls [W-46, W-49, W-50, W-54]', async () => {
  const device = await Device.on();
  const built = device.build({
    version: '1.0.0',
    modules: [{ name: 'app', dst: device.path('app'), brings: { bytes: randomBytes(6_000_000) } }],
  });
  await device.fetch(built);
  const told = await progressOf(device, '"to":"ready.waiting"');
  for (const stage of ['downloading', 'verifying']) {
    const steps = told.filter((one) => one.stage === stage);
    expect(steps.length).toBeGreaterThan(3);
    const percents = steps.map(({ progress }) => progress);
    expect(percents).toEqual(percents.toSorted((a, b) => a - b));
    expect([stage, percents.at(-1)]).toEqual([stage, 100]);
    for (const { progress, message } of steps) {
      const [, megabytes] =
        /^(?:Downloading|Verifying) package\.\.\. (\d\.\d) MB \/ 6\.0 MB$/.exec(message) ?? [];
      // Both are cut or rounded: a tenth of a megabyte is less than two percent.
      expect(Math.abs(progress - (100 * Number(megabytes)) / 6)).toBeLessThan(2);
    }
  }
});
