import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Client } from '../../scripts/calling/client.js';
import { whereItListens } from '../../scripts/calling/where-it-listens.js';
import { Device } from '../support/device.js';
import { runNode } from '../support/run-node.js';
import { serve } from '../support/small-server.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const COMMAND = 'scripts/tope-updater.js';

describe('the token that orders need', () => {
  const ANSWER = '{"code":200,"msg":"success","data":{"status":"idle"}}';

  test('goes with orders alone', async () => {
    const seen: (string | undefined)[] = [];
    const base = await serve((request, response) => {
      seen.push(request.headers.authorization);
      response.end(ANSWER);
    });
    const client = new Client({ base, token: () => Promise.resolve('abcdefgh01234567') });
    await client.order('/cancel', {});
    await client.get('/progress');
    await new Client({ base, token: () => Promise.resolve(null) }).order('/cancel', {});
    expect(seen).toEqual(['Bearer abcdefgh01234567', undefined, undefined]);
  });

  test('is for the configured updater and for loopback, whoever --updater names', async () => {
    const tokenFile = join(await temporaryFolder(), 'token');
    await writeFile(tokenFile, 'abcdefgh01234567\n');
    const configFile = join(await temporaryFolder(), 'config.json');
    const place = { host: '192.0.2.7', port: 12315 };
    await writeFile(configFile, JSON.stringify({ tokenFile, ...place }));
    const own = `http://${place.host}:${place.port}`;
    const urls = [
      undefined,
      own,
      'http://127.0.0.1:9',
      'http://[::1]:9',
      'http://192.0.2.8:12315',
      'http://192.0.2.7:80',
    ];
    process.env['TOPE_CONFIG'] = configFile;
    try {
      const tokens = await Promise.all(urls.map(async (url) => (await whereItListens(url)).token()));
      expect(tokens.map((token) => token !== null)).toEqual([true, true, true, true, false, false]);
    } finally {
      delete process.env['TOPE_CONFIG'];
    }
  });

  test('is not read to ask how things are: other users may, who cannot read it', async () => {
    const device = await Device.on();
    const environment = { ...device.environment, TOPE_TOKEN_FILE: join(device.folder, 'not-there') };
    const ask = (command: string) => runNode(COMMAND, [command, '--updater', device.url], environment);
    expect(await ask('status')).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await ask('cancel')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('cannot be read'),
    });
  });
});
