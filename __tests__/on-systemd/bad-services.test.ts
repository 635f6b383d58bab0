import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { ModuleSketch } from '../support/build-package.js';
import { until } from '../support/until.js';
import { InstalledDevice, UNITS } from '../support/installed-device.js';
import { describeIf, SYSTEMD_LAB } from '../support/requirements.js';

const GOOD = '#!/bin/sh\nexec sleep 1000\n';
const script = (...lines: string[]) => `#!/bin/sh\n${lines.join('\n')}\n`;
const unit = (name: string, ...lines: string[]) => [
  ...['[Unit]', 'StartLimitIntervalSec=0'],
  ...['[Service]', `ExecStart=/opt/tope/bin/${name}`, ...lines],
];
const module = (name: string, program: string, unitName: string | null = name): ModuleSketch => ({
  name,
  dst: `/opt/tope/bin/${name}`,
  brings: { bytes: program, mode: 0o755 },
  also: unitName === null ? {} : { process_name: unitName },
});

/** A service that is well on the device, and the update that it meets. */
interface Meeting {
  title: string;
  name: string;
  /** Lines of [Service] besides ExecStart. */
  lines?: readonly string[];
  /** What runs before the update. */
  runs?: string;
  /** What the update brings. */
  brings?: string;
  /** More units of the device, with their files. */
  also?: Readonly<Record<string, readonly string[]>>;
  /** Run on the device right before the order. */
  prepare?: string;
  error: RegExp | null;
}

const MEETINGS: readonly Meeting[] = [
  {
    title: 'restarts in a loop',
    name: 'looping',
    lines: ['Restart=always', 'RestartSec=100ms'],
    brings: script('sleep 0.1', 'exit 1'),
    error: /^HEALTH_CHECK_FAILED: looping .*; rolled back to what was found$/,
  },
  {
    title: 'dies while it is watched',
    name: 'fragile',
    brings: script('sleep 0.4', 'exit 9'),
    error: /^HEALTH_CHECK_FAILED: fragile exited 9 \(0 restarts in .* s\); rolled back to/,
  },
  {
    title: 'is of Type=oneshot and fails',
    name: 'once',
    lines: ['Type=oneshot', 'RemainAfterExit=yes'],
    runs: script('exit 0'),
    brings: script('exit 7'),
    error: /^SERVICE_START_FAILED: once is failed .*exit status 7.*; rolled back to/,
  },
  {
    title: 'is of Type=notify and never ready',
    name: 'mute',
    lines: ['Type=notify', 'NotifyAccess=all', 'TimeoutStartSec=1'],
    runs: script('systemd-notify --ready', 'exec sleep 1000'),
    brings: GOOD,
    error: /^SERVICE_START_FAILED: mute is failed .*result timeout.*; rolled back to/,
  },
  {
    title: 'is of Type=forking and its parent fails',
    name: 'forking',
    lines: ['Type=forking'],
    runs: script('sleep 1000 &'),
    brings: script('exit 3'),
    error: /^SERVICE_START_FAILED: forking is failed .*result exit-code.*; rolled back to/,
  },
  {
    title: 'takes its time to become active',
    name: 'slow',
    lines: ['Type=notify', 'NotifyAccess=all'],
    runs: script('systemd-notify --ready', 'exec sleep 1000'),
    brings: script('sleep 1.5', 'systemd-notify --ready', 'exec sleep 1000'),
    error: null,
  },
  {
    title: 'is masked',
    name: 'masked',
    prepare: `systemctl stop masked; rm ${UNITS}/masked.service; systemctl mask --quiet masked`,
    error: /^SERVICE_STOP_FAILED: .*masked\.service: it is masked/,
  },
  {
    title: 'refuses to be stopped',
    name: 'refusing',
    prepare: `sed -i '/^.Unit/a RefuseManualStop=yes' ${UNITS}/refusing.service; systemctl daemon-reload`,
    error: /^SERVICE_STOP_FAILED: .*refusing\.service: it refuses to be stopped/,
  },
  {
    title: 'ignores SIGTERM',
    name: 'stubborn',
    lines: ['TimeoutStopSec=1'],
    runs: script('trap "" TERM', 'while :; do sleep 0.1; done'),
    error: null,
  },
  {
    title: 'leaves a child behind',
    name: 'parent',
    lines: ['KillMode=process'],
    runs: script('sleep 1234 &', 'exec sleep 1000'),
    error: null,
  },
  {
    title: 'is started by a socket and a timer',
    name: 'woken',
    also: {
      'woken.socket': ['[Socket]', 'ListenStream=/run/woken.sock'],
      'woken.timer': ['[Timer]', 'OnActiveSec=0', 'OnUnitInactiveSec=200ms', 'AccuracySec=50ms'],
    },
    error: null,
  },
];

const BROUGHT = script('# the new one', 'exec sleep 1000');
const table: string[][] = [];
let device: InstalledDevice;
let version = 0;

