import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describeIf, SYSTEMD_LAB } from '../support/requirements.js';
import { SystemdLab } from '../support/systemd-lab.js';

const DRIVER = fileURLToPath(new URL('../support/lab-driver.js', import.meta.url));
const MANAGED = '/opt/lab';

let lab: SystemdLab;
let driver: ChildProcessWithoutNullStreams;
let answers: AsyncIterator<string, unknown>;

/** Has the driver in the lab do one thing, and returns its answer. */
async function drive(verb: string, ...args: string[]): Promise<unknown> {
  driver.stdin.write(`${JSON.stringify([verb, ...args])}\n`);
  const answer = await answers.next();
  if (answer.done === true) throw new Error(`the driver has ended: ${String(driver.stderr.read())}`);
  return JSON.parse(answer.value);
}

/** Installs units: name → lines of the unit file. */
async function install(units: Record<string, string[]>): Promise<void> {
  for (const [name, lines] of Object.entries(units))
    await lab.write(`/etc/systemd/system/${name}`, `${lines.join('\n')}\n`);
  await lab.sh('systemctl daemon-reload');
}

function service(...lines: string[]): string[] {
  return ['[Service]', ...lines];
}

async function activeStates(...units: string[]): Promise<string> {
  return (await lab.exec(['systemctl', 'is-active', ...units])).stdout.trim().replaceAll('\n', ' ');
}

