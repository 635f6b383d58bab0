import { realpath } from 'node:fs/promises';
import { basename, sep } from 'node:path';
import { UpdateError } from '../../machines/errors.js';
import { step } from '../steps.js';
import { findFileUsers } from './file-users.js';
import {
  exeOf,
  isAlive,
  readProcesses,
  scriptOf,
  signalProcess,
  unlessGone,
  type ProcessFacts,
} from './proc.js';
import type { ServiceControl } from './service-control.js';
import { unitAtRest } from './unit-at-rest.js';
import { serviceUnitName, shortName } from './unit-names.js';

/**
 * Services where nothing manages them: a unit is the processes whose program or script has its name and lies below one of
 * the roots. They, and what they have started, can be stopped; nothing can be started.
 */
export function openWithoutManager(roots: readonly string[]): ServiceControl {
  const asked = new Map<string, ProcessFacts[]>();

  const stillThere = async (unit: string) => {
    const before = asked.get(unit) ?? [];
    const alive = await Promise.all(before.map(isAlive));
    return before.filter((_, index) => alive[index]);
  };
  const signalAll = async (unit: string, family: ProcessFacts[], signal: NodeJS.Signals) => {
    asked.set(unit, family);
    for (const member of family) await signalProcess(member, signal);
  };

  return {
    kind: 'none',
    canStart: false,
    unitName: serviceUnitName,
    look: async (unit) => {
      const [asking] = await stillThere(unit);
      if (asking !== undefined) return { ...unitAtRest(unit), active: 'deactivating', mainPid: asking.pid };
      const [main] = await findProcesses(shortName(unit), roots);
      return main === undefined
        ? unitAtRest(unit)
        : { ...unitAtRest(unit), active: 'active', mainPid: main.pid };
    },
    findUsers: async (paths) => {
      const users = await findFileUsers(paths);
      return {
        units: [],
        others: users.map(({ process, path }) => ({ pid: process.pid, name: process.name, path })),
      };
    },
    relativesOf: () => Promise.resolve({ dependents: [], triggers: [] }),
    askToStop: (unit) =>
      step('unit.stop', async () => {
        const mains = await findProcesses(shortName(unit), roots);
        await signalAll(unit, await familyOf(mains), 'SIGTERM');
      }),
    kill: (unit) =>
      step('unit.kill', async () => {
        const mains = await findProcesses(shortName(unit), roots);
        await signalAll(unit, await familyOf([...(await stillThere(unit)), ...mains]), 'SIGKILL');
      }),
    resetFailed: () => Promise.resolve(),
    askToStart: (unit) =>
      Promise.reject(
        new UpdateError('SERVICE_START_FAILED', `${unit} cannot be started: there is no service manager`),
      ),
    reload: () => Promise.resolve(),
    isSystemStopping: () => Promise.resolve(false),
  };
}

/** The oldest first. */
async function findProcesses(name: string, roots: readonly string[]): Promise<ProcessFacts[]> {
  const realRoots = await Promise.all(roots.map((root) => unlessGone(() => realpath(root))));
  const isWanted = (path: string | null) =>
    path !== null &&
    basename(path) === name &&
    realRoots.some((root) => root !== null && path.startsWith(root + sep));
  const found: ProcessFacts[] = [];
  for (const candidate of await readProcesses()) {
    if (candidate.pid === process.pid) continue;
    const exe = await exeOf(candidate.pid);
    if (exe === null) continue;
    if (isWanted(exe) || isWanted(await scriptOf(candidate.pid, exe))) found.push(candidate);
  }
  return found.sort((a, b) => Number(a.startTime) - Number(b.startTime));
}

/** Processes with all that they have started, but never this one or what it has started. */
async function familyOf(heads: readonly ProcessFacts[]): Promise<ProcessFacts[]> {
  const all = await readProcesses();
  const family = new Map(heads.map((head) => [head.pid, head]));
  for (const member of family.values())
    for (const child of all)
      if (child.parentPid === member.pid && child.pid !== process.pid) family.set(child.pid, child);
  return [...family.values()];
}
