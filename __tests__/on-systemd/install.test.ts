import { connect, type Socket } from 'node:net';
import { beforeAll, expect, test } from '@jest/globals';
import { InstalledDevice, UNITS } from '../support/installed-device.js';
import { realLibraries } from '../support/real-files.js';
import { describeIf, SYSTEMD_LAB } from '../support/requirements.js';

const PYTHON = [
  ...['[Service]', 'WorkingDirectory=/opt/tope/updater'],
  ...['ExecStart=/bin/sh /opt/tope/updater/main.sh', '[Install]', 'WantedBy=multi-user.target'],
].join('\n');

let device: InstalledDevice;

/** What stands in a folder of the device, by name. */
const names = async (folder: string) => (await device.lab.sh(`ls -A ${folder}`)).split('\n');

describeIf(SYSTEMD_LAB, 'the packed release on a device', () => {
  beforeAll(async () => {
    device = await InstalledDevice.boot();
    await device.lab.sh('mkdir -p /opt/tope/updater/tmp; echo {} >/opt/tope/updater/tmp/state.json');
    await device.lab.write('/opt/tope/updater/main.sh', 'exec sleep 1000\n');
    await device.lab.write(`${UNITS}/tope-updater.service`, `${PYTHON}\n`);
    await device.lab.sh('systemctl daemon-reload; systemctl enable --quiet --now tope-updater');
  }, 180_000);

  test('that is damaged is refused, and what runs goes on', async () => {
    await device.lab.sh('cp /root/release/VERSION /root/VERSION; echo 9.9.9 >/root/release/VERSION');
    const { code, stderr } = await device.install();
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('is damaged') });
    expect(await device.property('tope-updater', 'ActiveState')).toBe('active');
    await device.lab.sh('cp /root/VERSION /root/release/VERSION');
  });

  test('puts the updater back that was there, where its own does not start', async () => {
    await device.configure({ tokenFile: '/nowhere' });
    const { code, stdout, stderr } = await device.install();
    expect(code).toBe(1);
    expect(stdout).toContain('found another updater');
    expect(await device.lab.sh('ls -A /usr/local/bin | grep tope || echo none')).toBe('none');
    expect(await device.lab.sh(`find ${UNITS} -name '*.d'`)).toBe('');
    expect(stderr).toContain('what ran before runs again');
    expect(await device.property('tope-updater', 'ExecStart')).toContain('main.sh');
    expect(await device.property('tope-updater', 'ActiveState')).toBe('active');
    expect(await names('/opt/tope/updater')).toEqual(['main.sh', 'replaced', 'tmp']);
    await device.configure({});
  });

  test('is not installed where others than root could change it', async () => {
    await device.lab.sh('chmod 777 /opt/tope/updater');
    const { code, stderr } = await device.install();
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining('others than root can write here: /opt/tope/updater;'),
    });
    await device.lab.sh('chmod 755 /opt/tope/updater; chown 1000 /opt/tope');
    expect((await device.install()).stderr).toContain('others than root can write here: /opt/tope;');
    await device.lab.sh('chown 0 /opt/tope');
  });

  test('takes over from another updater and keeps what was there [D-11]', async () => {
    await device.lab.sh('chown -R 1000:1000 /root/release; chmod -R g+w /root/release');
    expect(await device.install('--factory', '1.4.0')).toMatchObject({ code: 0 });
    expect(await names('/opt/tope/updater/replaced')).toEqual(['state.json', 'tope-updater.service']);
    expect(await names('/opt/tope/updater')).toEqual(
      expect.arrayContaining(['main.sh', 'program', 'replaced', 'tmp']),
    );
    const ofOthers = "find -H /opt/tope/updater/program '(' ! -user 0 -o -perm /022 ')' ! -type l";
    expect(await device.lab.sh(ofOthers)).toBe('');
    expect(await device.progress()).toMatchObject({ stage: 'idle' });
    expect(await device.versions()).toEqual({ current: '1.4.0', previous: null, factory: '1.4.0' });
    expect(await device.property('tope-updater', 'StatusText')).toMatch(/^idle 0 %/);
    expect(await device.lab.sh('systemctl is-enabled tope-updater tope-updater-recover')).toBe(
      'enabled\nenabled',
    );
  });

  test('has units that systemd finds nothing wrong with, that wait for their mounts and are locked up well [M-56]', async () => {
    const units = ['tope-updater.service', 'tope-updater-recover.service'];
    expect(await device.lab.exec(['systemd-analyze', 'verify', '--man=no', ...units])).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
    const mounts = await device.property('tope-updater-recover', 'RequiresMountsFor');
    expect(mounts.split(' ')).toEqual(expect.arrayContaining(['/opt/tope', '/var/lib/tope-updater']));
    for (const unit of units) {
      const words = await device.lab.sh(`systemd-analyze security --no-pager ${unit} | tail -1`);
      const score = Number(/: ([\d.]+) /.exec(words)?.[1] ?? NaN);
      console.log(`${unit}: systemd-analyze security ${score}`);
      expect(score).toBeLessThanOrEqual(4);
    }
  });

  test('runs under the memory limit of its unit [T-3]', async () => {
    expect(await device.property('tope-updater', 'MemoryMax')).toBe(String(96 * 1024 * 1024));
    expect(Number(await device.property('tope-updater', 'MemoryCurrent'))).toBeLessThan(96 * 1024 * 1024);
  });

  test('does a whole cycle of 30 MB under it without swap, with nothing in the page cache, and is never killed [T-3]', async () => {
    await device.limitMemory('96M', { swap: '0' });
    const pid = await device.property('tope-updater', 'MainPID');
    const brings = new Map(
      realLibraries(30_000_000).map(({ path }, at) => [`${at}`, { from: path, deflated: true }] as const),
    );
    const built = device.build('1.5.0', [{ name: 'large', dst: '/opt/tope/large', brings }]);
    const began = performance.now();
    await device.fetch(built, 60_000);
    await device.post('/update', { version: built.version });
    expect(await device.ends()).toBeNull();
    console.log(`${built.size} bytes under 96 MiB: ${Math.round(performance.now() - began)} ms`);
    expect(await device.property('tope-updater', 'MainPID')).toBe(pid);
    expect(await device.property('tope-updater', 'NRestarts')).toBe('0');
    await device.limitMemory(null);
  });

  test('is not killed by clients that ask and never read', async () => {
    await device.limitMemory('96M', { swap: '0' });
    const pid = await device.property('tope-updater', 'MainPID');
    const sockets: Socket[] = [];
    for (let n = 0; n < 60; n += 1) {
      const socket = connect(device.listensAt, '127.0.0.1');
      socket.on('error', () => undefined).pause();
      socket.write('GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(3000));
      sockets.push(socket);
      await device.progress();
    }
    for (const socket of sockets) socket.destroy();
    expect(await device.property('tope-updater', 'MainPID')).toBe(pid);
    expect(await device.property('tope-updater', 'NRestarts')).toBe('0');
    await device.limitMemory(null);
  });

  test('changes nothing where it is installed already', async () => {
    const pid = await device.property('tope-updater', 'MainPID');
    const { code, stdout } = await device.install();
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('already') });
    expect(await device.property('tope-updater', 'MainPID')).toBe(pid);
  });

  test('upgrades in place, and goes back where the new one does not start', async () => {
    const other = `cd /root/release; echo 0.2.0 >VERSION; echo >>program/package.json
      find . -type f ! -name SHA256SUMS -printf '%P\\n' | sort | xargs sha256sum >SHA256SUMS`;
    await device.lab.sh(other);
    const before = await device.lab.sh('readlink /opt/tope/updater/program');
    await device.lab.sh(
      `cp -a /root/release /root/good
       sed -i '1s/^#!.*//; 1i if (process.argv[2] === "serve") process.exit(1);' /root/release/program/dist/scripts/tope-updater.js`,
    );
    await device.lab.sh(other);
    expect(await device.install()).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('what ran before runs again'),
    });
    expect(await device.lab.sh('readlink /opt/tope/updater/program')).toBe(before);
    expect(await device.progress()).toMatchObject({ stage: expect.stringMatching(/^(?:success|idle)$/) });

    await device.lab.sh('rm -r /root/release; mv /root/good /root/release');
    expect(await device.install()).toMatchObject({ code: 0, stdout: expect.stringContaining('0.2.0') });
    expect(await device.lab.sh('readlink /opt/tope/updater/program')).toMatch(/^program-0\.2\.0-/);
    expect(await device.versions()).toMatchObject({ factory: '1.4.0' });
    expect((await names('/opt/tope/updater')).filter((name) => name.startsWith('program-'))).toHaveLength(1);
  });

  test('follows other roots once it is installed again: recover runs at boot where their journal is', async () => {
    await device.configure({ managedRoot: '/srv/tope', extraRoots: [UNITS, '/srv/one more'] });
    await device.lab.sh("mkdir -p /srv/tope '/srv/one more'");
    const doctor = () =>
      device.lab.exec(['sh', '-c', 'tope-updater doctor | grep "^FAULT units.*follow\\|asks"']);
    expect((await doctor()).stdout).toMatch(
      /tope-roots\.conf is not what the configuration asks for → call install/,
    );
    expect(await device.install()).toMatchObject({ code: 0 });
    expect((await doctor()).stdout).toBe('');
    expect(await device.property('tope-updater', 'ReadWritePaths')).toContain('/srv/one more');
    await device.lab.sh('echo no journal >/srv/tope/.tope-updater/journal');
    expect(await device.uninstall()).toMatchObject({ code: 1, stderr: expect.stringContaining('/srv/tope') });
    expect(await device.property('tope-updater', 'ActiveState')).toBe('active');
    await device.lab.kill();
    await device.lab.boot();
    expect(await device.property('tope-updater-recover', 'ConditionResult')).toBe('yes');
    await device.lab.sh('systemctl stop tope-updater; rm /srv/tope/.tope-updater/journal');
    await device.configure({});
    expect(await device.install()).toMatchObject({ code: 0 });
    await device.lab.sh('systemctl start tope-updater-recover');
    expect(await device.property('tope-updater-recover', 'ConditionResult')).toBe('no');
  });

  test('is removed, and leaves store, configuration and services alone', async () => {
    await device.addService('voice', '#!/bin/sh\nexec sleep 1000\n', [
      '[Service]',
      'ExecStart=/opt/tope/bin/voice',
    ]);
    expect(await device.uninstall()).toMatchObject({ code: 0 });
    expect(await device.property('tope-updater', 'LoadState')).toBe('not-found');
    expect(await device.lab.sh(`find ${UNITS} -name 'tope-updater*'`)).toBe('');
    expect(await device.property('voice', 'ActiveState')).toBe('active');
    expect(await names('/opt/tope/.tope-updater')).toEqual(expect.arrayContaining(['factory', 'releases']));
    expect(await names('/etc/tope-updater')).toContain('config.json');
    expect(await names('/opt/tope/updater')).toEqual(['main.sh', 'replaced', 'tmp']);
  });
});