describeIf(SYSTEMD_LAB, 'under a real systemd', () => {
  beforeAll(async () => {
    lab = await SystemdLab.boot();
    driver = lab.spawn([process.execPath, DRIVER]);
    answers = createInterface(driver.stdout)[Symbol.asyncIterator]();
  }, 60_000);

  afterAll(async () => {
    driver.stdin.end();
    await lab.clean();
  });

  describe('stopping', () => {
    test('stops a simple unit with SIGTERM, as the one named step', async () => {
      await install({ 'simple.service': service('ExecStart=/bin/sleep 1000') });
      await lab.sh('systemctl start simple');
      expect(await drive('stop', 'simple.service')).toMatchObject({
        value: [{ unit: 'simple.service', way: 'SIGTERM' }],
        steps: ['unit.stop'],
      });
      expect(await activeStates('simple')).toBe('inactive');
    });

    test('finds a unit idle that is not running, and asks nothing of it', async () => {
      expect(await drive('stop', 'simple.service')).toMatchObject({ value: [{ way: 'idle' }], steps: [] });
    });

    test('kills the whole cgroup of a unit that ignores SIGTERM, and of one whose child does', async () => {
      await install({
        'stubborn.service': service(`ExecStart=/bin/sh -c 'trap "" TERM; while :; do sleep 1; done'`),
        'parent.service': service(
          `ExecStart=/bin/sh -c '(trap "" TERM; while :; do sleep 1; done) & exec sleep 1000'`,
        ),
      });
      await lab.sh('systemctl start stubborn parent; sleep 0.2');
      const stopped = await drive('stop', 'stubborn.service', 'parent.service');
      expect(stopped).toMatchObject({
        value: [{ way: 'SIGKILL' }, { way: 'SIGKILL' }],
        steps: ['unit.stop', 'unit.kill', 'unit.stop', 'unit.kill'],
      });
      expect(await activeStates('stubborn', 'parent')).toBe('failed inactive');
      expect((await lab.exec(['pgrep', '-f', 'trap "" TERM'])).stdout).toBe('');
    });

    test('kills what a unit leaves behind when it is down already', async () => {
      await install({
        'leaver.service': service('KillMode=process', `ExecStart=/bin/sh -c 'sleep 4321 & exec sleep 1000'`),
      });
      await lab.sh('systemctl start leaver; sleep 0.2');
      expect(await drive('stop', 'leaver.service')).toMatchObject({
        value: [{ way: 'SIGKILL' }],
        steps: ['unit.stop', 'unit.kill'],
      });
      expect((await lab.exec(['pgrep', '-f', 'sleep 4321'])).stdout).toBe('');
    });

    test('refuses, before any is stopped, every unit that is missing, masked, unreadable or unstoppable', async () => {
      await install({
        'guarded.service': ['[Unit]', 'RefuseManualStop=yes', ...service('ExecStart=/bin/sleep 1000')],
        'broken.service': service('Type=simple'),
      });
      await lab.sh('systemctl mask masked.service; systemctl start guarded simple');
      const units = ['missing', 'masked', 'broken', 'guarded', 'simple', 'brought-along', 'tope-updater'];
      const refused = await drive('refuse', ...units.map((unit) => `${unit}.service`));
      expect(refused).toMatchObject({ code: 'SERVICE_STOP_FAILED', steps: [] });
      expect(refused).toHaveProperty(
        'message',
        'units that cannot be stopped and started: missing.service: there is no such unit; ' +
          'masked.service: it is masked; broken.service: its unit file cannot be read; ' +
          "guarded.service: it refuses to be stopped (RefuseManualStop); tope-updater.service: it is the updater's own",
      );
      expect(await drive('refuse', 'simple.service', 'brought-along.service')).toMatchObject({ value: null });
    });

    test('tells a refused stop as SERVICE_STOP_FAILED', async () => {
      expect(await drive('ask', 'guarded.service')).toMatchObject({
        code: 'SERVICE_STOP_FAILED',
        message: expect.stringContaining('guarded.service'),
      });
    });
  });

  describe('starting', () => {
    test('starts units in order, forgetting earlier failures first', async () => {
      await install({
        'first.service': service('ExecStart=/bin/sleep 1000'),
        'second.service': service('ExecStart=/bin/sleep 1000'),
      });
      expect(await drive('start', 'first.service', 'second.service')).toMatchObject({
        value: null,
        steps: ['unit.resetFailed', 'unit.resetFailed', 'unit.start', 'unit.start'],
      });
      expect(await activeStates('first', 'second')).toBe('active active');
    });

    test('starts a unit that has used up its start limit', async () => {
      await install({
        'limited.service': [
          ...['[Unit]', 'StartLimitIntervalSec=60', 'StartLimitBurst=2'],
          ...service(
            'Restart=always',
            'RestartSec=1ms',
            `ExecStart=/bin/sh -c 'test -e ${MANAGED}/good && exec sleep 1000'`,
          ),
        ],
      });
      await lab.exec(['systemctl', 'start', 'limited']);
      await lab.sh('while [ "$(systemctl is-active limited)" != failed ]; do sleep 0.05; done');
      expect((await lab.exec(['systemctl', 'start', 'limited'])).code).not.toBe(0);
      await lab.write(`${MANAGED}/good`, '');
      expect(await drive('start', 'limited.service')).toMatchObject({ value: null });
      expect(await activeStates('limited')).toBe('active');
    });

    test('waits for a unit that takes its time, and takes a oneshot that has ended with success', async () => {
      await install({
        'slow.service': service('Type=oneshot', 'RemainAfterExit=yes', 'ExecStart=/bin/sleep 1.5'),
        'once.service': service('Type=oneshot', 'ExecStart=/bin/sleep 0.2'),
        'ready.service': service(
          ...['Type=notify', 'NotifyAccess=all'],
          `ExecStart=/bin/sh -c 'sleep 1; systemd-notify --ready; exec sleep 1000'`,
        ),
        'forking.service': service('Type=forking', `ExecStart=/bin/sh -c 'sleep 1000 &'`),
      });
      const units = ['slow.service', 'once.service', 'ready.service', 'forking.service'];
      expect(await drive('start', ...units)).toMatchObject({ value: null });
      expect(await activeStates(...units)).toBe('active inactive active active');
    });

    test('gives up a unit that is still not active in time', async () => {
      await install({
        'silent.service': service('Type=notify', 'ExecStart=/bin/sleep 1000'),
      });
      expect(await drive('start', 'silent.service')).toMatchObject({
        code: 'SERVICE_START_FAILED',
        message: 'silent is activating after 3 s (result success, exit status 0, 0 restarts)',
      });
      await drive('stop', 'silent.service');
    });

    test('does not wait for a unit that failed and is not restarted', async () => {
      await install({
        'failing.service': service('Type=oneshot', `ExecStart=/bin/sh -c 'exit 7'`),
      });
      expect(await drive('start', 'failing.service')).toMatchObject({
        code: 'SERVICE_START_FAILED',
        message: 'failing is failed and is not being restarted (result exit-code, exit status 7, 0 restarts)',
      });
      expect(await drive('startAll', 'missing.service', 'first.service')).toMatchObject({ value: 1 });
    });
  });

  describe('settling', () => {
    test('is content with units that stay up and oneshots that are done', async () => {
      expect(
        await drive('settle', '1500', 'first.service', 'second.service', 'once.service', 'slow.service'),
      ).toMatchObject({
        value: null,
      });
    });

    test('tells how a unit that crashes again and again ends', async () => {
      await install({
        'crashing.service': [
          ...['[Unit]', 'StartLimitIntervalSec=0'],
          ...service('Restart=always', 'RestartSec=300ms', `ExecStart=/bin/sh -c 'sleep 0.3; exit 1'`),
        ],
      });
      await drive('start', 'crashing.service');
      const unhealthy = await drive('settle', '1500', 'crashing.service');
      expect(unhealthy).toMatchObject({ code: 'HEALTH_CHECK_FAILED' });
      expect(unhealthy).toHaveProperty(
        'message',
        expect.stringMatching(/^crashing exited 1 \(\d restarts? in [\d.]+ s\)$/),
      );
      await drive('stop', 'crashing.service');
    });

    test('notices a unit that dies 3 s after it became active', async () => {
      await install({ 'fragile.service': service(`ExecStart=/bin/sh -c 'sleep 3; exit 9'`) });
      await drive('start', 'fragile.service');
      const unhealthy = await drive('settle', '4000', 'fragile.service');
      expect(unhealthy).toHaveProperty(
        'message',
        expect.stringMatching(/^fragile exited 9 \(0 restarts in [\d.]+ s\)$/),
      );
    });

    test('notices a unit that was restarted so quickly that it was never seen down', async () => {
      await install({
        'flapping.service': service('Restart=always', 'RestartSec=0', 'ExecStart=/bin/sleep 1000'),
      });
      await lab.sh('systemctl start flapping');
      const settling = drive('settle', '1500', 'flapping.service');
      await lab.sh('sleep 0.7; systemctl kill --signal=KILL flapping');
      expect(await settling).toMatchObject({
        code: 'HEALTH_CHECK_FAILED',
        message: expect.stringMatching(/^flapping was (restarted|ended by signal 9) \(/),
      });
    });
  });

  describe('units that belong together', () => {
    test('names what goes down with a unit, however far, and what would start it again', async () => {
      await install({
        'base.service': service('ExecStart=/bin/sleep 1000'),
        'base.socket': ['[Socket]', 'ListenStream=/run/base.sock'],
        'needs-base.service': ['[Unit]', 'Requires=base.service', ...service('ExecStart=/bin/sleep 1000')],
        'needs-needs.service': [
          '[Unit]',
          'BindsTo=needs-base.service',
          ...service('ExecStart=/bin/sleep 1000'),
        ],
        'part.service': ['[Unit]', 'PartOf=base.service', ...service('ExecStart=/bin/sleep 1000')],
        'part.timer': ['[Timer]', 'OnActiveSec=1h'],
        'idle.service': ['[Unit]', 'Requires=base.service', ...service('ExecStart=/bin/sleep 1000')],
        'wants-base.service': ['[Unit]', 'Wants=base.service', ...service('ExecStart=/bin/sleep 1000')],
      });
      await lab.sh('systemctl start base.socket base needs-needs part part.timer wants-base');
      const relatives = await drive('relatives', 'base.service');
      expect(relatives).toMatchObject({
        value: {
          dependents: ['needs-base.service', 'part.service', 'needs-needs.service'],
          triggers: ['base.socket', 'part.timer'],
        },
      });
      await lab.sh('systemctl stop base');
      expect(await activeStates('needs-base', 'needs-needs', 'part', 'wants-base')).toBe(
        'inactive inactive inactive active',
      );
    });

    test('stops a socket before its service, so that nothing starts it again', async () => {
      await lab.sh('systemctl start base');
      expect(await drive('stop', 'base.socket', 'base.service')).toMatchObject({
        value: [{ unit: 'base.socket' }, { unit: 'base.service' }],
      });
      expect(await activeStates('base.socket', 'base.service')).toBe('inactive inactive');
    });
  });

  describe('finding who uses a file', () => {
    test('finds units by program, by library and by script, and other programs apart', async () => {
      await lab.sh(`
        mkdir -p ${MANAGED}/lib /opt/elsewhere
        cp /bin/sleep ${MANAGED}/runner; cp /bin/sleep ${MANAGED}/bound; cp /bin/sleep ${MANAGED}/transient
        cp "$(ldd /bin/ls | awk '/libselinux|libpcre2/ { print $3; exit }')" ${MANAGED}/lib/libshared.so
        printf '#!/bin/sh\\nwhile :; do sleep 1; done\\n' > ${MANAGED}/script; chmod +x ${MANAGED}/script`);
      await install({
        'runner.service': service(`ExecStart=${MANAGED}/runner 1000`),
        'mapper.service': service(
          `Environment=LD_PRELOAD=${MANAGED}/lib/libshared.so`,
          'ExecStart=/bin/sleep 1000',
        ),
        'script.service': service(`WorkingDirectory=${MANAGED}`, 'ExecStart=/bin/sh ./script'),
        'bound.service': service(
          `BindReadOnlyPaths=${MANAGED}:/opt/elsewhere`,
          'ExecStart=/opt/elsewhere/bound 1000',
        ),
        'reader.service': service(`ExecStart=/usr/bin/tail -f ${MANAGED}/script`),
      });
      await lab.sh(`systemctl start runner mapper script bound reader
        systemd-run --unit=passing --collect ${MANAGED}/transient 1000
        systemd-run --scope --unit=session-9 ${MANAGED}/runner 1001 >/dev/null 2>&1 &
        sleep 0.3`);
      const files = ['runner', 'lib/libshared.so', 'script', 'bound', 'transient', 'unused'];
      const users = await drive('users', ...files.map((name) => `${MANAGED}/${name}`));
      expect(users).toMatchObject({
        value: {
          units: expect.arrayContaining([
            'runner.service',
            'mapper.service',
            'script.service',
            'bound.service',
          ]),
          others: expect.arrayContaining([
            expect.objectContaining({ name: 'transient', path: `${MANAGED}/transient` }),
            expect.objectContaining({ name: 'runner', path: `${MANAGED}/runner` }),
          ]),
        },
      });
      expect(users).toHaveProperty('value.units.length', 4);
      expect(users).toHaveProperty('value.others.length', 2);
    });

    test('never names itself, and leaves sessions to their users', async () => {
      await install({ 'tope-updater.service': service(`ExecStart=${MANAGED}/bound 1000`) });
      await lab.sh('systemctl start tope-updater user@0.service');
      expect(await drive('users', `${MANAGED}/bound`)).toMatchObject({
        value: { units: ['bound.service'], others: [] },
      });
      const users = await drive('users', await lab.sh('readlink -f /lib/systemd/systemd'));
      expect(users).toMatchObject({ value: { units: [] } });
      expect(users).toHaveProperty('value.others.1.name', 'systemd');
    });

    test('still finds the user of a file that was replaced under it', async () => {
      await lab.sh(`cp /bin/sleep ${MANAGED}/runner.new; mv ${MANAGED}/runner.new ${MANAGED}/runner`);
      expect(await drive('users', `${MANAGED}/runner`)).toMatchObject({
        value: { units: ['runner.service'] },
      });
    });
  });

  test('reads a changed unit file anew only after a reload', async () => {
    await lab.write('/etc/systemd/system/simple.service', '[Service]\nType=oneshot\nExecStart=/bin/true\n');
    expect(await drive('look', 'simple.service')).toMatchObject({ value: { isOneshot: false } });
    expect(await drive('reload')).toMatchObject({ value: null, steps: ['unit.reload'] });
    expect(await drive('look', 'simple.service')).toMatchObject({ value: { isOneshot: true } });
  });

  test('knows that the system is not on its way down', async () => {
    expect(await drive('isStopping')).toMatchObject({ value: false });
  });

  describe('programs of a package', () => {
    test('run outside of every limit of ours, and their words and exit status come back', async () => {
      const line = 'X=1; echo "$X ${X} $$ %n"; echo bad >&2; cat /proc/self/cgroup; exit 3';
      const ran = await drive('run', '/bin/sh', '-c', line);
      expect(ran).toMatchObject({
        value: { exitCode: 3, endedBy: null, timedOut: false },
        steps: ['program.run'],
      });
      expect(ran).toHaveProperty(
        'value.output',
        expect.stringMatching(/^1 1 \d+ %n\nbad\n[^]*system\.slice\/tope-updater-run-/),
      );
    });

    test('are ended in time with everything that they have started', async () => {
      const began = Date.now();
      const ran = await drive('run', '/bin/sh', '-c', 'setsid sleep 5678 & sleep 5679');
      expect(ran).toMatchObject({ value: { exitCode: null, endedBy: 'KILL', timedOut: true } });
      expect(Date.now() - began).toBeLessThan(4000);
      expect((await lab.exec(['pgrep', '-f', 'sleep 567'])).stdout).toBe('');
    });

    test('are ended when nobody wants them any more', async () => {
      expect(await drive('runAborted', '/bin/sleep', '5680')).toMatchObject({
        value: { timedOut: false, endedBy: 'KILL' },
      });
    });

    test('tell when there is no such program', async () => {
      expect(await drive('run', '/no/such/program')).toMatchObject({ value: { exitCode: 127 } });
    });

    test('can be a guard and a health check', async () => {
      await lab.write(`${MANAGED}/guard`, '#!/bin/sh\necho warn >&2\necho printing a boat\nexit 1\n', 0o755);
      expect(await drive('guard', `${MANAGED}/guard`)).toMatchObject({ value: 'printing a boat' });
      expect(await drive('health', '/bin/true')).toMatchObject({ value: null });
      expect(await drive('health', '/bin/false')).toMatchObject({
        code: 'HEALTH_CHECK_FAILED',
        message: 'voice-app: /bin/false exited 1, for 2 s',
      });
    });
  });

  describe('the screen', () => {
    test('outlives the updater and is not started twice', async () => {
      await lab.write(`${MANAGED}/ota-gui`, '#!/bin/sh\nexec sleep 1000\n', 0o755);
      expect(await drive('gui', `${MANAGED}/ota-gui`)).toHaveProperty(
        'log.0',
        expect.stringContaining('info screen started'),
      );
      expect(await activeStates('tope-ota-gui')).toBe('active');
      expect(await drive('gui', `${MANAGED}/ota-gui`)).toHaveProperty(
        'log.0',
        expect.stringContaining('warn screen not started'),
      );
    });

    test('changes nothing but a line in the log where it is missing or crashes', async () => {
      await lab.sh('systemctl stop tope-ota-gui');
      await lab.write(`${MANAGED}/ota-gui`, '#!/bin/sh\nkill -SEGV $$\n', 0o755);
      expect(await drive('gui', `${MANAGED}/ota-gui`)).toMatchObject({ value: null });
      expect(await drive('gui', `${MANAGED}/no-gui`)).toMatchObject({
        value: null,
        log: [expect.stringContaining('no screen')],
      });
      expect(await activeStates('tope-ota-gui')).toBe('inactive');
    });
  });
});
