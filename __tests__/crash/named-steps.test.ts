import { describe, expect, test } from '@jest/globals';
import { eachOnce, runStepsCampaign, unreached } from './steps-campaign.js';

describe('a kill at a named step', () => {
  if (process.env['TOPE_CAMPAIGNS'] !== 'off') {
    test('leaves the device wholly old or wholly new, and its order told, at every step there is', async () => {
      const report = await runStepsCampaign(eachOnce(), { tell: () => undefined });
      expect(report.problems).toEqual([]);
      expect(report.missed).toEqual([]);
      expect(unreached(report)).toEqual([]);
    }, 400_000);
  }
});
