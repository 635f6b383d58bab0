import { describe, expect, test } from '@jest/globals';
import { migrated } from '../../services/saved-state/migrations.js';

const MIGRATIONS = {
  1: (snapshot: unknown) => [snapshot, 'to 2'],
  2: (snapshot: unknown) => [snapshot, 'to 3'],
};

describe('a snapshot of an older schema', () => {
  test('is migrated step by step to the one of today [M-24]', () => {
    expect(migrated('of 1', 1, MIGRATIONS, 3)).toEqual([['of 1', 'to 2'], 'to 3']);
    expect(migrated('of 2', 2, MIGRATIONS, 3)).toEqual(['of 2', 'to 3']);
  });

  test('of today stays as it is', () => {
    const snapshot = {};
    expect(migrated(snapshot, 3, MIGRATIONS, 3)).toBe(snapshot);
  });

  test('that nobody can migrate is refused', () => {
    expect(() => migrated('of 1', 1, { 2: MIGRATIONS[2] }, 3)).toThrow('no migration from schema 1 is known');
  });

  test('of the future is refused', () => {
    expect(() => migrated('of 4', 4, MIGRATIONS, 3)).toThrow("schema 4 is newer than this program's (3)");
  });
});
