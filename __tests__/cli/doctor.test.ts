import { execFile } from 'node:child_process';
import { appendFile, chmod, chown, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { Device } from '../support/device.js';
import { closedOrigin, serve } from '../support/small-server.js';
import { URL_SECRET } from '../support/package-server.js';
import { ROOT, testIf } from '../support/requirements.js';
import { runNode, type Ending } from '../support/run-node.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { accepted } from '../support/updater-caller.js';

function doctor(device: Device, url: string, ...args: string[]): Promise<Ending> {
  return runNode('scripts/tope-updater.js', ['doctor', '--updater', url, ...args], device.environment);
}

describe('the doctor', () => {
  test('says one line of each thing, with the service down, and what to do about each fault', async () => {
    const keysDir = join((await Device.make()).folder, 'keys');
    await mkdir(keysDir);
    await chmod(keysDir, 0o777);
    const device = await Device.make({ environment: { TOPE_SIGNATURE: 'required', TOPE_KEYS_DIR: keysDir } });
    const tmp = join(device.workDir, 'tmp');
    await mkdir(tmp, { recursive: true });
    await writeFile(join(tmp, 'state.json'), 'no state', { mode: 0o644 });
    await chmod(device.root, 0o777);
    const { exitCode, stdout, stderr } = await doctor(device, await closedOrigin());
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '' });
    const lines = stdout.trim().split('\n');
    for (const line of lines) expect(line).toMatch(/^(ok {4}|note {2}|FAULT )[a-z ]{11}\S/);
    const faults = lines.filter((line) => line.startsWith('FAULT'));
    for (const words of [
      /port +no updater answers at .+ECONNREFUSED.+ → systemctl start tope-updater/,
      /folder +\S+\/opt has mode 0777 → chmod 0755 \S+\/opt$/,
      /keys +signatures are required, 0 keys in \S+, 0 revoked → put the \.pub file/,
      /keys +\S+ has mode 0777 → chmod 0755 \S+$/,
      /state +\S+\/state\.json cannot be used: it is not JSON: 8 characters → restart the updater/,
      /state +\S+\/state\.json has mode 0644 and may hold a credential → chmod 0600 \S+$/,
    ])
      expect(faults.filter((line) => words.test(line))).toHaveLength(1);
    expect(faults).toHaveLength(6);
    for (const about of ['room', 'units', 'journal', 'last order']) expect(stdout).toContain(` ${about} `);
  });

  testIf(ROOT, 'names what belongs to somebody else, and a configuration that others can write', async () => {
    const device = await Device.make();
    await chown(device.root, 1000, 1000);
    await chmod(join(device.folder, 'config.json'), 0o666);
    const { stdout } = await doctor(device, await closedOrigin());
    for (const words of [
      /^FAULT folder +\S+\/opt belongs to user 1000 → chown root \S+\/opt$/m,
      /^FAULT owner +\S+\/config\.json has mode 0666 → chmod go-w \S+$/m,
    ])
      expect(stdout).toMatch(words);
  });

  test('finds nothing wrong with a device that works, and tells how its last order ended', async () => {
    const device = await Device.on();
    const built = device.build({
      version: '1.2.0',
      modules: [{ name: 'app', dst: device.path('app'), brings: { bytes: 'app' } }],
    });
    accepted(await device.download(built, { package_md5: 'ab'.repeat(16) }));
    await expect(device.reaches('toInstall')).rejects.toThrow('MD5_MISMATCH');
    const { exitCode, stdout } = await doctor(device, device.url, '--json');
    const findings: unknown = JSON.parse(stdout);
    expect(exitCode).toBe(0);
    expect(findings).toContainEqual({
      about: 'last order',
      verdict: 'note',
      words: expect.stringMatching(/download to 1\.2\.0: MD5_MISMATCH: /),
      remedy: expect.any(String),
    });
  });

  test.each([
    ['read by others', 0o640, 0, /^FAULT token +\S+ has mode 0640 → chmod 0600 \S+$/m],
    ['of another user', 0o600, 4711, /^FAULT token +\S+ belongs to user 4711 → chown root \S+$/m],
    [
      'without a token',
      0o600,
      0,
      /^FAULT token +\S+ holds no usable token: there is no such token in it → write a new one/m,
    ],
    ['as it should be', 0o600, 0, /^ok {4}token +\S+ has mode 0600 and holds a token$/m],
  ])('says what is wrong with a token file %s, and never what is in it', async (what, mode, uid, line) => {
    const file = join(await temporaryFolder(), 'token');
    const secret = 'correct-horse-battery';
    await writeFile(file, what === 'without a token' ? 'short' : secret, { mode });
    await chown(file, uid, 0);
    const device = await Device.make({ environment: { TOPE_TOKEN_FILE: file } });
    const { stdout, stderr } = await doctor(device, await closedOrigin());
    expect(stderr).toBe('');
    expect(stdout).toMatch(line);
    expect(stdout.split('\n').filter((one) => / token /.test(one.slice(0, 18)))).toHaveLength(1);
    expect(stdout).not.toContain(secret);
  });

  test('says that a token file is not there', async () => {
    const device = await Device.make({ environment: { TOPE_TOKEN_FILE: '/nowhere/token' } });
    const { stdout } = await doctor(device, await closedOrigin());
    expect(stdout).toMatch(/^FAULT token +\/nowhere\/token cannot be read: ENOENT.* → write a new one/m);
    const order = await runNode('scripts/tope-updater.js', ['cancel'], device.environment);
    expect(order).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('the token in /nowhere/token cannot be read: ENOENT'),
    });
  });

  test('tells another program on the port from an updater', async () => {
    const url = await serve((_request, response) => response.end('<html>'));
    const { exitCode, stdout } = await doctor(await Device.make(), url);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^FAULT port +what answers at .+ is no updater: <html> → end the other program/m);
  });
});

