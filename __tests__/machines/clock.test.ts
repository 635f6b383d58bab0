import { describe, expect, test } from '@jest/globals';
import { ageAt, elapsedMs, newAge, type Instant } from '../../machines/clock.js';
import { HOUR_MS } from '../support/machine-driver.js';

const DAY = Date.UTC(2030, 5, 1);

/** A moment of a boot whose clock is set. */
const moment = (bootId: string, uptimeMs: number, wallMs: number): Instant => ({
  bootId,
  uptimeMs,
  wallMs,
  wallIsPlausible: true,
});
/** A moment of a boot that NTP has not answered: it is 1970. */
const in1970 = (bootId: string, uptimeMs: number): Instant => ({
  bootId,
  uptimeMs,
  wallMs: uptimeMs,
  wallIsPlausible: false,
});

describe('the time between two instants', () => {
  test('of one boot is what the boot counted, however the wall clock jumps [M-59]', () => {
    expect(elapsedMs(moment('a', 1000, DAY), moment('a', 4000, DAY + 99 * HOUR_MS))).toBe(3000);
    expect(elapsedMs(moment('a', 1000, DAY), moment('a', 4000, DAY - 99 * HOUR_MS))).toBe(3000);
    expect(elapsedMs(in1970('a', 1000), moment('a', 4000, DAY))).toBe(3000);
  });

  test('is never negative [M-60]', () => {
    expect(elapsedMs(moment('a', 4000, DAY), moment('a', 1000, DAY))).toBe(0);
  });

  test('of two boots is the wall clock’s gap [M-60]', () => {
    expect(elapsedMs(moment('a', 9000, DAY), moment('b', 10, DAY + HOUR_MS))).toBe(HOUR_MS);
  });

  test('of two boots is only what the new one has run, where either clock was not set or it went back [M-60]', () => {
    expect(elapsedMs(moment('a', 9000, DAY), in1970('b', 70))).toBe(70);
    expect(elapsedMs(in1970('a', 9000), moment('b', 70, DAY))).toBe(70);
    expect(elapsedMs(moment('a', 9000, DAY), moment('b', 70, DAY - HOUR_MS))).toBe(70);
  });
});

describe('the age of a package', () => {
  test('adds up over boots in 1970, in which it neither expires at once nor lives for ever [M-61]', () => {
    let age = newAge(moment('a', 0, DAY));
    for (const boot of ['b', 'c', 'd']) {
      age = ageAt(age, in1970(boot, 60_000));
      age = ageAt(age, in1970(boot, HOUR_MS));
    }
    expect(age.countedMs).toBe(3 * HOUR_MS);
  });

  test('counts the time that the device was switched off, once its clock is set [M-61]', () => {
    const age = ageAt(newAge(moment('a', 5000, DAY)), moment('b', 30_000, DAY + 25 * HOUR_MS));
    expect(age).toEqual({ countedMs: 25 * HOUR_MS, asOf: moment('b', 30_000, DAY + 25 * HOUR_MS) });
  });
});
