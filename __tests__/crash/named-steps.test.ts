import { describe, expect, test } from '@jest/globals';
import { STEPS } from '../../services/steps.js';
import { eachOnce, ELSEWHERE, runStepsCampaign, unreached } from './steps-campaign.js';

describe('a kill at a named step', () => {
  test('is left to other tests for no step that is not there', () => {
    expect(STEPS).toEqual(expect.arrayContaining(Object.keys(ELSEWHERE)));
  });

  if (process.env['TOPE_CAMPAIGNS'] !== 'off') {
    test('leaves the device wholly old or wholly new, and its order told, at every step there is', async () => {
      const report = await runStepsCampaign(eachOnce(), { tell: () => undefined });
      expect(report.problems).toEqual([]);
      expect(report.missed).toEqual([]);
      expect(unreached(report)).toEqual([]);
    }, 400_000);
  }
});
