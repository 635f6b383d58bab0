/**
 * A moment, told so that it can be compared after a restart, a reboot, and by a device that boots in 1970.
 * Within one boot only `uptimeMs` counts; across boots the wall clock does, where it can be believed.
 */
export interface Instant {
  /** Identity of the boot (`/proc/sys/kernel/random/boot_id`). */
  bootId: string;
  /** Monotonic ms since the boot. */
  uptimeMs: number;
  /** Wall clock, ms since the epoch. */
  wallMs: number;
  /** Whether the wall clock lies after the day this program was built. */
  wallIsPlausible: boolean;
}

/** An age in ms that was counted up to `asOf`. */
export interface Age {
  countedMs: number;
  asOf: Instant;
}

/**
 * Ms from one instant to a later one. Within a boot: monotonic time, so that a clock that jumps changes nothing.
 * Across boots: the wall-clock gap where both ends are plausible and it is not negative, else only what this boot
 * has been running.
 */
export function elapsedMs(from: Instant, to: Instant): number {
  if (from.bootId === to.bootId) return Math.max(0, to.uptimeMs - from.uptimeMs);
  const gap = to.wallMs - from.wallMs;
  if (from.wallIsPlausible && to.wallIsPlausible && gap >= 0) return gap;
  return to.uptimeMs;
}

/** The age as it is at `now`, ready to be counted on from there. */
export function ageAt(age: Age, now: Instant): Age {
  return { countedMs: age.countedMs + elapsedMs(age.asOf, now), asOf: now };
}

/** A new age that begins now. */
export function newAge(now: Instant): Age {
  return { countedMs: 0, asOf: now };
}
