import { expect, test } from '@jest/globals';
import { eachOnce, runStepsCampaign, unreached } from './steps-campaign.js';

test('a kill at any named step leaves the device wholly old or wholly new, and its order told [D-1, D-8, D-44, T-16]', async () => {
  const report = await runStepsCampaign(eachOnce(), { tell: () => undefined });
  expect(report.problems).toEqual([]);
  expect(report.missed).toEqual([]);
  expect(unreached(report)).toEqual([]);
}, 400_000);
