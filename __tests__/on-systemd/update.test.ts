import { beforeAll, describe, expect, test } from '@jest/globals';
import { freePorts } from '../../scripts/demo/free-ports.js';
import { fieldOf, textOf } from '../support/json-fields.js';
import { InstalledDevice, UNITS } from '../support/installed-device.js';
import { describeIf, SYSTEMD_LAB } from '../support/requirements.js';
import { until } from '../support/until.js';

const HEARD = '/var/lib/heard';

/** A device-api that writes down what it is told, with the version of its own that heard it. */
const deviceApi = (version: string, port: number) => `#!/usr/bin/env node
const { appendFileSync } = require('node:fs');
require('node:http').createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    const report = JSON.parse(Buffer.concat(parts));
    appendFileSync('${HEARD}', JSON.stringify({ by: '${version}', ...report }) + '\\n');
    response.end('{}');
  });
}).listen(${port}, '127.0.0.1');
`;
const worker = (version: string) => `#!/bin/sh\n# ${version}\nexec sleep 1000\n`;
const unit = (name: string, more: string[] = []) => [
  ...['[Unit]', ...more, '[Service]', 'Restart=always', `ExecStart=/opt/tope/bin/${name}`],
  ...['[Install]', 'WantedBy=multi-user.target'],
];
const afterApi = ['Requires=device-api.service', 'After=device-api.service'];

/** How much longer than a bare stop and start the services may be down, in ms, on a machine that is busy with other tests. */
const MOST_MS = 3000;

let device: InstalledDevice;

/** From the first unit that was stopped to the last that was active again, by systemd's own clock, in whole ms. */
async function downtimeMs(): Promise<number> {
  const began = Number(await device.property('camera', 'ActiveExitTimestampMonotonic'));
  const ended = Number(await device.property('camera', 'ActiveEnterTimestampMonotonic'));
  return Math.round((ended - began) / 1000);
}

