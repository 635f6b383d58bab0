import { randomInt } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { Random } from '../support/random.js';
import { runRandomRounds } from './random-rounds.js';

const ROUNDS = 15;

describe('kills at random instants', () => {
  test('are chosen again by the same seed', () => {
    const choices = (seed: number) => {
      const random = new Random(seed);
      return Array.from({ length: 5 }, () => random.below(1000));
    };
    expect(choices(7)).toEqual(choices(7));
    expect(choices(7)).not.toEqual(choices(8));
  });

  test('mix no versions, lose no orders, and leave the data of the services alone [D-1, D-4, T-15]', async () => {
    const seed = randomInt(2 ** 31);
    const lines: string[] = [`seed ${seed}`];
    const report = await runRandomRounds({ rounds: ROUNDS, seed, tell: (line) => lines.push(line) });
    if (report.problems.length > 0) throw new Error(lines.join('\n'));
    expect(report.rounds).toBe(ROUNDS);
    expect(report.kills).toBeGreaterThanOrEqual(ROUNDS);
  }, 400_000);
});
