import { describe, expect, test } from '@jest/globals';
import { ERRORS, isErrorCode, isPackageVerdict, toUpdateError, UpdateError } from '../../machines/errors.js';
import { statePath, STAGES, topStateOf } from '../../machines/stage.js';

/** The codes of the contract, in its order. */
const CODES =
  `VALIDATION_ERROR, OPERATION_IN_PROGRESS, DEVICE_BUSY, PACKAGE_NOT_FOUND, DOWNLOAD_INCOMPLETE, MD5_NOT_VERIFIED, PACKAGE_EXPIRED,
DOWNLOAD_FAILED, INCOMPLETE_DOWNLOAD, PACKAGE_SIZE_MISMATCH, MD5_MISMATCH, SHA256_MISMATCH, SIGNATURE_INVALID, INVALID_PACKAGE,
INVALID_MANIFEST, VERSION_NOT_ALLOWED, INCOMPATIBLE_DEVICE, DISK_FULL, SERVICE_STOP_FAILED, PROCESS_KILL_FAILED,
DEPLOYMENT_FAILED, SERVICE_START_FAILED, HEALTH_CHECK_FAILED, POST_CMD_FAILED, ROLLBACK_FAILED, CANCELLED, INTERNAL_ERROR`.split(
    /,\s*/,
  );

describe('the table of errors', () => {
  test('holds the codes of the contract and no others [D-102]', () => {
    expect(Object.keys(ERRORS)).toEqual(CODES);
  });

  test('says of each what happened and what to do, in whole sentences', () => {
    for (const { means, remedy } of Object.values(ERRORS)) {
      expect(means).toMatch(/^\w.* .*\.$/);
      expect(remedy).toMatch(/^[A-Z].* .*\.$/);
    }
  });

  test('answers with the contract’s integers [W-6]', () => {
    expect(ERRORS.VALIDATION_ERROR.answer).toBe(400);
    expect(ERRORS.PACKAGE_NOT_FOUND.answer).toBe(404);
    expect(ERRORS.PACKAGE_EXPIRED.answer).toBe(410);
    for (const code of [
      'OPERATION_IN_PROGRESS',
      'DEVICE_BUSY',
      'DOWNLOAD_INCOMPLETE',
      'MD5_NOT_VERIFIED',
    ] as const) {
      expect(ERRORS[code].answer).toBe(409);
    }
  });

  test('knows its codes, and no name that every object has', () => {
    expect(CODES.every(isErrorCode)).toBe(true);
    expect(['toString', 'ENOSPC', '', 5, null].some(isErrorCode)).toBe(false);
  });

  test('tells a verdict on the package from trouble on the way [D-103]', () => {
    expect(CODES.filter((code) => isErrorCode(code) && isPackageVerdict(code))).toEqual([
      'PACKAGE_SIZE_MISMATCH',
      'MD5_MISMATCH',
      'SHA256_MISMATCH',
      'SIGNATURE_INVALID',
      'INVALID_PACKAGE',
      'INVALID_MANIFEST',
      'VERSION_NOT_ALLOWED',
      'INCOMPATIBLE_DEVICE',
    ]);
  });
});

describe('an error', () => {
  test('stands on the wire as its code and its words [W-7]', () => {
    expect(new UpdateError('DISK_FULL', 'needs 5 bytes').line).toBe('DISK_FULL: needs 5 bytes');
  });

  test('of the table stays the one it is; anything else becomes one and keeps its cause', () => {
    const error = new UpdateError('DISK_FULL', 'x');
    expect(toUpdateError(error)).toBe(error);
    const cause = new Error('EIO');
    expect(toUpdateError(cause)).toMatchObject({ code: 'INTERNAL_ERROR', message: 'EIO', cause });
  });
});

describe('a state value', () => {
  test('is told as one path, and belongs to a stage of the contract', () => {
    const value = { restarting: { rollingBack: 'toFactory' } };
    expect(statePath(value)).toBe('restarting.rollingBack.toFactory');
    expect(STAGES[topStateOf(value)]).toBe('rebooting');
    expect(topStateOf('idle')).toBe('idle');
  });

  test('that is none of the machine’s is refused', () => {
    for (const value of ['unheard', { unheard: 'x' }, null, 5, {}, 'toString']) {
      expect(() => topStateOf(value)).toThrow(/not a state of the machine/);
    }
  });
});
