import { join } from 'node:path';
import { beforeEach, expect, test } from '@jest/globals';
import { deploymentEffects } from '../../services/deployment/deployment-effects.js';
import { DeploymentBench } from '../support/deployment-bench.js';

let bench: DeploymentBench;
let told: { percent: number; message: string }[];
let effects: ReturnType<typeof deploymentEffects>;

beforeEach(async () => {
  bench = await DeploymentBench.make();
  told = [];
  effects = deploymentEffects({
    ...bench.parts,
    tell: (percent, message) => void told.push({ percent, message }),
  });
});

/** Stages, stops and switches a package of two modules, of which the second is three times the first. */
async function install(): Promise<void> {
  for (const unit of ['a', 'b']) bench.services.units.set(`${unit}.service`, { active: 'active' });
  const identity = await bench.package('1.0.0', {
    [join(bench.root, 'a')]: { data: 'x'.repeat(1000), fields: { process_name: 'a' } },
    [join(bench.root, 'b')]: { data: 'x'.repeat(3000), fields: { process_name: 'b' } },
  });
  const to = { id: null, version: '1.0.0' };
  const deployment = { purpose: 'update', to, from: null, identity, provenBad: false } as const;
  await effects.stageRelease({ deployment }, bench.signal);
  await effects.stopServices(bench.signal);
  await effects.switchFiles();
}

test('installing is told by the staged bytes up to 90, then by stop and switch, module by module [W-51, W-54]', async () => {
  await install();
  expect(told.filter(({ percent }) => percent > 0)).toEqual([
    { percent: 22.5, message: 'Installing module files/0 (1/2)' },
    { percent: 90, message: 'Installing module files/1 (2/2)' },
    { percent: 90, message: 'Stopping services...' },
    { percent: 96, message: 'Switching files...' },
    { percent: 100, message: 'Files switched' },
  ]);
});

test('rebooting is told by what was started and has settled, and not as 100 before the commit [W-52]', async () => {
  await install();
  told.length = 0;
  await effects.startServices(bench.signal);
  expect(told).toEqual([
    { percent: 25, message: 'Started a.service (1/2)' },
    { percent: 50, message: 'Started b.service (2/2)' },
  ]);
  await effects.settleServices(bench.signal);
  await effects.commitRelease();
  expect(told.at(-1)).toEqual({ percent: 95, message: 'Watching the services settle...' });
});
