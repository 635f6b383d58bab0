import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { DeploymentBench } from '../support/deployment-bench.js';
import { errorOf } from '../support/sample-package.js';

test('the health checks of a package are asked once its units have settled, and decide [D-73]', async () => {
  const bench = await DeploymentBench.make();
  const unit = 'app.service';
  bench.services.units.set(unit, { active: 'active' });
  const asked = join(bench.home, 'asked');
  const exec = ['/bin/sh', '-c', `touch ${asked}; exit 4`];
  const fields = { process_name: 'app', health: { exec, timeout_s: 0.1 } };
  await bench.stop(await bench.package('1.0.0', { [join(bench.root, 'app')]: { data: 'new', fields } }));
  await bench.effects.switchFiles();
  bench.services.crashing.add(unit);
  await errorOf(bench.effects.startServices(bench.signal));
  expect((await errorOf(bench.effects.settleServices(bench.signal))).code).toBe('HEALTH_CHECK_FAILED');
  expect(existsSync(asked)).toBe(false);
  bench.services.crashing.clear();
  await bench.effects.startServices(bench.signal);
  expect((await errorOf(bench.effects.settleServices(bench.signal))).message).toContain('exited 4');
  expect(existsSync(asked)).toBe(true);
});
