import { appendFileSync } from 'node:fs';
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { DeviceOnSmallDisks, type Trouble } from '../support/device-on-small-disks.js';
import { describeIf, ROOT } from '../support/requirements.js';
import { rowsOf } from '../support/text-table.js';

/**
 * The state that cannot be saved, what the disk does, and what follows. `untouched`: the services were never stopped;
 * `restarted`: they were, and run again. `full`: from that save on the disk is full, but for the reserve that the
 * updater gives up; `stays full`: nothing can be saved any more, the failed state neither.
 */
const TABLE = `
  state                              | the disk is | reports                                                      | error          | services
  downloading.transferring           | stays full  | downloading failed                                           | DISK_FULL      | untouched
  verifying.hashing                  | read-only   | downloading verifying failed                                 | INTERNAL_ERROR | untouched
  verifying.inspecting               | stays full  | downloading verifying failed                                 | DISK_FULL      | untouched
  ready.waiting                      | stays full  | downloading verifying toInstall installing failed            | DISK_FULL      | untouched
  deploying.rehashing                | read-only   | downloading verifying toInstall installing failed            | INTERNAL_ERROR | untouched
  deploying.staging                  | stays full  | downloading verifying toInstall installing failed            | DISK_FULL      | untouched
  deploying.stopping                 | stays full  | downloading verifying toInstall installing failed            | DISK_FULL      | untouched
  deploying.switching                | stays full  | downloading verifying toInstall installing failed            | DISK_FULL      | restarted
  deploying.switching                | read-only   | downloading verifying toInstall installing failed            | INTERNAL_ERROR | restarted
  restarting.postCommands            | stays full  | downloading verifying toInstall installing rebooting failed  | DISK_FULL      | restarted
  restarting.starting                | read-only   | downloading verifying toInstall installing rebooting failed  | INTERNAL_ERROR | restarted
  restarting.settling                | stays full  | downloading verifying toInstall installing rebooting failed  | DISK_FULL      | restarted
  restarting.committing              | full        | downloading verifying toInstall installing rebooting failed  | DISK_FULL      | restarted
`;

