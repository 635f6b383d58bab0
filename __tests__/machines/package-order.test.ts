import { describe, expect, test } from '@jest/globals';
import { identityOf, isSamePackage, type PackageOrder } from '../../machines/package-order.js';
import { ORDER } from '../support/machine-driver.js';

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
