import { rmSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { DiskFault, type MountKind } from './disk-image.js';
import { mixtureOf } from './inspect-device.js';
import { randomByte, randomStep, randomTime, randomWake, wordsOf } from './instant.js';
import type { Instant, Rehearsal } from './instant.js';
import { note, untilRight, wishesOf, type Kind, type KnownDevice } from './known-device.js';
import { LOST_SYNCS, type LostSyncName } from './lost-syncs.js';
import { Order, type End, type Wish } from './order.js';
import type { Random } from '../support/random.js';
import { ResumeWatch } from './resume-watch.js';
import { runInto } from './run-into.js';

/** How a cut went. */
export interface RoundReport {
  kind: Kind;
  /** The step or the moment of the cut, and of a second one. */
  cuts: string[];
  end: End | 'none';
  /** Bytes of the download that had come in and were asked for again; the most of all cuts. */
  refetched: number;
  problems: string[];
}

/** How often another program has just synced a file of its own. */
const NEIGHBOUR = 0.5;
/** How often recovery itself is cut. */
const CUT_AGAIN = 0.3;
const MOST_STEPS_OF_RECOVERY = 40;
/** How long an updater that has nothing to do runs before it is cut, ms. */
const AT_REST_MS = 100;

/**
 * One cut in one order, and all that must hold afterwards. The device is at rest, its updater is not running; the same
 * holds at the end, unless a promise was broken: that is in the report. Throws where the campaign itself has failed.
 */
export async function playRound(
  kind: Kind,
  known: KnownDevice,
  choices: Omit<Cutting, 'report'>,
): Promise<RoundReport> {
  const report: RoundReport = { kind, cuts: [], end: 'none', refetched: 0, problems: [] };
  try {
    await cutAndCheck(known, { report, ...choices });
  } catch (error) {
    // Before the first cut, and of the campaign's own disk, nothing was promised.
    if (report.cuts.length === 0 || error instanceof DiskFault) throw error;
    report.problems.push(error instanceof Error ? error.message : String(error));
  }
  return report;
}

interface Cutting {
  report: RoundReport;
  rehearsal: Rehearsal;
  random: Random;
  lose: LostSyncName | null;
}

async function cutAndCheck(known: KnownDevice, cutting: Cutting): Promise<void> {
  const { report, random, lose } = cutting;
  const { device } = known;
  const wishes = wishesOf(report.kind, known);
  const instant = instantOf(wishes.at(-1), cutting);
  const order = await runInto(instant, wishes, device);
  const resume = new ResumeWatch(device, order);
  const versions = order === null ? [known.live] : [known.live, order.wish.content];
  await cut(wordsOf(instant));
  await bootAgain();
  if (report.problems.length > 0) return;

  if (order !== null) report.end = await order.end();
  report.problems.push(...resume.problems);
  report.refetched = resume.refetched;
  const isAllowed = report.end !== 'good' || report.kind !== 'bad update' || order?.wish.kind === 'download';
  if (!isAllowed) report.problems.push('a version that does not start was told as a success');
  if (order !== null) note(known, order.wish, report.end);
  report.problems.push(...(await untilRight(known, false)));
  if (report.problems.length > 0) return;

  await updateOnce(known, order?.wish ?? null, report.end);
  report.problems.push(...(await untilRight(known, true)));
  await device.stopUpdater();
  for (const wish of wishes) if (wish.kind !== 'rollback') rmSync(wish.built.path, { force: true });

  async function cut(words: string): Promise<void> {
    const neighbour = lose === null ? random.chance(NEIGHBOUR) : LOST_SYNCS[lose].neighbour;
    const next: MountKind = random.chance(0.5) ? 'strict' : 'ordinary';
    report.cuts.push(neighbour ? `${words} (neighbour)` : words);
    await resume.beforeCut();
    device.server.pace = () => undefined;
    await device.cut(next, { neighbour });
  }

  /** Recovery may be cut, too, once in each of its two halves. */
  async function bootAgain(): Promise<void> {
    const nth = random.whole(1, MOST_STEPS_OF_RECOVERY);
    const again = lose === null && random.chance(CUT_AGAIN) ? { moment: '*', nth } : null;
    for (const start of ['recover', 'serve'] as const) {
      if (start === 'serve') await device.boot();
      if ((await device[start](again)) === 'held') {
        await cut(`${start} ${nth}`);
        await recoverWhole();
        if (start === 'serve') await device.boot();
        if (start === 'serve') await device.serve(null);
      } else if (start === 'recover') await noteMixture();
    }
    if (again === null) return;
    const end = order === null ? wait(AT_REST_MS) : order.end();
    if ((await Promise.race([device.isHeld(), end])) !== 'held') await device.hold();
    await cut(`served ${nth}`);
    await recoverWhole();
    await device.boot();
    await device.serve(null);
  }

  async function recoverWhole(): Promise<void> {
    await device.recover(null);
    await noteMixture();
  }

  /** Services are about to start: from files that are wholly of one version. */
  async function noteMixture(): Promise<void> {
    const mixture = await mixtureOf(device.root, versions);
    report.problems.push(...mixture.map((problem) => `after recover: ${problem}`));
  }
}

function instantOf(wish: Wish | undefined, { rehearsal, random, lose }: Cutting): Instant {
  const wake = lose === null ? null : randomWake(rehearsal, LOST_SYNCS[lose].step, random);
  if (wake !== null) return wake;
  if (random.chance(0.5)) return randomStep(rehearsal, random);
  return wish?.kind === 'download' ? randomByte(wish.built.size, random) : randomTime(rehearsal, random);
}

/** The next ordinary update: of the package that has just come in, if one has. */
async function updateOnce(known: KnownDevice, last: Wish | null, end: End | 'none'): Promise<void> {
  const { device, releases } = known;
  const isReady = last?.kind === 'download' && end === 'good';
  const release = isReady ? last : releases.next('good');
  const kinds = isReady ? (['update'] as const) : (['download', 'update'] as const);
  for (const kind of kinds) {
    const order = Order.give(device, { kind, built: release.built, content: release.content });
    const how = await order.end();
    if (how !== 'good') throw new Error(`the next ${kind} after it: ${how}`);
    note(known, order.wish, how);
  }
  rmSync(release.built.path, { force: true });
}
