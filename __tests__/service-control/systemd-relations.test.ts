import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DrivenLab, service } from '../support/driven-lab.js';
import { fieldOf } from '../support/json-fields.js';
import { describeIf, SYSTEMD_LAB } from '../support/requirements.js';

const MANAGED = '/opt/lab';

let driven: DrivenLab;

describeIf(SYSTEMD_LAB, 'looking around under a real systemd', () => {
  beforeAll(async () => {
    driven = await DrivenLab.boot();
  }, 60_000);

  afterAll(() => driven.close());

  describe('units that belong together', () => {
    test('names what goes down with a unit, however far, and what would start it again [D-50]', async () => {
      await driven.install({
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
        'wants-base.service': [
          '[Unit]',
          'Wants=base.service',
          'After=idle.service',
          ...service('ExecStart=/bin/sleep 1000'),
        ],
      });
      await driven.lab.sh('systemctl start base.socket base needs-needs part part.timer wants-base');
      const relatives = await driven.drive('relatives', 'base.service');
      expect(relatives).toMatchObject({
        value: {
          dependents: ['needs-base.service', 'part.service', 'needs-needs.service'],
          triggers: ['base.socket', 'part.timer'],
        },
      });
      await driven.lab.sh('systemctl stop base');
      expect(await driven.activeStates('needs-base', 'needs-needs', 'part', 'wants-base')).toBe(
        'inactive inactive inactive active',
      );
    });

    test('stops a socket before its service, so that nothing starts it again', async () => {
      await driven.lab.sh('systemctl start base');
      expect(await driven.drive('stop', 'base.socket', 'base.service')).toMatchObject({
        value: [{ unit: 'base.socket' }, { unit: 'base.service' }],
      });
      expect(await driven.activeStates('base.socket', 'base.service')).toBe('inactive inactive');
    });
  });

  describe('finding who uses a file', () => {
    test('finds units by program, by library and by script, and other programs apart [D-48, D-49]', async () => {
      await driven.lab.sh(`
        mkdir -p ${MANAGED}/lib /opt/elsewhere
        cp /bin/sleep ${MANAGED}/runner; cp /bin/sleep ${MANAGED}/bound; cp /bin/sleep ${MANAGED}/transient
        cp "$(ldd /bin/ls | awk '/libselinux|libpcre2/ { print $3; exit }')" ${MANAGED}/lib/libshared.so
        printf '#!/bin/sh\\nwhile :; do sleep 1; done\\n' > ${MANAGED}/script; chmod +x ${MANAGED}/script`);
      await driven.install({
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
      await driven.lab.sh(`systemctl start runner mapper script bound reader
        systemd-run --unit=passing --collect ${MANAGED}/transient 1000
        systemd-run --scope --unit=session-9 ${MANAGED}/runner 1001 >/dev/null 2>&1 &
        sleep 0.3`);
      const files = ['runner', 'lib/libshared.so', 'script', 'bound', 'transient', 'unused'];
      const users = await driven.drive('users', ...files.map((name) => `${MANAGED}/${name}`));
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

    test('never names itself, and leaves sessions to their users [D-49]', async () => {
      await driven.install({ 'tope-updater.service': service(`ExecStart=${MANAGED}/bound 1000`) });
      await driven.lab.sh('systemctl start tope-updater user@0.service');
      expect(await driven.drive('users', `${MANAGED}/bound`)).toMatchObject({
        value: { units: ['bound.service'], others: [] },
      });
      const users = await driven.drive('users', await driven.lab.sh('readlink -f /lib/systemd/systemd'));
      expect(users).toMatchObject({ value: { units: [] } });
      expect(users).toHaveProperty('value.others.1.name', 'systemd');
    });

    test('still finds the user of a file that was replaced under it', async () => {
      await driven.lab.sh(`cp /bin/sleep ${MANAGED}/runner.new; mv ${MANAGED}/runner.new ${MANAGED}/runner`);
      expect(await driven.drive('users', `${MANAGED}/runner`)).toMatchObject({
        value: { units: ['runner.service'] },
      });
    });
  });

  test('reads a changed unit file anew only after a reload', async () => {
    await driven.install({ 'simple.service': service('ExecStart=/bin/sleep 1000') });
    await driven.lab.sh('systemctl start simple');
    await driven.lab.write(
      '/etc/systemd/system/simple.service',
      '[Service]\nType=oneshot\nExecStart=/bin/true\n',
    );
    expect(await driven.drive('look', 'simple.service')).toMatchObject({ value: { isOneshot: false } });
    expect(await driven.drive('reload')).toMatchObject({ value: null, steps: ['unit.reload'] });
    expect(await driven.drive('look', 'simple.service')).toMatchObject({ value: { isOneshot: true } });
  });

  test('knows that the system is not on its way down', async () => {
    expect(await driven.drive('isStopping')).toMatchObject({ value: false });
  });

  test('asks again where systemd has hung up, as it does while it executes itself anew', async () => {
    const reexecuting = driven.lab.sh('for n in 1 2 3 4 5 6 7 8; do systemctl daemon-reexec; done');
    const answers: unknown[] = [];
    for (let n = 0; n < 30; n++) answers.push(await driven.drive('look', 'simple.service'));
    await reexecuting;
    expect(answers.filter((answer) => fieldOf(answer, 'code') !== undefined)).toEqual([]);
  }, 60_000);
});
