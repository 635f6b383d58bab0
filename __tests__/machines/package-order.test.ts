import { describe, expect, test } from '@jest/globals';
import {
  compareVersions,
  identityOf,
  isSamePackage,
  type PackageOrder,
} from '../../machines/package-order.js';
import { ORDER } from '../support/machine-driver.js';

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
});

describe('a package', () => {
  test('is the same whatever its URL, name and sha256 [W-27]', () => {
    const again: PackageOrder = { ...ORDER, url: 'http://other/', name: 'b', sha256: 'c' };
    expect(isSamePackage(ORDER, again)).toBe(true);
  });

  test.each([{ version: '1.1.1' }, { md5: 'c'.repeat(32) }, { size: 1001 }])(
    'is another one with %j [W-27]',
    (other) => {
      expect(isSamePackage(ORDER, { ...ORDER, ...other })).toBe(false);
    },
  );

  test('is not the same as none, and none is not the same as none', () => {
    expect(isSamePackage(ORDER, null)).toBe(false);
    expect(isSamePackage(null, null)).toBe(false);
  });

  test('has an identity that holds no URL [M-4]', () => {
    expect(identityOf(ORDER)).toEqual({ version: ORDER.version, md5: ORDER.md5, size: ORDER.size });
  });
});
