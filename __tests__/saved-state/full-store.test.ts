import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { DeviceOnSmallDisks } from '../support/device-on-small-disks.js';
import { until } from '../support/until.js';
import { describeIf, ROOT } from '../support/requirements.js';
import { rowsOf } from '../support/text-table.js';

/**
 * The step before which the store's disk gets full, and what becomes of the services and of the versions. All of them
 * end in DISK_FULL, with the package kept.
 */
const TABLE = `
  step           | services  | the new version is
  staging.make   | untouched | not blamed
  staging.write  | untouched | not blamed
  journal.create | untouched | not blamed
  unit.stop      | restarted | bad
  commit.object  | restarted | bad
  commit.release | restarted | bad
  commit.current | restarted | bad
`;

describeIf(ROOT, 'a store whose disk is full', () => {
  let small: DeviceOnSmallDisks;

  beforeAll(async () => {
    small = await DeviceOnSmallDisks.make();
  });

  afterEach(() => small.end());

  for (const { step = '', services = '', 'the new version is': blame = '' } of rowsOf(TABLE)) {
    test(`from ${step} on: the old version runs, services ${services}, the package kept for when there is room [D-78, D-85]`, async () => {
      const { device } = small;
      const before = await small.facts();
      const { current } = await device.versions();
      small.begin({ at: step, how: 'full', disk: 'store' });
      const built = small.build();
      const { end } = await small.update(built);
      expect(end).toMatchObject({ stage: 'failed', error: expect.stringMatching(/^DISK_FULL: /) });
      const after = await small.facts();
      expect(after.tree).toEqual(before.tree);
      expect(after.running).toEqual([current, current]);
      expect(after.pids.every((pid, at) => pid === before.pids[at])).toBe(services === 'untouched');
      expect((await device.versions()).current).toBe(current);
      // Written last of all, when tidying up has made room for it.
      await until(
        'it is blamed as it should be',
        async () => (await small.isBad(built.version)) === (blame === 'bad'),
      );

      small.end();
      const fetched = device.server.sentBytes;
      expect((await small.update(built)).end.stage).toBe('success');
      expect(device.server.sentBytes).toBe(fetched);
      expect((await small.facts()).running).toEqual([built.version, built.version]);
      expect(await small.isBad(built.version)).toBe(false);
      await device.isTidy();
    });
  }
});