describe('a bundle for support', () => {
  test('holds log, history, settings and state, and no credential of any of them', async () => {
    const PROXY_SECRET = 'proxy-pass-word';
    const environment = { HTTP_PROXY: `http://user:${PROXY_SECRET}@127.0.0.1:1`, NO_PROXY: '*' };
    const device = await Device.on({ environment });
    const built = device.build({
      version: '1.2.0',
      modules: [{ name: 'app', dst: device.path('app'), brings: { bytes: 'app' } }],
    });
    await device.fetch(built);
    const state = await readFile(join(device.workDir, 'tmp', 'state.json'), 'utf8');
    expect(state).toContain(URL_SECRET);
    const log = join(device.workDir, 'logs', 'updater.log');
    await appendFile(log, `of another program: https://u:p@host/a.zip?X-Amz-Signature=${URL_SECRET} end\n`);

    const odd = `http://host/it's "an" <odd> file.zip?X-Amz-Signature=${URL_SECRET}`;
    const history = join(device.workDir, 'logs', 'history.jsonl');
    await appendFile(history, `${JSON.stringify({ odd })}\n${JSON.stringify({ odd }).slice(0, -1)}\n`);
    const file = join(device.folder, 'bundle.tar.gz');
    const { exitCode, stderr } = await doctor(device, device.url, '--bundle', file);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 0,
      stderr: `tope-updater: ${file} holds 9 files for support\n`,
    });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await promisify(execFile)('tar', ['-xzf', file, '-C', device.folder]);
    const folder = join(device.folder, 'tope-support');
    const names = (await readdir(folder, { recursive: true })).sort();
    expect(names).toEqual(
      [
        ...['doctor.txt', 'settings.json', 'history.jsonl', 'state.json', 'state.json.bak'],
        ...['live', 'live/state.json', 'live/versions.json', 'live/progress.json'],
        ...['logs', 'logs/updater-part.log'],
      ].sort(),
    );
    let all = '';
    for (const name of names.filter((one) => one.includes('.')))
      all += await readFile(join(folder, name), 'utf8');
    expect(all).toContain('https://host/a.zip');
    expect(all).toContain(built.md5);
    for (const secret of [URL_SECRET, PROXY_SECRET, 'X-Amz']) expect(all).not.toContain(secret);

    const again = await doctor(device, device.url, '--bundle', file);
    expect(again.exitCode).toBe(1);
    expect(again.stderr).toContain('EEXIST');
  });
});