describeIf(ROOT, 'a state that cannot be saved', () => {
  let small: DeviceOnSmallDisks;

  beforeAll(async () => {
    small = await DeviceOnSmallDisks.make();
  });

  afterEach(() => small.end());

  async function expectNextUpdateWorks(): Promise<void> {
    const { end } = await small.update();
    expect(end).toMatchObject({ stage: 'success' });
    const { running } = await small.facts();
    expect(running).toEqual(Array(2).fill(await current()));
    await small.device.isTidy();
  }

  async function current(): Promise<string> {
    return String((await small.device.versions()).current);
  }

  for (const row of rowsOf(TABLE)) {
    const { state = '', error = '', reports = '', services = '' } = row;
    const how = howOf(row['the disk is']);

    test(`${state}, the disk ${how}: the step is not begun, ${error} is told, services ${services} [W-67, M-21, D-106]`, async () => {
      const { device } = small;
      const before = await small.facts();
      const version = await current();
      const from = device.api.heard.length;
      small.begin({ at: 'state.save', in: state, how });
      const { end } = await small.update();
      expect(end).toMatchObject({
        stage: 'failed',
        error: expect.stringMatching(new RegExp(`^${error}: the state could not be saved`)),
      });
      const told = await device.api.hearsStage('failed', { from, withinMs: 5000 });
      expect(told.body).toEqual(end);
      expect(stages(from)).toEqual(reports.split(' '));
      const after = await small.facts();
      expect(after.tree).toEqual(before.tree);
      expect(after.running).toEqual([version, version]);
      expect(after.pids.every((pid, at) => pid === before.pids[at])).toBe(services === 'untouched');
      expect(await current()).toBe(version);
      small.end();
      await expectNextUpdateWorks();
    });
  }

  test('an order to go back that cannot be saved is refused, and changes nothing', async () => {
    const before = await small.facts();
    const version = await current();
    small.begin({ at: 'state.save', in: 'deploying.staging', how: 'stays full' });
    const answer = await small.device.rollback('previous');
    expect(answer).toMatchObject({
      code: 500,
      msg: expect.stringMatching(/^DISK_FULL: the state could not/),
    });
    await small.device.isIn('failed');
    expect(await small.facts()).toEqual(before);
    expect(await current()).toBe(version);
    small.end();
    await small.device.goBack('previous');
    await expectNextUpdateWorks();
  });

  test.each<[string, Trouble['how']]>([
    ['restarting.rollingBack.toPrevious', 'stays full'],
    ['restarting.rollingBack.toPrevious', 'read-only'],
    ['failed', 'stays full'],
  ])(
    '%s, the disk %s: going back waits for no save, and its first cause is told [M-20]',
    async (state, how) => {
      const before = await small.facts();
      const version = await current();
      const from = small.device.api.heard.length;
      small.begin({ at: 'state.save', in: state, how });
      const { end } = await small.update(small.build('broken'));
      expect(end.error).toMatch(
        new RegExp(`^(SERVICE_START|HEALTH_CHECK)_FAILED: .*rolled back to ${version}`),
      );
      expect((await small.device.api.hearsStage('failed', { from })).body).toEqual(end);
      const after = await small.facts();
      expect(after.tree).toEqual(before.tree);
      expect(after.running).toEqual([version, version]);
      small.end();
      await expectNextUpdateWorks();
    },
  );

  test('done, the disk stays full: the update is committed and told, also by a start that finds another state [W-67]', async () => {
    const { device } = small;
    const edited = device.path('api/api');
    appendFileSync(edited, '# mine');
    const kept = `kept as ${edited}.local-${await current()}`;
    const from = device.api.heard.length;
    small.begin({ at: 'state.save', in: 'done', how: 'stays full' });
    const { end } = await small.update();
    expect(end.stage).toBe('success');
    await device.api.hearsStage('success', { from });
    const { running } = await small.facts();
    await device.restart('SIGKILL');
    expect((await device.reaches('success')).message).toContain(kept);
    expect(running).toEqual([await current(), await current()]);
    expect((await small.facts()).running).toEqual(running);
    small.end();
    await expectNextUpdateWorks();
  });

  test.each(['deploying.switching', 'restarting.settling'])(
    '%s, killed and started again with the disk still full: the old version runs, and that is told [D-81]',
    async (state) => {
      const { device } = small;
      const before = await small.facts();
      const version = await current();
      small.begin({ at: 'state.save', in: state, how: 'stays full' });
      await small.update();
      const from = device.api.heard.length;
      await device.restart('SIGKILL');
      await device.isIn('failed');
      await device.api.hearsStage('failed', { from });
      expect((await device.progress()).error).toMatch(/^DISK_FULL: the state could not be saved/);
      const after = await small.facts();
      expect(after.tree).toEqual(before.tree);
      expect(after.running).toEqual([version, version]);
      small.end();
      await expectNextUpdateWorks();
    },
  );

  test('once there is room again, orders and /healthz are not answered with the failure of long ago', async () => {
    const { device } = small;
    small.begin({ at: 'state.save', in: 'ready.waiting', how: 'stays full' });
    const built = small.build();
    await device.download(built);
    await device.reaches('toInstall');
    expect((await device.download(built)).msg).toMatch(/^DISK_FULL: the state could not be saved/);
    small.end();
    expect(await device.download(built)).toMatchObject({ code: 200, data: { status: 'toInstall' } });
    expect((await device.get('/healthz')).data).toMatchObject({ checks: { state: 'ok' } });
    await device.restart('SIGKILL');
    await device.isIn('ready.waiting');
    await device.post('/cancel', {});
  });

  function stages(from: number): string[] {
    const all = small.device.api.heard.slice(from).map(({ stage }) => stage);
    return all.filter((stage, at) => stage !== all[at - 1]);
  }
});

function howOf(words: string | undefined): Trouble['how'] {
  if (words === 'full' || words === 'stays full' || words === 'read-only') return words;
  throw new Error(`what is '${String(words)}'?`);
}
