import { until } from '../support/until.js';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DrivenLab } from '../support/driven-lab.js';
import { describeIf, SYSTEMD_LAB } from '../support/requirements.js';

const MANAGED = '/opt/lab';

let driven: DrivenLab;

describeIf(SYSTEMD_LAB, 'transient units of a real systemd', () => {
  beforeAll(async () => {
    driven = await DrivenLab.boot();
  }, 60_000);

  afterAll(() => driven.close());

  describe('programs of a package', () => {
    test('run outside of every limit of ours, and their words and exit status come back [D-99]', async () => {
      const line = 'X=1; echo "$X ${X} $$ %n"; echo bad >&2; cat /proc/self/cgroup; exit 3';
      const ran = await driven.drive('run', '/bin/sh', '-c', line);
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
      const ran = await driven.drive('run', '/bin/sh', '-c', 'setsid sleep 5678 & sleep 5679');
      expect(ran).toMatchObject({ value: { exitCode: null, endedBy: 'KILL', timedOut: true } });
      expect(Date.now() - began).toBeLessThan(4000);
      expect((await driven.lab.exec(['pgrep', '-f', 'sleep 567'])).stdout).toBe('');
    });

    test('are ended when nobody wants them any more', async () => {
      expect(await driven.drive('runAborted', '/bin/sleep', '5680')).toMatchObject({
        value: { timedOut: false, endedBy: 'KILL' },
      });
    });

    test('tell when there is no such program', async () => {
      expect(await driven.drive('run', '/no/such/program')).toMatchObject({ value: { exitCode: 127 } });
    });

    test('can be a guard and a health check [D-99]', async () => {
      await driven.lab.write(
        `${MANAGED}/guard`,
        '#!/bin/sh\necho warn >&2\necho printing a boat\nexit 1\n',
        0o755,
      );
      expect(await driven.drive('guard', `${MANAGED}/guard`)).toMatchObject({ value: 'printing a boat' });
      expect(await driven.drive('health', '/bin/true')).toMatchObject({ value: null });
      expect(await driven.drive('health', '/bin/false')).toMatchObject({
        code: 'HEALTH_CHECK_FAILED',
        message: 'voice-app: /bin/false exited 1, for 2 s',
      });
    });
  });

  describe('the screen', () => {
    test('outlives the updater and is not started twice [D-99]', async () => {
      await driven.lab.write(`${MANAGED}/ota-gui`, '#!/bin/sh\nexec sleep 1000\n', 0o755);
      expect(await driven.drive('gui', `${MANAGED}/ota-gui`)).toHaveProperty(
        'log.0',
        expect.stringContaining('info screen started'),
      );
      expect(await driven.activeStates('tope-ota-gui')).toBe('active');
      expect(await driven.drive('gui', `${MANAGED}/ota-gui`)).toHaveProperty(
        'log.0',
        expect.stringContaining('warn screen not started'),
      );
    });

    test('changes nothing but a line in the log where it is missing or crashes [D-98]', async () => {
      await driven.lab.sh('systemctl stop tope-ota-gui');
      await driven.lab.write(`${MANAGED}/ota-gui`, '#!/bin/sh\nkill -SEGV $$\n', 0o755);
      expect(await driven.drive('gui', `${MANAGED}/ota-gui`)).toMatchObject({ value: null });
      expect(await driven.drive('gui', `${MANAGED}/no-gui`)).toMatchObject({
        value: null,
        log: [expect.stringContaining('no screen')],
      });
      await until('the crashed screen is gone', async () =>
        (await driven.activeStates('tope-ota-gui')) === 'inactive' ? true : null,
      );
    });
  });
});
