import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { freePorts } from '../../scripts/demo/free-ports.js';
import type { BuiltPackage } from '../support/build-package.js';
import { Device } from '../support/device.js';
import { until } from '../support/until.js';
import { TMUX, describeIf } from '../support/requirements.js';
import { endingOf, runNode, startNode } from '../support/run-node.js';
import { Terminal } from '../support/terminal.js';
import { accepted } from '../support/updater-caller.js';

const COMMAND = 'scripts/tope-updater.js';
const PATH = fileURLToPath(new URL(`../../${COMMAND}`, import.meta.url));
const SIZE = 4_000_000;

function packageOf(device: Device): BuiltPackage {
  const app = { name: 'app', dst: device.path('app/app'), brings: { bytes: Buffer.alloc(SIZE, 7) } };
  return device.build({ version: '1.2.0', modules: [app] });
}

/** Brings a package to half, and tells how to go on from there. */
async function fetchHalf(device: Device, built: BuiltPackage): Promise<() => void> {
  const { release } = device.server.holdAfter(built.size / 2);
  accepted(await device.download(built));
  await until('half of the package', async () => (await device.progress()).progress >= 50);
  return release;
}

describeIf(TMUX, 'watch on a terminal', () => {
  test('says that the service is down, waits for it, and draws a bar for each stage, at 80 and at 40 columns', async () => {
    const [port = 0] = await freePorts(1);
    const environment = { TOPE_PORT: String(port), TOPE_SETTLE_MS: '0' };
    const device = await Device.make({ environment });
    const argv = [process.execPath, PATH, 'watch'];
    const wide = await Terminal.open(80, argv, device.environment);
    const narrow = await Terminal.open(40, argv, device.environment);
    for (const terminal of [wide, narrow])
      await terminal.shows(
        /no updater answers at\s+http:\S+:\s+connect\s+ECONNREFUSED[\s\S]+waiting\s+for it/,
      );

    await device.start();
    await wide.shows(/idle +No update in progress/);
    await narrow.shows(/idle +No update in progress/);
    const release = await fetchHalf(device, packageOf(device));
    await wide.shows(/^downloading \[#{7}\.{7}\] +5\d % +Downloading package\.\.\. 2\.\d MB \/ 4\.0 MB$/m);
    await narrow.shows(/^downloading \[#{9,10}\.{9,10}\] +5\d %$/m);
    release();
    await device.reaches('toInstall');
    accepted(await device.update('1.2.0'));
    const lines = [await wide.shows(/^success/m), await narrow.shows(/^success/m)];
    for (const screen of lines) {
      const stages = screen
        .map((line) => /^(\w+) {2,}|^(\w+) \[/.exec(line))
        .map((match) => match?.[1] ?? match?.[2]);
      expect(stages.filter((stage) => stage !== undefined)).toEqual([
        ...['idle', 'downloading', 'verifying', 'toInstall', 'installing', 'rebooting', 'success'],
      ]);
      expect(screen.join('\n')).toMatch(/^downloading \[#+\] 100 %/m);
      expect(screen.join('\n')).toMatch(/^rebooting {3}\[#+\] 100 %/m);
      // What the owner should know of is told whole, however narrow.
      expect(screen.join(' ')).toMatch(/services were not +started \(no service +manager\)/);
    }

    await device.updater.end('SIGKILL');
    await wide.shows(/the updater has gone away; waiting for it/);
    await device.start();
    await wide.shows(/waiting for it[^]*^success +Update finished; services were not started/m);
    await wide.press('C-c');
    await wide.shows(/\[ended with 0\]/);
  }, 60_000);

  test('shows why an update failed, word by word, however narrow', async () => {
    const device = await Device.on();
    const built = packageOf(device);
    const terminal = await Terminal.open(
      40,
      [process.execPath, PATH, 'watch', '--until-end', '--updater', device.url],
      device.environment,
    );
    await terminal.shows(/idle/);
    accepted(await device.download(built, { package_md5: 'ab'.repeat(16) }));
    const lines = await terminal.shows(/\[ended with 1\]/);
    expect(lines.join('\n')).toMatch(/^failed +Update failed\nMD5_MISMATCH: /m);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(40);
  }, 60_000);
});

describe('watch in a pipe', () => {
  test('prints a line for each stage and each tenth, through a restart of the service, and ends with the update', async () => {
    const [port = 0] = await freePorts(1);
    const device = await Device.make({ environment: { TOPE_PORT: String(port), TOPE_SETTLE_MS: '0' } });
    const watch = startNode(COMMAND, ['watch', '--until-end'], device.environment);
    const ended = endingOf(watch);
    let printed = '';
    watch.stdout?.on('data', (words: Buffer) => (printed += words.toString()));
    const prints = (words: RegExp) => until(String(words), () => words.test(printed));
    await prints(/no updater answers/);
    await device.start();
    await prints(/idle 0 %/);
    const release = await fetchHalf(device, packageOf(device));
    await prints(/downloading [45]\d %/);
    await device.restart('SIGKILL');
    release();
    await prints(/waiting for it\n.*\n(?:.*\n)*.*waiting for it\n/);
    await device.reaches('toInstall');
    accepted(await device.update('1.2.0'));
    const { exitCode, stdout, stderr } = await ended;
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const lines = stdout.trim().split('\n');
    for (const line of lines) expect(line).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z \S[^\u0000-\u001f]*$/);
    const words = lines.map((line) => line.slice(25)).join('\n');
    expect(words).toMatch(/^no updater answers at .+ECONNREFUSED.+; waiting for it$/m);
    expect(words).toMatch(/^downloading [45]\d %: Downloading package\.\.\. [12]\.\d MB \/ 4\.0 MB$/m);
    expect(words).toMatch(/^the updater has gone away; waiting for it$/m);
    expect(words).toMatch(/success 100 %: Update finished(?:;.*)?$/);
  }, 60_000);

  test('prints each step as JSON for programs, and ends with 1 where the update has failed', async () => {
    const device = await Device.on();
    accepted(await device.download(packageOf(device), { package_md5: 'ab'.repeat(16) }));
    const { exitCode, stdout } = await runNode(
      COMMAND,
      ['watch', '--until-end', '--json', '--updater', device.url],
      device.environment,
    );
    expect(exitCode).toBe(1);
    const last: unknown = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
    expect(last).toEqual({
      stage: 'failed',
      progress: expect.any(Number),
      message: 'Update failed',
      error: expect.stringContaining('MD5_MISMATCH'),
    });
  });
});
