import type { Log } from '../log/log.js';
import { refuseUnusable } from '../service-control/refuse-unusable.js';
import type { ServiceControl, UnitState } from '../service-control/service-control.js';
import type { PlannedUnit } from './journal.js';
import type { Operation } from './operation.js';
import type { Release, ReleaseUnit } from './release.js';

export interface PlanInput {
  operations: readonly Operation[];
  live: Release | null;
  wanted: Release;
}

/**
 * Every unit that has to be stopped for the switch, in the order of starting: those that a module or the live list names
 * for a path that changes, those that use a file that changes, what systemd takes down with them, and what would start
 * them again. Throws SERVICE_STOP_FAILED where one of them cannot be stopped or started: see refuseUnusable.
 */
export async function planUnits(
  control: ServiceControl,
  { operations, live, wanted }: PlanInput,
  log: Log,
): Promise<PlannedUnit[]> {
  const plan = new Map<string, PlannedUnit>();
  const named = namedUnits(operations, live, wanted);
  const brought = new Set<string>();
  const states = await Promise.all([...named.keys()].map((unit) => control.look(unit)));
  for (const [at, [unit, order]] of [...named].entries()) {
    const state = states[at];
    if (state === undefined) continue;
    const fate = fateOf(unit, state, { operations, live, wanted });
    if (fate.isBrought) brought.add(unit);
    else if (state.load !== 'loaded' && !fate.startsInWanted) continue;
    plan.set(unit, planned(unit, state, { order, named: true, ...fate }));
  }
  const users = await control.findUsers(replacedPaths(operations));
  for (const { pid, name, path } of users.others) {
    if (plan.has(name) || plan.has(`${name}.service`)) continue;
    log.warn('a program uses a file that changes and is left running', { pid, name, path });
  }
  for (const unit of users.units) await add(unit, false);
  for (const { dependents, triggers } of await Promise.all(
    [...plan.keys()].map((unit) => control.relativesOf(unit)),
  )) {
    for (const dependent of dependents) await add(dependent, false);
    for (const trigger of triggers) await add(trigger, true);
  }
  await refuseUnusable(control, [...plan.keys()], brought);
  return [...plan.values()].sort(byStart);

  async function add(unit: string, isTrigger: boolean): Promise<void> {
    if (plan.has(unit)) return;
    const state = await control.look(unit);
    if (!isRunning(state)) return;
    const fate = fateOf(unit, state, { operations, live, wanted });
    plan.set(unit, planned(unit, state, { order: null, named: false, ...fate, isTrigger }));
  }
}

/** Paths whose files may be in use: something is there now. */
export function replacedPaths(operations: readonly Operation[]): string[] {
  return operations.filter(({ old }) => old !== null).map(({ path }) => path);
}

/** A unit that runs or is about to. */
function isRunning({ active }: UnitState): boolean {
  return active === 'active' || active === 'reloading' || active === 'activating';
}

interface Fate {
  isBrought: boolean;
  startsInWanted: boolean;
  startsInLeft: boolean;
}

function planned(
  unit: string,
  state: UnitState,
  fate: Fate & { order: number | null; named: boolean; isTrigger?: boolean },
): PlannedUnit {
  return {
    unit,
    order: fate.order,
    wasActive: isRunning(state),
    named: fate.named,
    isTrigger: fate.isTrigger ?? false,
    startsInWanted: fate.startsInWanted,
    startsInLeft: fate.startsInLeft,
  };
}

/** The order of starting: triggers last, then by restart order (none: last); a sort keeps ties in manifest order. */
export function byStart(a: PlannedUnit, b: PlannedUnit): number {
  if (a.isTrigger !== b.isTrigger) return a.isTrigger ? 1 : -1;
  return (a.order ?? Number.MAX_SAFE_INTEGER) - (b.order ?? Number.MAX_SAFE_INTEGER);
}

/** Units that the wanted or the live list names for a path that changes, with the order that counts. */
function namedUnits(
  operations: readonly Operation[],
  live: Release | null,
  wanted: Release,
): Map<string, number | null> {
  const named = new Map<string, number | null>();
  for (const { unit, order, paths } of [...wanted.units, ...(live?.units ?? [])]) {
    if (!named.has(unit) && operations.some(({ path }) => covers(paths, path))) named.set(unit, order);
  }
  return named;
}

function covers(paths: readonly string[], path: string): boolean {
  return paths.some((own) => own === path || (own.endsWith('/') && path.startsWith(own)));
}

/** Whether either release has the unit's file and program. */
function fateOf(unit: string, state: UnitState, { operations, live, wanted }: PlanInput): Fate {
  const unitFile = operations.find(({ path }) => path === state.fragmentPath || path.endsWith(`/${unit}`));
  const hadUnitFile = unitFile === undefined || unitFile.old !== null;
  const willHaveUnitFile = unitFile === undefined || unitFile.wanted !== null;
  return {
    isBrought: unitFile?.wanted != null,
    startsInWanted: willHaveUnitFile && hasProgram(unit, wanted),
    startsInLeft: hadUnitFile && hadProgram(unit, live, wanted, operations),
  };
}

function unitIn(release: Release | null, unit: string): ReleaseUnit | undefined {
  return release?.units.find((candidate) => candidate.unit === unit);
}

function hasProgram(unit: string, release: Release): boolean {
  const listed = unitIn(release, unit);
  if (listed === undefined) return true;
  return Object.entries(release.files).some(
    ([path, record]) => record !== null && covers(listed.paths, path),
  );
}

function hadProgram(
  unit: string,
  live: Release | null,
  wanted: Release,
  operations: readonly Operation[],
): boolean {
  if (live !== null && unitIn(live, unit) !== undefined) return hasProgram(unit, live);
  // No list names the unit yet: it had its program where one of its paths is replaced, not created.
  const paths = unitIn(wanted, unit)?.paths ?? [];
  const own = operations.filter(({ path }) => covers(paths, path));
  return own.length === 0 || own.some(({ old }) => old !== null);
}
