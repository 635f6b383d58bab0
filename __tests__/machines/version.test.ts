import { describe, expect, test } from '@jest/globals';
import { compareVersions, isVersion } from '../../machines/version.js';

describe('versions', () => {
  test.each([
    ['1.2.10', '1.2.9', 1],
    ['1.10.0', '1.9.9', 1],
    ['10.0.0', '9.99.99', 1],
    ['0.0.0', '0.0.1', -1],
    ['1.2.3', '1.2.3', 0],
    ['2.0.0', '1.99999.99999', 1],
  ])('are compared by number: %s and %s [W-20]', (a, b, sign) => {
    expect(Math.sign(compareVersions(a, b))).toBe(sign);
    expect(Math.sign(compareVersions(b, a)) + sign).toBe(0);
  });

  test.each(['0.0.0', '1.2.3', '10.20.30'])('are three numbers, as %s is', (text) => {
    expect(isVersion(text)).toBe(true);
  });

  test.each(['', '1.2', '1.2.3.4', '01.2.3', 'v1.2.3', '1.2.3 ', `1.2.${'3'.repeat(29)}`])(
    'are nothing else: %j is none',
    (text) => {
      expect(isVersion(text)).toBe(false);
    },
  );
});