describeIf(SYSTEMD_LAB, 'a service of the device that [D-3, D-68, D-106]', () => {
  beforeAll(async () => {
    device = await InstalledDevice.installed();
  }, 180_000);

  afterAll(() => {
    const count = (way: string) => table.filter((row) => row.includes(way)).length;
    const rows = table.map((row) =>
      row
        .map((cell, at) => cell.padEnd(at === 0 ? 44 : 22))
        .join('')
        .trimEnd(),
    );
    const head = 'service that …, end, how it ended for the switch, s, failed → /progress / device-api';
    const sums = `${count('SIGTERM')} ended by SIGTERM, ${count('SIGKILL')} needed SIGKILL`;
    console.log(`${head}\n${rows.join('\n')}\n${sums}`);
  });

  test.each(MEETINGS)('$title', async (meeting) => {
    const { title, name, lines = [], runs = GOOD, brings = BROUGHT, also = {}, prepare, error } = meeting;
    await device.addService(name, runs, unit(name, ...lines));
    for (const [file, content] of Object.entries(also))
      await device.lab.write(`${UNITS}/${file}`, `${content.join('\n')}\n`);
    if (Object.keys(also).length > 0)
      await device.lab.sh(
        `systemctl stop ${name}; systemctl daemon-reload; systemctl start ${Object.keys(also).join(' ')} ${name}`,
      );
    if (prepare !== undefined) await device.lab.sh(prepare);
    version += 1;
    const heardBefore = device.api.heard.length;
    await device.fetch(device.build(`1.0.${version}`, [module(name, brings)]));
    const began = performance.now();
    await device.post('/update', { version: `1.0.${version}` });
    const end = await device.ends();
    const shownMs = performance.timeOrigin + performance.now();
    const seconds = ((performance.now() - began) / 1000).toFixed(1);

    if (error === null) expect(end).toBeNull();
    else expect(end).toMatch(error);
    const told = await device.api.hears('the end', ({ stage }) => stage === 'success' || stage === 'failed', {
      from: heardBefore,
      withinMs: 5000,
    });
    const log = await logSince(version);
    const toldMs = performance.timeOrigin + told.atMs - log.endedMs;
    const progressMs = shownMs - log.endedMs;
    expect(toldMs).toBeLessThan(5000);
    expect(progressMs).toBeLessThan(5000);
    const reached = error === null ? '-' : `${Math.round(progressMs)} / ${Math.round(toldMs)} ms`;
    table.push([title, end?.split(':')[0] ?? 'success', log.wayOf(name), seconds, reached]);
    // What runs is what is there: the old one after a failure, the new one after a success.
    expect(await device.lab.sh(`cat /opt/tope/bin/${name}`)).toBe((error === null ? brings : runs).trim());
    if (title !== 'is masked') expect(await device.property(name, 'ActiveState')).toBe('active');
    for (const trigger of Object.keys(also))
      expect(await device.property(trigger, 'ActiveState')).toBe('active');
    await device.lab.sh(`systemctl stop ${Object.keys(also).join(' ')} ${name} 2>/dev/null || true`);
  });

  test('is not there is refused before anything is stopped [D-89]', async () => {
    version += 1;
    await device.order(device.build(`1.0.${version}`, [module('ghost', GOOD)]));
    expect(await device.ends()).toMatch(/^SERVICE_STOP_FAILED: .*ghost\.service: there is no such unit/);
  });

  test('prints must not be disturbed: the guard is asked twice: before the update begins, and before the first stop [D-94]', async () => {
    await device.addService('printing', GOOD, unit('printing'));
    await device.lab.write(
      '/root/guard',
      script('echo asked >>/root/asked', 'cat /root/busy', '[ ! -s /root/busy ]'),
      0o755,
    );
    await device.lab.sh('echo printing a boat >/root/busy');
    await device.configure({ installGuard: '/root/guard' });
    await device.lab.sh('systemctl restart tope-updater');
    version += 1;
    await device.fetch(device.build(`1.0.${version}`, [module('printing', BROUGHT)]));
    const order = { version: `1.0.${version}` };
    expect(await device.post('/update', order)).toMatchObject({
      code: 409,
      msg: 'DEVICE_BUSY: printing a boat',
    });
    expect(await device.progress()).toMatchObject({ stage: 'toInstall' });
    await device.lab.sh(': >/root/busy; rm /root/asked');
    expect(await device.post('/update', order)).toMatchObject({ code: 200 });
    expect(await device.ends()).toBeNull();
    expect(await device.lab.sh('wc -l </root/asked')).toBe('2');
  });

  test('needs something of the updater gets it: the sandbox has refused nothing', async () => {
    const log = await device.lab.sh('cat /var/lib/tope-updater/logs/updater.log');
    expect(log).not.toMatch(/EPERM|EACCES|EROFS|not permitted|[Rr]ead-only|was not told/);
  });
});

/** What the log says of the newest order: when (ms since 1970) it ended, and how a unit was stopped for the switch. */
async function logSince(patch: number) {
  return until('the end of the order is logged', async () => {
    const log = await device.lab.sh('cat /var/lib/tope-updater/logs/updater.log');
    const lines = log.slice(log.lastIndexOf(`asks for the package version=1.0.${patch} `));
    const end = /^(\S+) .* transition from=\S+ to=(?:failed|done) /m.exec(lines)?.[1];
    if (end === undefined) return null;
    return {
      endedMs: Date.parse(end),
      wayOf: (name: string) =>
        new RegExp(`unit stopped unit=${name}\\.service way=(\\w+)`).exec(lines)?.[1] ?? '-',
    };
  });
}
