import { setTimeout as wait } from 'node:timers/promises';
import { isSystemError } from '../../services/disk.js';
import { leftOversOf, problemsOf, type Expectation } from './inspect-device.js';
import type { End, Wish } from './order.js';
import type { PluggedDevice } from './plugged-device.js';
import type { Content, Releases } from './releases.js';

const TIDY_WITHIN_MS = 10_000;
const LOOK_EVERY_MS = 100;
/** Words of the log that no power cut may lead to. */
const COMPLAINT = /could not be (?:used|recovered)|is damaged|cannot be read|should not happen/;

export const KINDS = ['download', 'update', 'bad update', 'rollback'] as const;

export type Kind = (typeof KINDS)[number];

/** A device with what is known to be on it. */
export interface KnownDevice {
  device: PluggedDevice;
  releases: Releases;
  live: Content;
  previous: Content | null;
}

/** What the orders of a kind are, one after the other; the cut is in the last one. */
export function wishesOf(kind: Kind, { releases, previous }: KnownDevice): Wish[] {
  if (kind === 'rollback') {
    if (previous === null) throw new Error('there is nothing to go back to');
    return [{ kind, content: previous }];
  }
  const isDownload = kind === 'download';
  const release = releases.next(kind === 'bad update' ? 'bad' : 'good', { isBig: isDownload });
  const download: Wish = { kind: 'download', ...release };
  return isDownload ? [download] : [download, { kind: 'update', ...release }];
}

/** What is on the device now that an order has ended so. */
export function note(known: KnownDevice, { kind, content }: Wish, end: End | 'none'): void {
  if (kind === 'download' || end !== 'good') return;
  known.previous = known.live;
  known.live = content;
}

/** Looks until the device is as it shall be; answers with what is still wrong after the time that tidying may take. */
export async function untilRight(
  { device, live, previous }: KnownDevice,
  isTidy: boolean,
): Promise<string[]> {
  const { root, workDir } = device;
  const expected: Expectation = { root, workDir, live, previous: previous?.version ?? null, isTidy };
  const deadline = performance.now() + TIDY_WITHIN_MS;
  for (;;) {
    const isLastLook = performance.now() > deadline;
    const problems = await lookAt(device, expected, isLastLook);
    if (problems.length === 0 || isLastLook) return problems;
    await wait(LOOK_EVERY_MS);
  }
}

/** What is wrong now; that a file goes away while it is looked at is one thing wrong. */
async function lookAt(device: PluggedDevice, expected: Expectation, isLastLook: boolean): Promise<string[]> {
  try {
    const problems = [
      ...(await serviceProblems(device, expected.live)),
      ...complaints(await device.log()),
      ...leftOversOf(expected),
    ];
    // To read every file takes longer than all else together.
    if (problems.length > 0 && !isLastLook) return problems;
    return [...(await problemsOf(expected)), ...problems];
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return [error.message];
    throw error;
  }
}

async function serviceProblems(device: PluggedDevice, live: Content): Promise<string[]> {
  return [...(await device.runningVersions())]
    .filter(([, version]) => version !== live.version)
    .map(([service, version]) => `${service} runs ${version ?? 'not'}, and ${live.version} is live`);
}

function complaints(log: string): string[] {
  return log.split('\n').filter((line) => COMPLAINT.test(line));
}
