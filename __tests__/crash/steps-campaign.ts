import { STEPS } from '../../services/steps.js';
import type { CrashDevice } from './crash-device.js';
import {
  killAt,
  momentsOfRecovery,
  runKilled,
  runUncut,
  wordsOf,
  type Cut,
  type Kill,
} from './named-kills.js';
import { isRare } from './rare-steps.js';
import { prepareDevice, SCENARIOS, UPDATE, type Scenario } from './scenarios.js';

/** What the updater, or the device, is cut at in a scenario; told the moments that an uncut run of it has reached. */
export type Choice = (
  scenario: Scenario,
  moments: readonly string[],
  device: CrashDevice,
) => Cut[] | Promise<Cut[]>;

export interface StepsReport {
  /** Kills that were carried out. */
  kills: number;
  /** Kills whose moment was not reached this time. */
  missed: string[];
  problems: string[];
  /** Names of steps that an uncut scenario has reached. */
  reached: Set<string>;
}

/** Where the files are half switched: what `recover` then does is cut as well. */
const IN_THE_SWITCH = killAt('switch.rename after 3');

/**
 * Each moment, the first and the last time that it is reached. In an update also: what `recover` does, and every moment
 * of a commit after which the new version does not run any more.
 */
export const thorough: Choice = async (scenario, moments, device) => {
  const cuts = firstAndLast(moments).map((kill, at) => ({
    scenario,
    kill,
    isBoot: at % 2 === 0,
    isFollowed: true,
  }));
  if (scenario !== UPDATE) return cuts;
  const recovery = await momentsOfRecovery(device, scenario, IN_THE_SWITCH);
  return [
    ...cuts,
    ...firstAndLast(recovery).map((recoverKill) => cutInRecovery(recoverKill)),
    ...eachTime(moments.filter((words) => words.startsWith('commit.'))).map((kill) => cutInCommit(kill)),
  ];
};

/**
 * Each step once, in the first scenario that reaches it: when it is over and, where it writes durably, between its two
 * halves. (Where one step begins is where the one before was over.) One in four is followed by another update.
 */
export function eachOnce(): Choice {
  const taken = new Set<string>();
  return (scenario, moments) => {
    const fresh = moments.filter((words) => / (?:after|written)$/.test(words) && !taken.has(words));
    for (const words of fresh) taken.add(words);
    const cuts = [...new Set(fresh)].map((words, at) => ({
      scenario,
      kill: killAt(words),
      isBoot: at % 2 === 0,
      isFollowed: at % 8 < 2,
    }));
    return scenario === UPDATE ? [...cuts, ...SOME_SPECIAL] : cuts;
  };
}

const SOME_SPECIAL: readonly Cut[] = [
  cutInRecovery(killAt('undo.rename after 1')),
  cutInRecovery(killAt('journal.mark before 2')),
  cutInCommit(killAt('commit.localCopy after 2')),
  cutInCommit(killAt('commit.current written 1')),
];

function cutInRecovery(recoverKill: Kill): Cut {
  return { scenario: UPDATE, kill: IN_THE_SWITCH, isBoot: true, isFollowed: true, recoverKill };
}

function cutInCommit(kill: Kill): Cut {
  return { scenario: UPDATE, kill, isBoot: true, isFollowed: true, breaks: true };
}

function firstAndLast(moments: readonly string[]): Kill[] {
  return eachTime(moments).filter(({ name, moment, count }, _, all) => {
    const last = all.filter((other) => other.name === name && other.moment === moment).length;
    // How often a state is saved depends on how many of its changes one save takes along.
    return count === 1 || count === (name.startsWith('state.') ? Math.ceil(last / 2) : last);
  });
}

function eachTime(moments: readonly string[]): Kill[] {
  const counts = new Map<string, number>();
  return moments.map((words) => {
    const count = (counts.get(words) ?? 0) + 1;
    counts.set(words, count);
    return { ...killAt(words), count };
  });
}

/** Runs every scenario uncut, then with a kill at each moment that is chosen, on so many devices at once. */
export async function runStepsCampaign(
  choose: Choice,
  { devices = 2, only = '', tell }: { devices?: number; only?: string; tell: (line: string) => void },
): Promise<StepsReport> {
  const report: StepsReport = { kills: 0, missed: [], problems: [], reached: new Set() };
  const lanes = await Promise.all(Array.from({ length: devices }, () => prepareDevice()));
  try {
    const scenarios = SCENARIOS.filter(({ name }) => only === '' || name === only);
    const reached = new Map<Scenario, string[]>();
    await shareOut(lanes, scenarios, async (device, scenario) => {
      const { moments, problems } = await runUncut(device, scenario);
      report.problems.push(...problems.map((problem) => `${scenario.name}, uncut: ${problem}`));
      for (const moment of moments) report.reached.add(killAt(moment).name);
      reached.set(scenario, moments);
      tell(`${scenario.name}: ${moments.length} moments`);
    });
    const cuts: Cut[] = [];
    const [anyDevice] = lanes;
    for (const scenario of scenarios) {
      if (anyDevice !== undefined)
        cuts.push(...(await choose(scenario, reached.get(scenario) ?? [], anyDevice)));
    }
    await shareOut(lanes, cuts, async (device, cut) => {
      const words = describe(cut);
      try {
        const { isReached, problems } = await runKilled(device, cut);
        if (isReached) report.kills += 1;
        else report.missed.push(words);
        report.problems.push(...problems.map((problem) => `${words}: ${problem}`));
        tell(`${words}${isReached ? '' : ' (not reached)'} ${problems.join('; ')}`);
      } catch (error) {
        report.problems.push(`${words}: ${String(error)}`);
        tell(`${words}: ${String(error)}`);
      }
    });
    return report;
  } finally {
    await Promise.all(lanes.map((device) => device.close()));
  }
}

function describe({ scenario, kill, isBoot, recoverKill, breaks }: Cut): string {
  const words = [`${scenario.name}, killed at ${wordsOf(kill)}`];
  if (isBoot) words.push('booted');
  if (recoverKill !== undefined) words.push(`recover killed at ${wordsOf(recoverKill)}`);
  if (breaks === true) words.push('the new version is broken by then');
  return words.join(', ');
}

/** Each device takes the next one as soon as it is free. */
async function shareOut<Work>(
  lanes: readonly CrashDevice[],
  works: readonly Work[],
  carryOut: (device: CrashDevice, work: Work) => Promise<void>,
): Promise<void> {
  const waiting = [...works];
  await Promise.all(
    lanes.map(async (device) => {
      for (let work = waiting.shift(); work !== undefined; work = waiting.shift())
        await carryOut(device, work);
    }),
  );
}

/** Steps that neither a scenario reaches nor a test of its own. */
export function unreached({ reached }: StepsReport): string[] {
  return STEPS.filter((name) => !reached.has(name) && !isRare(name));
}
