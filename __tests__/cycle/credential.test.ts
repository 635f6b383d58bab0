import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Device } from '../support/device.js';
import { leaksOf } from '../support/leaks.js';
import { URL_SECRET } from '../support/package-server.js';
import { accepted } from '../support/updater-caller.js';

/** A device that logs all it can, and a package for it. */
async function talkativeDevice() {
  const device = await Device.on({ environment: { TOPE_LOG_LEVEL: 'debug' } });
  const built = device.build({
    version: '1.0.0',
    modules: [{ name: 'app', dst: device.path('app'), brings: { bytes: 'app' } }],
  });
  return { device, built };
}

describe('the credential in a package’s URL shows nowhere but in the saved state, which is root’s alone [W-90]', () => {
  test('after an update', async () => {
    const { device, built } = await talkativeDevice();
    await device.install(built);
    expect(JSON.stringify(await device.get('/state'))).toContain(`/${built.name}`);
    expect(await leaksOf(device)).toEqual([]);
    const saved = join(device.workDir, 'tmp', 'state.json');
    expect(readFileSync(saved, 'utf8')).toContain(URL_SECRET);
    expect(statSync(saved).mode & 0o777).toBe(0o600);
  });

  test('after a download that failed', async () => {
    const { device, built } = await talkativeDevice();
    accepted(await device.download(built, { package_size: built.size + 1 }));
    await device.api.hearsStage('failed');
    expect((await device.progress()).error).toContain(`/${built.name}`);
    expect(await leaksOf(device)).toEqual([]);
  });

  test('after a download by a URL with blanks, quotes and angle brackets in it', async () => {
    const { device, built } = await talkativeDevice();
    const { origin, search } = new URL(device.server.urlOf(built));
    const url = `${origin}/it's "no" <file> here.zip${search}`;
    accepted(await device.download(built, { package_url: url }));
    await device.isIn('downloading.backingOff');
    expect(JSON.stringify(await device.get('/state'))).toContain(
      '/it%27s%20%22no%22%20%3Cfile%3E%20here.zip',
    );
    expect(await leaksOf(device)).toEqual([]);
  });

  test('while the network is away', async () => {
    const { device, built } = await talkativeDevice();
    const url = device.server.urlOf(built);
    await device.server.close();
    accepted(await device.download(built, { package_url: url }));
    await device.isIn('downloading.backingOff');
    expect(await leaksOf(device)).toEqual([]);
  });

  test('after orders that were refused', async () => {
    const { device, built } = await talkativeDevice();
    const url = device.server.urlOf(built);
    const misplaced = { package_url: 'ftp://' + url, package_name: url, package_md5: url, version: url };
    const answer = await device.download(built, misplaced);
    expect(answer).toMatchObject({ code: 400, msg: expect.stringMatching(/^VALIDATION_ERROR: /) });
    expect(JSON.stringify(answer)).not.toContain(URL_SECRET);
    expect(await leaksOf(device)).toEqual([]);
  });
});
