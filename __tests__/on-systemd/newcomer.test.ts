import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { atEndOf } from '../support/life.js';
import { CHECKOUT, releaseArchive } from '../support/release-archive.js';
import { SYSTEMD_LAB, testIf } from '../support/requirements.js';
import { SystemdLab, type Outcome } from '../support/systemd-lab.js';

/** Both are checked elsewhere: the demo by demo/, the tests by being run. */
const TWO_COMMANDS = 'npm run demo';

/** In the clone: what npm makes is there already, and the device is a folder. */
const IN_CLONE = `set -eu
npm() { node -e 'process.exit(process.argv[1] in require(process.argv[2]).scripts ? 0 : 1)' "$2" ./package.json; }
scp() { while [ $# -gt 1 ]; do cp "$1" "$DEVICE"; shift; done; [ "$1" = root@printer: ]; }
`;

/** On the device: a package server, and curl that ends the stream of events and lets an order end before the next one. */
const ON_DEVICE = `set -eu
cd /root/newcomer
curl() {
  code=0; answer=$(command curl --max-time 2 "$@") || code=$?
  [ "$code" = 0 ] || { [ "$code" = 28 ] && [ "$2" = "$API/events" ]; } || return "$code"
  printf '%s\\n' "$answer"
  for try in $(seq 100); do
    case $(tope-updater status) in success*|failed*|idle*|toInstall*) return 0 ;; esac
    sleep 0.1
  done
  return 1
}
`;

const SERVER = `require('http').createServer((request, response) => {
  const path = '/root/newcomer' + request.url.split('?')[0];
  response.setHeader('content-length', require('fs').statSync(path).size);
  require('fs').createReadStream(path).pipe(response);
}).listen(8000);`;

async function runInClone(folder: string, device: string, script: string): Promise<Outcome> {
  const child = spawn('sh', ['-c', IN_CLONE + script], {
    cwd: folder,
    env: { ...process.env, DEVICE: device },
  });
  const words: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => words.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => words.push(chunk));
  await once(child, 'close');
  return { code: child.exitCode, stdout: Buffer.concat(words).toString(), stderr: '' };
}

/** What README holds a place for: the package server's name, and the size and digest of the package. */
function filledIn(script: string, packed: string): string {
  const sizeOf = /"package_size": (\d+)/.exec(packed)?.[1] ?? '';
  const digestOf = /"package_md5": "(\w+)"/.exec(packed)?.[1] ?? '';
  return script
    .replace('https://host/', 'http://127.0.0.1:8000/')
    .replace('1048576', sizeOf)
    .replace('0123456789abcdef0123456789abcdef', digestOf);
}

testIf(
  SYSTEMD_LAB,
  'who follows the README alone installs, packs, updates, goes back, signs and removes, and no command fails',
  async () => {
    const clone = await mkdtemp(join(tmpdir(), 'tope-newcomer-'));
    atEndOf('test', () => rm(clone, { recursive: true, force: true }));
    for (const name of ['dist', 'node_modules', 'package.json'])
      await symlink(join(CHECKOUT, name), join(clone, name));
    await mkdir(join(clone, 'release'));
    const { path } = await releaseArchive();
    await copyFile(path, join(clone, 'release', path.split('/').at(-1) ?? ''));
    const lab = await SystemdLab.boot();
    atEndOf('test', () => lab.clean());
    const home = `${lab.root}/root/newcomer`;
    await lab.sh('rm -rf /opt/tope /etc/tope-updater /root/newcomer; mkdir /root/newcomer');
    await lab.write('/root/newcomer/url', 'http://127.0.0.1:8000/tope-1.2.3.zip?sig=secret\n');
    // The updates are watched for half a second each, not for five.
    const configuration = { workDir: '/var/lib/tope-updater', settleMs: 500 };
    await lab.write('/etc/tope-updater/config.json', JSON.stringify(configuration));
    await lab.write('/root/server.js', SERVER);
    await lab.sh('systemd-run --quiet --unit=package-server "$(command -v node)" /root/server.js');

    const readme = await readFile(join(CHECKOUT, 'README.md'), 'utf8');
    const blocks = [...readme.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, script = '']) => script);
    let answers = '';
    const seen: string[] = [];
    for (const script of blocks.filter((block) => !block.startsWith(TWO_COMMANDS))) {
      const isOnDevice = script.startsWith('# on the device');
      expect(isOnDevice || script.startsWith('# in the clone') ? '' : script).toBe('');
      const packed = await readFile(join(clone, 'packed.json'), 'utf8').catch(() => '');
      const outcome = isOnDevice
        ? await lab.exec(['sh', '-c', ON_DEVICE + filledIn(script, packed)])
        : await runInClone(clone, home, script);
      expect({ script, failed: outcome.code === 0 ? null : outcome }).toEqual({ script, failed: null });
      answers += outcome.stdout;
      const program = await readFile(`${lab.root}/opt/tope/voice-app/voice-app`, 'utf8').catch(() => '');
      const version = /# ([\d.]+)/.exec(program)?.[1] ?? 'none';
      if (version !== seen.at(-1)) seen.push(version);
    }
    expect(seen).toEqual(['none', '1.2.3', '1.2.4', '1.2.5']);
    expect(answers).toContain('back to 1.2.3 (previous)');
    expect(answers.match(/"code":200/g)).toHaveLength(7);
    expect(answers).not.toMatch(/"code":(?!200)/);
    expect(await readdir(home)).toContain('support.tar.gz');
    expect(await lab.sh('systemctl is-active voice-app')).toBe('active');
    expect(await lab.sh('ls -A /opt/tope')).toBe('.tope-updater\nvoice-app');
    expect(await lab.sh('ls /etc/systemd/system /usr/local/bin | grep tope || echo none')).toBe('none');
  },
  120_000,
);
