import { dirname } from 'node:path';
import { stat } from 'node:fs/promises';
import { UpdateError, type ErrorCode } from '../../machines/errors.js';
import { look, removeFile, syncFileAt, syncFolder } from '../disk.js';
import { stopUnits } from '../service-control/stop-units.js';
import { readAttributes } from './attributes.js';
import type { DeploymentTools } from './deployment-tools.js';
import { Journal, type JournalBody, type PlannedUnit, type UnitHealth } from './journal.js';
import { withKeptBeside } from './kept-beside.js';
import { isUntouched, recordFile, statFile } from './live-file.js';
import { isEdited, type Operation } from './operation.js';
import { byStart, isRunning, planUnits } from './plan-units.js';
import { AS_FOUND, AS_FOUND_VERSION, nextReleaseId, type Release } from './release.js';
import { hold } from './stage-files.js';
import type { StagedRelease } from './staged-release.js';
import type { Store } from './store.js';

/** An undone deployment that a last resort follows: its journal is replaced, its units are started again too. */
export interface Undone {
  cause: { code: ErrorCode; message: string };
  plan: readonly PlannedUnit[];
}

/**
 * Stops every unit of the plan, the journal first. Afterwards the old files are held as the services left them, durably,
 * and the journal says so. A journal in phase stopping is gone on with. Throws SERVICE_STOP_FAILED or
 * PROCESS_KILL_FAILED.
 */
export async function stopForSwitch(
  staged: StagedRelease,
  tools: DeploymentTools,
  signal: AbortSignal,
  undone: Undone | null = null,
): Promise<Journal> {
  const { store, control, log } = tools;
  const journal =
    (undone === null ? await Journal.read(store.journalPath) : null) ??
    (await Journal.create(store.journalPath, await bodyOf(staged, tools, undone), undone?.cause ?? null));
  await stopPlanned(journal.body.plan, tools, signal);
  const newcomers = await planUnits(control, { ...staged, operations: journal.body.operations }, log);
  const known = new Set(journal.body.plan.map(({ unit }) => unit));
  const missed = newcomers.filter(({ unit, wasActive }) => wasActive && !known.has(unit));
  const plan = [...journal.body.plan, ...missed];
  if (missed.length > 0) {
    await journal.rewrite({ ...journal.body, plan });
    await stopPlanned(missed, tools, signal);
  }
  const operations = await holdAsLeft(journal.body.operations, staged, tools);
  const leftId = await leftIdOf(store, staged, operations);
  await journal.rewrite({ ...journal.body, plan, operations, leftId });
  return journal;
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
    unitFilesChange: operations.some(({ path }) => path.includes('/systemd/system/')),
    postCommands: staged.postCommands,
    health: healthOf(wanted, plan),
    leftHealth: live === null ? [] : healthOf(live, plan),
    roots,
  };
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
  if (live.id !== (await store.pointer('factory')) || !operations.some(isEdited)) return live.id;
  return nextReleaseId([...(await store.releaseIds()), wanted.id], live.version);
}

async function stopPlanned(
  plan: readonly PlannedUnit[],
  { control, log, timing }: DeploymentTools,
  signal: AbortSignal,
): Promise<void> {
  const running = [];
  for (const { unit } of plan) if (isRunning(await control.look(unit))) running.push(unit);
  // What would start a unit again is last in the plan, so the reverse order stops it first.
  await stopUnits(control, running.reverse(), { signal, log, ...timing });
}

/** What the services wrote last is theirs: held and hashed again. Then everything held is made durable. */
async function holdAsLeft(
  operations: readonly Operation[],
  { live }: StagedRelease,
  { log, store }: DeploymentTools,
): Promise<Operation[]> {
  const held: Operation[] = [];
  for (const operation of operations) held.push(await heldAsLeft(operation, store));
  const changed = held.filter((operation, at) => operation.old !== operations[at]?.old);
  const attributes = await readAttributes(
    changed.map(({ path }) => path),
    log,
  );
  const recorded = held.map((operation) => {
    const xattrs = attributes.get(operation.path);
    return operation.old === null || xattrs === undefined
      ? operation
      : { ...operation, old: { ...operation.old, xattrs } };
  });
  for (const { oldAt } of recorded) if (oldAt !== null) await syncFileAt('staging.sync', oldAt);
  const folders = new Set(
    recorded
      .flatMap(({ newAt, oldAt }) => [newAt, oldAt])
      .filter((at) => at !== null)
      .map((at) => dirname(at)),
  );
  for (const folder of [...folders, store.staging]) await syncFolder('staging.sync', folder);
  return withKeptBeside(recorded, live?.version ?? AS_FOUND_VERSION);
}

async function heldAsLeft(operation: Operation, store: Store): Promise<Operation> {
  const { path, old, oldIsCopy } = operation;
  const stat = await statFile(path);
  if (stat === null && old === null) return operation;
  if (stat !== null && old !== null && isUntouched(old, stat)) return operation;
  const oldAt = operation.oldAt ?? oldNameOf(operation, store);
  if ((await look(oldAt)) !== null) await removeFile('staging.remove', oldAt);
  if (stat === null) return { ...operation, old: null, oldAt: null };
  await hold(path, oldAt, oldIsCopy);
  const now = await statFile(path);
  if (now === null)
    throw new UpdateError('DEPLOYMENT_FAILED', `${path} vanished while its services were stopped`);
  return { ...operation, oldAt, old: await recordFile(path, now, {}) };
}

/** The place for the old file of an operation that found none when it was staged. */
function oldNameOf({ newAt, path }: Operation, { staging }: Store): string {
  if (newAt === null)
    throw new UpdateError('DEPLOYMENT_FAILED', `${path} came into being while services were stopped`);
  return newAt.startsWith(staging) ? newAt.replace('/new/', '/old/') : newAt.replace(/\.new$/, '.old');
}
