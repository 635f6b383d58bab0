import type { StepName } from '../../services/steps.js';
import type { Random } from '../support/random.js';
import type { StepPoint } from './step-point.js';

/** When the updater is held: at a step by itself, so many ms after the order, or at a byte of the download. */
export type Instant =
  | { at: 'step'; point: StepPoint }
  | { at: 'time'; afterMs: number }
  | { at: 'byte'; byte: number; afterMs: number };

/** What a run of an order without a cut was like. */
export interface Rehearsal {
  /** The moments of all steps since the updater's start. */
  trace: readonly string[];
  /** So many of them came before the order. */
  before: number;
  tookMs: number;
}

/** How long after the end an instant may come, as a part of the whole. */
const OVERTIME = 1.1;
/** What a server has sent needs a moment to arrive and be written. */
const MOST_DELAY_MS = 30;

/** Moments after a sync in which what it should have written is most likely not written for another reason. */
const WAKE = 6;

/**
 * A random step of those that the order takes. Half of them: each name of a step as likely as another, however often it
 * comes; the other half: each moment of the switch, from the journal's making to its removal, where there is one.
 */
export function randomStep(rehearsal: Rehearsal, random: Random): Instant {
  const moments = duringOrder(rehearsal);
  const isSwitch = random.chance(0.5);
  const first = moments.findIndex(({ moment }) => moment.startsWith('journal.create/'));
  const last = moments.findLastIndex(({ moment }) => moment.startsWith('journal.remove/'));
  if (isSwitch && first >= 0 && last > first) return atOneOf(moments.slice(first, last + 1), random);
  const name = random.oneOf([...new Set(moments.map(({ moment }) => nameOf(moment)))]);
  return atOneOf(
    moments.filter(({ moment }) => nameOf(moment) === name),
    random,
  );
}

/** A random moment right after a sync that is taken out, before another one makes good for it; null where there is none. */
export function randomWake(rehearsal: Rehearsal, step: StepName, random: Random): Instant | null {
  const moments = duringOrder(rehearsal);
  const isOf = (at: number) => moments[at]?.moment.startsWith(`${step}/`) ?? false;
  const ends = moments.flatMap((_, at) => (isOf(at) && !isOf(at + 1) ? [at] : []));
  const wake = moments.filter((_, at) => ends.some((end) => at >= end && at < end + WAKE));
  return wake.length === 0 ? null : atOneOf(wake, random);
}

/** The moments of the order, each with how often it has come since the start. */
function duringOrder({ trace, before }: Rehearsal): StepPoint[] {
  const seen = new Map<string, number>();
  const points = trace.map((moment) => {
    const nth = (seen.get(moment) ?? 0) + 1;
    seen.set(moment, nth);
    return { moment, nth };
  });
  return points.slice(before);
}

function atOneOf(points: readonly StepPoint[], random: Random): Instant {
  return { at: 'step', point: random.oneOf(points) };
}

export function randomTime({ tookMs }: Rehearsal, random: Random): Instant {
  return { at: 'time', afterMs: random.below(tookMs * OVERTIME) };
}

/** A random byte of a package, and a moment more. */
export function randomByte(size: number, random: Random): Instant {
  return { at: 'byte', byte: random.whole(1, size), afterMs: random.whole(0, MOST_DELAY_MS) };
}

export function wordsOf(instant: Instant): string {
  if (instant.at === 'step') return `${instant.point.moment}#${instant.point.nth}`;
  if (instant.at === 'byte') return `byte ${instant.byte}`;
  return `${Math.round(instant.afterMs)} ms`;
}

function nameOf(moment: string): string {
  return moment.slice(0, moment.indexOf('/'));
}
