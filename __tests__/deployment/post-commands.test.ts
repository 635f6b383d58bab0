import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, jest, test } from '@jest/globals';
import { cutAt } from '../support/cut.js';
import { DeploymentBench } from '../support/deployment-bench.js';
import { errorOf } from '../support/sample-package.js';

test('a command is marked before it runs, so that a restart runs none of them twice [M-47, D-66]', async () => {
  const bench = await DeploymentBench.make();
  const told = join(bench.home, 'told');
  const commands = ['one', 'two', 'three'].map((word) => `echo ${word} >>${told}`);
  await bench.stop(
    await bench.package('1.0.0', {
      [join(bench.root, 'app')]: { data: 'new', fields: { post_cmds: commands } },
    }),
  );
  await bench.effects.switchFiles();
  await cutAt(1, () => bench.effects.runPostCommands(bench.signal), 'program.run');
  expect((await bench.journal()).head.postCommandsDone).toBe(2);
  await bench.effects.runPostCommands(bench.signal);
  await bench.effects.runPostCommands(bench.signal);
  expect(await readFile(told, 'utf8')).toBe('one\nthree\n');
});

test('a command that runs for 30 s is ended, and fails [P-18]', async () => {
  const bench = await DeploymentBench.make();
  const begun = join(bench.home, 'begun');
  const fields = { post_cmds: [`touch ${begun}; exec sleep 4`] };
  await bench.stop(await bench.package('1.0.0', { [join(bench.root, 'app')]: { data: 'new', fields } }));
  await bench.effects.switchFiles();
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance', 'hrtime'] });
  try {
    let isOver = false;
    const error = errorOf(bench.effects.runPostCommands(bench.signal).finally(() => (isOver = true)));
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    while (!existsSync(begun)) await turn();
    jest.advanceTimersByTime(29_999);
    await turn();
    expect(isOver).toBe(false);
    jest.advanceTimersByTime(1);
    expect((await error).line).toMatch(/^POST_CMD_FAILED: .* did not end in time$/);
  } finally {
    jest.useRealTimers();
  }
});
