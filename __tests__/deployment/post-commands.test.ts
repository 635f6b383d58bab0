import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { cutAt } from '../support/cut.js';
import { DeploymentBench } from '../support/deployment-bench.js';

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
