import { stat } from 'node:fs/promises';
import { UpdateError, type ErrorCode } from '../../machines/errors.js';
import { stopUnits } from '../service-control/stop-units.js';
import { isDown } from '../service-control/unit-words.js';
import type { DeploymentTools } from './deployment-tools.js';
import { Journal, type JournalBody, type PlannedUnit, type UnitHealth } from './journal.js';
import { holdAsLeft } from './hold-as-left.js';
import { differsFromList, type Operation } from './operation.js';
import { byStart, planUnits, replacedPaths } from './plan-units.js';
import { AS_FOUND, AS_FOUND_VERSION, nextReleaseId, type Release } from './release.js';
import type { StagedRelease } from './staged-release.js';
import type { Store } from './store.js';

/** An undone deployment that a last resort follows: its journal is replaced, its units are started again too. */
export interface Undone {
  cause: { code: ErrorCode; message: string };
  plan: readonly PlannedUnit[];
}

/**
 * Stops every unit of the plan, the journal first. Afterwards the old files are held as the services left them, durably,
 * and the journal says so (it is written anew only where they left something else than what it says). A journal in phase stopping is gone on with. Throws SERVICE_STOP_FAILED or
 * PROCESS_KILL_FAILED.
 */
export async function stopForSwitch(
  staged: StagedRelease,
  tools: DeploymentTools,
  signal: AbortSignal,
  undone: Undone | null = null,
): Promise<Journal> {
  const { store, log } = tools;
  const { live } = staged;
  const journal =
    (undone === null ? await stoppingJournal(store) : null) ??
    (await Journal.create(store.journalPath, await bodyOf(staged, tools, undone), undone?.cause ?? null));
  await stopPlanned(journal.body.plan, tools, signal);
  const missed = await newcomersTo(journal, staged, tools);
  const plan = [...journal.body.plan, ...missed].sort(byStart);
  if (missed.length > 0) {
    await journal.rewrite({ ...journal.body, plan });
    await stopPlanned(missed, tools, signal);
  }
  const { body } = journal;
  const operations = await holdAsLeft(body.operations, live?.version ?? AS_FOUND_VERSION, store, log);
  const leftId = await leftIdOf(store, staged, operations);
  const isAsWritten = leftId === body.leftId && operations.every((one, at) => one === body.operations[at]);
  if (!isAsWritten) await journal.rewrite({ ...body, operations, leftId });
  return journal;
}

/** Units that have come up since the plan was made; services are down meanwhile, so that /proc alone is asked first. */
async function newcomersTo(
  { body }: Journal,
  staged: StagedRelease,
  { control, log }: DeploymentTools,
): Promise<PlannedUnit[]> {
  const known = new Set(body.plan.map(({ unit }) => unit));
  const { units } = await control.findUsers(replacedPaths(body.operations));
  if (units.every((unit) => known.has(unit))) return [];
  const plan = await planUnits(control, { ...staged, operations: body.operations }, log);
  return plan.filter(({ unit, wasActive }) => wasActive && !known.has(unit));
}

/** The journal of a stop that was cut. */
async function stoppingJournal(store: Store): Promise<Journal | null> {
  const journal = await Journal.read(store.journalPath);
  if (journal === null || journal.head.phase === 'stopping') return journal;
  throw new UpdateError(
    'DEPLOYMENT_FAILED',
    `services cannot be stopped for ${journal.body.to.version}: its journal is ${journal.head.phase} already`,
  );
}

async function bodyOf(
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
async function leftIdOf(
  store: Store,
  { live, wanted }: StagedRelease,
  operations: readonly Operation[],
): Promise<string> {
  if (live === null) return AS_FOUND;
  if (live.id !== (await store.pointer('factory')) || !operations.some(differsFromList)) return live.id;
  return nextReleaseId([...(await store.releaseIds()), wanted.id], live.version);
}

/** Stops every unit of a plan that is not wholly down; what would start one again is last in it and stops first. */
export async function stopPlanned(
  plan: readonly PlannedUnit[],
  { control, log, timing }: Pick<DeploymentTools, 'control' | 'log' | 'timing'>,
  signal: AbortSignal,
): Promise<void> {
  const up = await unitsUp(plan, control);
  await stopUnits(control, up.reverse(), { signal, log, ...timing });
}

/** The units of a plan that are not wholly down, in its order. */
export async function unitsUp(
  plan: readonly PlannedUnit[],
  control: DeploymentTools['control'],
): Promise<string[]> {
  const states = await Promise.all(plan.map(({ unit }) => control.look(unit)));
  return plan
    .map(({ unit }) => unit)
    .filter((_, at) => {
      const state = states[at];
      return state === undefined || !isDown(state) || state.leftOvers;
    });
}