describeIf(SYSTEMD_LAB, 'an update of device-api and of two units that depend on it', () => {
  beforeAll(async () => {
    const [port = 0] = await freePorts(1);
    device = await InstalledDevice.installed({
      configuration: { deviceApiUrl: `http://127.0.0.1:${port}` },
    });
    await device.addService('device-api', deviceApi('1.0.0', port), unit('device-api'));
    await device.addService('voice', worker('1.0.0'), unit('voice', afterApi));
    await device.addService('camera', worker('1.0.0'), unit('camera', afterApi));
    const modules = [
      { name: 'device-api', program: deviceApi('2.0.0', port), order: 1 },
      { name: 'voice', program: worker('2.0.0'), order: 2 },
      { name: 'camera', program: worker('2.0.0'), order: 3 },
    ].map(({ name, program, order }) => ({
      name,
      dst: `/opt/tope/bin/${name}`,
      brings: { bytes: program, mode: 0o755 },
      also: { process_name: name, restart_order: order },
    }));
    await device.lab.sh('journalctl --rotate --vacuum-time=1s >/dev/null 2>&1; sleep 0.1');
    await device.order(device.build('2.0.0', modules));
  }, 180_000);

  test('ends in success', async () => {
    expect(await device.ends()).toBeNull();
    expect(await device.versions()).toMatchObject({ current: '2.0.0', previous: '0.0.0' });
  });

  test('stops them in reverse order and starts them in order [P-16, D-52]', async () => {
    expect((await device.deeds('device-api', 'voice', 'camera')).slice(-6)).toEqual([
      ...['Stopped camera', 'Stopped voice', 'Stopped device-api'],
      ...['Started device-api', 'Started voice', 'Started camera'],
    ]);
    // By itself systemd would stop what requires device-api before it, whatever was asked for first.
    const log = await device.lab.sh('cat /var/lib/tope-updater/logs/updater.log');
    const stopped = [...log.matchAll(/unit stopped unit=(\S+)\.service way=SIGTERM/g)].map(
      ([, unit]) => unit,
    );
    expect(stopped).toEqual(['camera', 'voice', 'device-api']);
  });

  test('keeps services down hardly longer than a bare stop and start of the same units [T-9]', async () => {
    const byUpdate = await downtimeMs();
    await device.lab.sh(
      'systemctl stop camera; systemctl stop voice; systemctl stop device-api; systemctl start device-api; systemctl start voice; systemctl start camera',
    );
    const bare = await downtimeMs();
    console.log(`down for ${byUpdate} ms by the update, ${bare} ms by a bare stop and start`);
    expect(byUpdate).toBeLessThan(bare + MOST_MS);
  });

  test('is told to the device-api that it has replaced, once [W-65]', async () => {
    const heard = await until('success is heard', async () => {
      const lines = (await device.lab.sh(`cat ${HEARD}`)).split('\n');
      const reports = lines.map((line): unknown => JSON.parse(line));
      return reports.some((report) => fieldOf(report, 'stage') === 'success') ? reports : null;
    });
    const ends = heard.filter((report) => fieldOf(report, 'stage') === 'success');
    expect(ends).toEqual([expect.objectContaining({ by: '2.0.0', progress: 100 })]);
  });

  test('brings the unit files that it changes, read anew [D-65]', async () => {
    const changed = unit('voice', ['Description=Voice of 3', ...afterApi]).join('\n');
    await device.order(
      device.build('3.0.0', [
        {
          name: 'unit',
          dst: `${UNITS}/voice.service`,
          brings: { bytes: changed },
          also: { process_name: 'voice' },
        },
      ]),
    );
    expect(await device.ends()).toBeNull();
    expect(await device.property('voice', 'Description')).toBe('Voice of 3');
    expect(await device.property('voice', 'NeedDaemonReload')).toBe('no');
  });

  test('is looked at by the doctor, who tells units that failed, are masked or are missing, and what to do', async () => {
    const look = async () => {
      const program = '/opt/tope/updater/program/bin/tope-updater';
      const { stdout } = await device.lab.exec([program, 'doctor', '--json']);
      const findings: unknown = JSON.parse(stdout);
      const about = (Array.isArray(findings) ? findings : []).filter(
        (one) => textOf(one, 'about') === 'units',
      );
      return about.map((one) => ['verdict', 'words', 'remedy'].map((name) => textOf(one, name)).join('; '));
    };
    const [voice, recover] = [`${UNITS}/voice.service`, `${UNITS}/tope-updater-recover.service`];
    expect(await look()).toEqual(
      expect.arrayContaining([
        'ok; tope-updater.service is installed, active; ',
        expect.stringMatching(/^ok; tope-updater-recover\.service is installed, /),
        'ok; voice.service is active; ',
      ]),
    );

    await device.lab.sh(`mkdir ${voice}.d; printf '[Service]\\nRestart=no\\n' >${voice}.d/once.conf
      mv ${recover} /root/; ln -s /dev/null ${recover}
      systemctl daemon-reload; systemctl kill --signal=SIGKILL voice
      while systemctl is-active --quiet voice; do sleep 0.05; done`);
    expect(await look()).toEqual(
      expect.arrayContaining([
        'fault; tope-updater-recover.service is masked; systemctl unmask tope-updater-recover.service',
        'fault; voice.service is failed (signal); journalctl -u voice.service; systemctl start voice.service',
      ]),
    );

    await device.lab.sh(
      `rm ${recover}; mv ${voice} /root/; ln -s /dev/null ${voice}; systemctl daemon-reload`,
    );
    expect(await look()).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^fault; tope-updater-recover\.service is missing; install the updater/),
        'fault; voice.service is masked, failed: an update that needs it is refused; systemctl unmask voice.service',
      ]),
    );

    await device.lab.sh(`rm ${voice}; systemctl reset-failed voice; systemctl daemon-reload`);
    expect(await look()).toContainEqual(
      expect.stringMatching(/^fault; voice\.service is missing, inactive; tope-updater rollback factory/),
    );
    await device.lab.sh(`mv /root/voice.service /root/tope-updater-recover.service ${UNITS}/; rm -r ${voice}.d
      systemctl daemon-reload; systemctl start voice`);
  });

  describe('whose new version does not run', () => {
    /** A service that runs only as long as nobody says that its version is broken. */
    const fickle = (version: string) =>
      `#!/bin/sh\n[ -e /root/broken-${version} ] && exit 1\nexec sleep 1000\n`;
    const programs = (version: string) => ({ fickle: fickle(version), steady: worker(version) });
    const next = (version: string) =>
      device.build(
        version,
        Object.entries(programs(version)).map(([name, program]) => ({
          name,
          dst: `/opt/tope/bin/${name}`,
          brings: { bytes: program, mode: 0o755 },
          also: { process_name: name },
        })),
      );
    const failed = 'SERVICE_START_FAILED|HEALTH_CHECK_FAILED';

    beforeAll(async () => {
      for (const [name, program] of Object.entries(programs('0.0.0')))
        await device.addService(name, program, [
          ...['[Unit]', 'StartLimitIntervalSec=0', '[Service]', `ExecStart=/opt/tope/bin/${name}`],
        ]);
      await device.order(next('4.0.0'));
      await device.ends();
    }, 60_000);

    test('runs the version before it again [D-3]', async () => {
      await device.lab.sh('touch /root/broken-5.0.0');
      await device.order(next('5.0.0'));
      expect(await device.ends()).toMatch(new RegExp(`^(${failed}): fickle .*; rolled back to 4\\.0\\.0$`));
      expect(await device.property('fickle', 'ActiveState')).toBe('active');
    });

    test('runs the factory release where the version before it does not run either [D-82]', async () => {
      await device.lab.sh('touch /root/broken-4.0.0');
      await device.order(next('5.0.0'));
      const error = await device.ends();
      expect(error).toMatch(
        new RegExp(`^(${failed}): fickle .*; .*(${failed}): fickle .*rolled back to factory 0`),
      );
      expect(await device.property('fickle', 'ActiveState')).toBe('active');
      expect(await device.versions()).toMatchObject({ current: '0.0.0' });
      for (const unit of ['device-api', 'voice', 'camera'])
        expect(await device.property(unit, 'ActiveState')).toBe('active');
    });

    test('says so, here and to device-api, where no version runs at all, and leaves running what runs [D-84]', async () => {
      await device.order(next('6.0.0'));
      expect(await device.ends()).toBeNull();
      await device.lab.sh('touch /root/broken-0.0.0 /root/broken-6.0.0');
      await device.order(next('7.0.0'));
      await device.lab.sh('touch /root/broken-7.0.0');
      expect(await device.ends()).toMatch(/^ROLLBACK_FAILED: /);
      await until('device-api hears it', async () =>
        (await device.lab.sh(`tail -n 1 ${HEARD}`)).includes('ROLLBACK_FAILED'),
      );
      // The factory's files are whole, what can run of them runs, and the one that cannot was tried.
      expect(await device.lab.sh('cat /opt/tope/bin/steady')).toBe(worker('0.0.0').trim());
      for (const unit of ['steady', 'device-api', 'voice', 'camera'])
        expect(await device.property(unit, 'ActiveState')).toBe('active');
      expect(await device.property('fickle', 'Result')).toBe('exit-code');
      expect(await device.lab.sh('cat /opt/tope/bin/fickle')).toBe(fickle('0.0.0').trim());
      await device.lab.sh('rm /root/broken-0.0.0; systemctl start fickle');
      expect(await device.property('fickle', 'ActiveState')).toBe('active');
    });
  });
});
