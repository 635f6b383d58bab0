import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DrivenLab, service } from '../support/driven-lab.js';
import { describeIf, SYSTEMD_LAB } from '../support/requirements.js';

const MANAGED = '/opt/lab';

let driven: DrivenLab;

describeIf(SYSTEMD_LAB, 'starting and settling under a real systemd', () => {
  beforeAll(async () => {
    driven = await DrivenLab.boot();
  }, 60_000);

  afterAll(() => driven.close());

  describe('starting', () => {
    test('starts units in order, forgetting earlier failures first', async () => {
      await driven.install({
        'first.service': service('ExecStart=/bin/sleep 1000'),
        'second.service': service('ExecStart=/bin/sleep 1000'),
      });
      expect(await driven.drive('start', 'first.service', 'second.service')).toMatchObject({
        value: null,
        steps: ['unit.resetFailed', 'unit.resetFailed', 'unit.start', 'unit.start'],
      });
      expect(await driven.activeStates('first', 'second')).toBe('active active');
    });

    test('starts a unit that has used up its start limit [D-67]', async () => {
      await driven.install({
        'limited.service': [
          ...['[Unit]', 'StartLimitIntervalSec=60', 'StartLimitBurst=2'],
          ...service(
            'Restart=always',
            'RestartSec=1ms',
            `ExecStart=/bin/sh -c 'test -e ${MANAGED}/good && exec sleep 1000'`,
          ),
        ],
      });
      await driven.lab.exec(['systemctl', 'start', 'limited']);
      await driven.lab.sh('while [ "$(systemctl is-active limited)" != failed ]; do sleep 0.05; done');
      expect((await driven.lab.exec(['systemctl', 'start', 'limited'])).code).not.toBe(0);
      await driven.lab.write(`${MANAGED}/good`, '');
      expect(await driven.drive('start', 'limited.service')).toMatchObject({ value: null });
      expect(await driven.activeStates('limited')).toBe('active');
    });

    test('waits for a unit that takes its time, and takes a oneshot that has ended with success [D-70]', async () => {
      await driven.install({
        'slow.service': service('Type=oneshot', 'RemainAfterExit=yes', 'ExecStart=/bin/sleep 1.5'),
        'once.service': service('Type=oneshot', 'ExecStart=/bin/sleep 0.2'),
        'ready.service': service(
          ...['Type=notify', 'NotifyAccess=all'],
          `ExecStart=/bin/sh -c 'sleep 1; systemd-notify --ready; exec sleep 1000'`,
        ),
        'forking.service': service('Type=forking', `ExecStart=/bin/sh -c 'sleep 1000 &'`),
      });
      const units = ['slow.service', 'once.service', 'ready.service', 'forking.service'];
      expect(await driven.drive('start', ...units)).toMatchObject({ value: null });
      expect(await driven.activeStates(...units)).toBe('active inactive active active');
    });

    test('waits for a unit whose start has to wait for another one', async () => {
      await driven.install({
        'before.service': service('Type=oneshot', 'RemainAfterExit=yes', 'ExecStart=/bin/sleep 1'),
        'queued.service': [
          ...['[Unit]', 'Requires=before.service', 'After=before.service'],
          ...service('ExecStart=/bin/sleep 1000'),
        ],
      });
      expect(await driven.drive('start', 'queued.service')).toMatchObject({ value: null });
      expect(await driven.activeStates('before', 'queued')).toBe('active active');
    });

    test('gives up a unit that is still not active in time [D-69]', async () => {
      await driven.install({
        'silent.service': service('Type=notify', 'ExecStart=/bin/sleep 1000'),
      });
      expect(await driven.drive('start', 'silent.service')).toMatchObject({
        code: 'SERVICE_START_FAILED',
        message: 'silent is activating after 3 s (result success, exit status 0, 0 restarts)',
      });
      await driven.drive('stop', 'silent.service');
    });

    test('does not wait for a unit that failed and is not restarted', async () => {
      await driven.install({
        'failing.service': service('Type=oneshot', `ExecStart=/bin/sh -c 'exit 7'`),
      });
      expect(await driven.drive('start', 'failing.service')).toMatchObject({
        code: 'SERVICE_START_FAILED',
        message: 'failing is failed and is not being restarted (result exit-code, exit status 7, 0 restarts)',
      });
      expect(await driven.drive('startAll', 'missing.service', 'first.service')).toMatchObject({ value: 1 });
    });
  });

  describe('settling', () => {
    test('is content with units that stay up and oneshots that are done', async () => {
      expect(
        await driven.drive(
          'settle',
          '1500',
          'first.service',
          'second.service',
          'once.service',
          'slow.service',
        ),
      ).toMatchObject({
        value: null,
      });
    });

    test('tells how a unit that crashes again and again ends', async () => {
      await driven.install({
        'crashing.service': [
          ...['[Unit]', 'StartLimitIntervalSec=0'],
          ...service('Restart=always', 'RestartSec=300ms', `ExecStart=/bin/sh -c 'sleep 0.3; exit 1'`),
        ],
      });
      await driven.drive('start', 'crashing.service');
      const unhealthy = await driven.drive('settle', '1500', 'crashing.service');
      expect(unhealthy).toMatchObject({ code: 'HEALTH_CHECK_FAILED' });
      expect(unhealthy).toHaveProperty(
        'message',
        expect.stringMatching(/^crashing exited 1 \(\d restarts? in [\d.]+ s\)$/),
      );
      await driven.drive('stop', 'crashing.service');
    });

    test('notices a unit that dies 3 s after it became active [D-72]', async () => {
      await driven.install({ 'fragile.service': service(`ExecStart=/bin/sh -c 'sleep 3; exit 9'`) });
      await driven.drive('start', 'fragile.service');
      const unhealthy = await driven.drive('settle', '4000', 'fragile.service');
      expect(unhealthy).toHaveProperty(
        'message',
        expect.stringMatching(/^fragile exited 9 \(0 restarts in [\d.]+ s\)$/),
      );
    });

    test('notices a unit that was restarted so quickly that it was never seen down [D-72]', async () => {
      await driven.install({
        'flapping.service': service('Restart=always', 'RestartSec=0', 'ExecStart=/bin/sleep 1000'),
      });
      await driven.lab.sh('systemctl start flapping');
      const settling = driven.drive('settle', '1500', 'flapping.service');
      await driven.lab.sh('sleep 0.7; systemctl kill --signal=KILL flapping');
      expect(await settling).toMatchObject({
        code: 'HEALTH_CHECK_FAILED',
        message: expect.stringMatching(/^flapping was (restarted|ended by signal 9) \(/),
      });
    });
  });
});
