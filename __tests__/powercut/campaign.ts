import { execFileSync } from 'node:child_process';
import type { Rehearsal } from './instant.js';
import { LOST_SYNCS, type LostSyncName } from './lost-syncs.js';
import { PluggedDevice } from './plugged-device.js';
import { Random } from '../support/random.js';
import { Releases, type Content } from './releases.js';
import { KINDS, type Kind, type KnownDevice } from './known-device.js';
import { rehearse } from './rehearse.js';
import { playRound, type RoundReport } from './round.js';
import { Order, type Wish } from './order.js';

export interface CampaignOptions {
  rounds: number;
  seed: number;
  /** The sync that is taken out: then the first broken promise ends the campaign. */
  lose: LostSyncName | null;
  say: (line: string) => void;
}

/** Room for the image, its copies and the packages. */
const ROOM = '600m';
/** Of what is broken in one round; the first lines tell the most. */
const MOST_LINES = 8;
const LOG_LINES = 40;

/**
 * Cuts the power of a device again and again, each time somewhere in an order that a seed chooses, and answers with what
 * came of each. `folder` is empty; a file system in memory is mounted on it, so that what ext4 syncs costs no real disk
 * its time.
 */
export async function runCampaign(folder: string, options: CampaignOptions): Promise<RoundReport[]> {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${ROOM}`, 'powercut', folder]);
  const device = await PluggedDevice.make(folder, options.lose);
  try {
    return await playAll(device, options);
  } finally {
    await device.close();
  }
}

async function playAll(device: PluggedDevice, { rounds, seed, lose, say }: CampaignOptions) {
  const random = new Random(seed);
  const known = await installFirst(device);
  const update = await rehearse('update', known);
  const pristine = { live: known.live, previous: known.previous };
  await device.switchOff();
  await device.disk.keepAsPristine();
  await device.boot();
  const rehearsed = rehearser(known, update);
  let kinds: readonly Kind[] = KINDS;
  const reports: RoundReport[] = [];
  while (reports.length < rounds) {
    const kind = random.oneOf(kinds);
    const rehearsal = await rehearsed(kind);
    if (lose !== null && !doesSync(rehearsal, lose)) {
      kinds = kinds.filter((other) => other !== kind);
      continue;
    }
    const report = await playRound(kind, known, { rehearsal, random, lose });
    reports.push(report);
    say(`${String(reports.length).padStart(4)}  ${lineOf(report)}`);
    if (report.problems.length === 0) continue;
    for (const line of await storyOf(report, device)) say(`      ${line}`);
    if (lose !== null) break;
    await device.switchOff();
    await device.disk.comeBackToPristine('ordinary');
    Object.assign(known, pristine);
    await device.boot();
  }
  return reports;
}

/** Rehearses each kind of order once, when it is first needed; but for the update, which was the first to be carried out. */
function rehearser(known: KnownDevice, update: Rehearsal): (kind: Kind) => Promise<Rehearsal> {
  const rehearsals = new Map<Kind, Rehearsal>([['update', update]]);
  return async (kind) => {
    const rehearsal = rehearsals.get(kind) ?? (await rehearse(kind, known));
    rehearsals.set(kind, rehearsal);
    return rehearsal;
  };
}

/** Whether an order comes to the sync that is taken out. */
function doesSync({ trace, before }: Rehearsal, lose: LostSyncName): boolean {
  return trace.slice(before).includes(`${LOST_SYNCS[lose].step}/after`);
}

/** A device as it is after its first update, which brings the large file. */
async function installFirst(device: PluggedDevice): Promise<KnownDevice> {
  const releases = new Releases(device.packages, device.root);
  const live: Content = releases.placeAsFound();
  const known: KnownDevice = { device, releases, live, previous: null };
  await device.boot();
  await device.serve(null);
  const release = releases.next('good', { isBig: true });
  for (const kind of ['download', 'update'] as const) await carryOut(device, { kind, ...release });
  known.previous = live;
  known.live = release.content;
  await device.stopUpdater();
  return known;
}

async function carryOut(device: PluggedDevice, wish: Wish): Promise<void> {
  const end = await Order.give(device, wish).end();
  if (end !== 'good') throw new Error(`the first ${wish.kind}: ${end}`);
}

/** What was broken, and what the updater had to say about it. */
async function storyOf({ problems }: RoundReport, device: PluggedDevice): Promise<string[]> {
  const broken = problems.slice(0, MOST_LINES).map((problem) => `BROKEN: ${problem}`);
  const more = problems.length > MOST_LINES ? [`and ${problems.length - MOST_LINES} more`] : [];
  // Nobody syncs a log: a cut may leave zeros where lines were.
  const log = (await device.log()).replaceAll('\0', '').trimEnd().split('\n').slice(-LOG_LINES);
  return [...broken, ...more, ...log.map((line) => `log: ${line}`)];
}

function lineOf({ kind, cuts, end, problems }: RoundReport): string {
  const verdict = problems.length === 0 ? 'ok' : 'BROKEN';
  return `${kind.padEnd(11)} ${verdict.padEnd(6)} ${end.padEnd(11)} cut at ${cuts.join(', then ')}`;
}
