import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { sha256 } from '../support/file-tree.js';
import type { CrashDevice } from './crash-device.js';
import { Order } from './order.js';
import { filesOf, NEXT, USER } from './releases.js';
import { begin, EDITED, type Scenario } from './scenarios.js';
import { isScribble, mayStay, problemsAfter, treeOf, treeOfVersion, type Tree } from './sound-device.js';

/** The moment of a step at which a process kills itself. */
export interface Kill {
  name: string;
  moment: string;
  /** The how manyeth time that this moment is reached, from 1. */
  count: number;
}

/** By when an updater whose order has ended is done with tidying up. */
const TIDY_MS = 2000;

/** A moment as a line of the steps file or of KILL_AT tells it; without a count, the first time. */
export function killAt(words: string): Kill {
  const [name = '', moment = '', count = '1'] = words.split(' ');
  return { name, moment, count: Number(count) };
}

export function wordsOf({ name, moment, count }: Kill): string {
  return `${name} ${moment} ${count}`;
}

/** Carries a scenario out without a kill; answers with every moment that was reached, in order, and what went wrong. */
export async function runUncut(
  device: CrashDevice,
  scenario: Scenario,
): Promise<{ moments: string[]; problems: string[] }> {
  const order = await begin(device, scenario);
  const before = await treeOf(device);
  const problems: string[] = [];
  const moments = await recordedBy(device, async (environment) => {
    await device.serve(environment);
    await order.pursue();
    problems.push(...(await problemsAtTheEnd(device, scenario, order, before)));
  });
  const [final] = order.finals;
  if (final?.stage !== scenario.ends) problems.push(`it ended otherwise: ${final?.raw ?? 'not at all'}`);
  if (order.saidVersion(scenario.version.before, scenario.version.after) !== scenario.version.after)
    problems.push(`it said: ${final?.raw ?? ''}`);
  device.services.unmark();
  return { moments, problems };
}

/** Every moment that `recover` reaches where an updater was killed, in order. */
export async function momentsOfRecovery(
  device: CrashDevice,
  scenario: Scenario,
  kill: Kill,
): Promise<string[]> {
  const order = await begin(device, scenario);
  device.launch('serve', { KILL_AT: wordsOf(kill) });
  if (await device.isListening()) await order.pursue();
  await device.updater.ended();
  await device.services.stop();
  return recordedBy(device, (environment) => device.recover(environment));
}

/** The moments that an updater reaches. */
async function recordedBy(
  device: CrashDevice,
  run: (environment: NodeJS.ProcessEnv) => Promise<unknown>,
): Promise<string[]> {
  const path = join(device.folder, 'steps');
  rmSync(path, { force: true });
  await run({ STEPS_FILE: path });
  return readFileSync(path, 'utf8').trim().split('\n');
}

/** How a device is brought down, and what it finds when it comes up again. */
export interface Cut {
  scenario: Scenario;
  /** Where the updater that carries out the order kills itself. */
  kill: Kill;
  /** The whole device goes down: its services too, and `recover` runs before them. Else only the updater starts again. */
  isBoot: boolean;
  /** Where `recover` kills itself, before it is run once more. */
  recoverKill?: Kill;
  /** The wanted version does not run any more when the device comes up. */
  breaks?: boolean;
  /** Whether another update follows, to show that the device is as good as before. */
  isFollowed: boolean;
}

/**
 * Carries a scenario out with an updater that kills itself, and lets the device come up again. Answers with everything
 * that is not as it must be.
 */
export async function runKilled(
  device: CrashDevice,
  { scenario, kill, isBoot, recoverKill, isFollowed, breaks = false }: Cut,
): Promise<{ problems: string[]; isReached: boolean }> {
  const order = await begin(device, scenario);
  const before = await treeOf(device);
  device.launch('serve', { KILL_AT: wordsOf(kill) });
  if (await device.isListening()) await order.pursue();
  if (!(await isKilled(device))) return { problems: [], isReached: false };
  order.noteCut();
  if (breaks) device.services.mark(`broken-alpha-${scenario.version.after}`);
  if (isBoot) {
    await device.services.stop();
    if (recoverKill !== undefined) {
      const { signal } = await device.recover({ KILL_AT: wordsOf(recoverKill) });
      if (signal !== 'SIGKILL') return { problems: [], isReached: false };
    }
    const problem = await recoverProblem(device);
    if (problem !== null) return { problems: [problem], isReached: true };
    device.services.start();
  }
  await device.serve();
  if ((await order.pursue()) === 'cut') return { problems: ['the updater ended by itself'], isReached: true };
  const problems = await problemsAtTheEnd(device, scenario, order, before);
  device.services.unmark();
  if (isFollowed) problems.push(...(await problemsOfNextUpdate(device, scenario, before)));
  return { problems, isReached: true };
}

/** As at a boot: it runs only where there is a journal. */
async function recoverProblem(device: CrashDevice): Promise<string | null> {
  if (!device.hasJournal) return null;
  const { exitCode, stdout, tookMs } = await device.recover();
  return exitCode === 0 && !stdout.includes('ERROR') ? null : `recover (${tookMs} ms): ${stdout}`;
}

/** The kill may come after the end of the order, while the updater tidies up. */
async function isKilled(device: CrashDevice): Promise<boolean> {
  await Promise.race([device.updater.ended(), wait(TIDY_MS)]);
  return !device.updater.isRunning;
}

async function problemsAtTheEnd(
  device: CrashDevice,
  { version }: Scenario,
  order: Order,
  before: Tree,
): Promise<string[]> {
  const live = order.saidVersion(version.before, version.after);
  const isBack = order.finals[0]?.stage === 'failed' && live === version.before;
  const sound = isBack
    ? { live, tree: before, mayBe: isScribble }
    : { live, tree: treeAfter(live, version.before, before), mayBe: mayStay };
  const problems = await problemsAfter(device, order, sound);
  const runs = device.services.postCommands().filter((words) => words === version.after).length;
  return runs > 1 && version.after !== version.before
    ? [...problems, `the post command ran ${runs} times`]
    : problems;
}

/** The files of a version, what is not ours as it was, and what was edited beside. */
function treeAfter(version: string, left: string, before: Tree): Tree {
  const ours = filesOf(left);
  const theirs = [...before].filter(([path, { kind }]) => kind !== 'folder' && !ours.has(path));
  const tree: Tree = new Map([...treeOfVersion(version), ...theirs]);
  if (before.get('alpha/alpha.cfg')?.content !== sha256(EDITED)) return tree;
  const kept = { kind: 'file', mode: 0o640, ...USER, content: sha256(EDITED) } as const;
  return tree.set(`alpha/alpha.cfg.local-${left}`, kept);
}

async function problemsOfNextUpdate(
  device: CrashDevice,
  { version }: Scenario,
  before: Tree,
): Promise<string[]> {
  const order = new Order(device, { update: NEXT });
  await order.pursue();
  const [final] = order.finals;
  if (final?.stage !== 'success') return [`the next update: ${final?.raw ?? 'the updater ended by itself'}`];
  const tree = treeAfter(NEXT, version.before, before);
  const problems = await problemsAfter(device, order, { live: NEXT, tree, mayBe: mayStay });
  return problems.map((problem) => `after the next update: ${problem}`);
}
