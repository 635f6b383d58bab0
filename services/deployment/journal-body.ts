import { stat } from 'node:fs/promises';
import type { ErrorCode } from '../../machines/errors.js';
import type { DeploymentTools } from './deployment-tools.js';
import type { JournalBody, PlannedUnit, UnitHealth } from './journal.js';
import { differsFromList, type Operation } from './operation.js';
import { byStart, planUnits } from './plan-units.js';
import { AS_FOUND, nextReleaseId, type Release } from './release.js';
import type { StagedRelease } from './staged-release.js';
import type { Store } from './store.js';

/** An undone deployment that a last resort follows: its journal is replaced, its units are started again too. */
export interface Undone {
  cause: { code: ErrorCode; message: string };
  plan: readonly PlannedUnit[];
}

/** What the journal of a staged release says before the first stop; the units to be stopped are planned here. */
export async function bodyOf(
  staged: StagedRelease,
  { store, control, territory, log }: DeploymentTools,
  undone: Undone | null,
): Promise<JournalBody> {
  const { live, wanted, operations, purpose } = staged;
  const plan = withUndone(await planUnits(control, { operations, live, wanted }, log), undone?.plan ?? []);
  const roots = [];
  for (const path of territory.roots) roots.push({ path, ino: (await stat(path)).ino });
  return {
    purpose,
    from: live === null ? null : { id: live.id, version: live.version },
    to: { id: wanted.id, version: wanted.version },
    leftId: await leftIdOf(store, staged, operations),
    pointers: {
      current: await store.pointer('current'),
      previous: await store.pointer('previous'),
      factory: await store.pointer('factory'),
    },
    operations,
    newFolders: staged.newFolders,
    oldFolders: staged.oldFolders,
    plan,
    unitFilesChange: operations.some(isOfUnit),
    postCommands: staged.postCommands,
    health: healthOf(wanted, plan),
    leftHealth: live === null ? [] : healthOf(live, plan),
    roots,
  };
}

/** Whether a path is a unit's file or a drop-in of one; it may be linked from where systemd looks. */
function isOfUnit({ path }: Operation): boolean {
  return path.includes('/systemd/') || /\.(?:service|socket|timer|path|target|mount|slice)$/.test(path);
}

/** The plan, with the units that the undone deployment had stopped: what was running then shall run again. */
function withUndone(plan: PlannedUnit[], undone: readonly PlannedUnit[]): PlannedUnit[] {
  const before = new Map(undone.map((planned) => [planned.unit, planned]));
  const known = plan.map((planned) => ({
    ...planned,
    wasActive: planned.wasActive || before.get(planned.unit)?.wasActive === true,
  }));
  const units = new Set(plan.map(({ unit }) => unit));
  const missing = undone.filter(({ unit, startsInLeft }) => startsInLeft && !units.has(unit));
  return [...known, ...missing.map((planned) => ({ ...planned, startsInWanted: true }))].sort(byStart);
}

function healthOf({ units }: Release, plan: readonly PlannedUnit[]): UnitHealth[] {
  const planned = new Set(plan.map(({ unit }) => unit));
  return units
    .filter(({ unit }) => planned.has(unit))
    .flatMap(({ unit, health }) => health.map((check) => ({ unit, check })));
}

/** The list that records what is left; never factory's own where files were edited: then it is a new one. */
export async function leftIdOf(
  store: Store,
  { live, wanted }: StagedRelease,
  operations: readonly Operation[],
): Promise<string> {
  if (live === null) return AS_FOUND;
  if (live.id !== (await store.pointer('factory')) || !operations.some(differsFromList)) return live.id;
  return nextReleaseId([...(await store.releaseIds()), wanted.id], live.version);
}
