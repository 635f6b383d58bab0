import { UpdateError } from '../../machines/errors.js';
import type { DeploymentTools } from './deployment-tools.js';
import { holdAsLeft } from './hold-as-left.js';
import { bodyOf, leftIdOf, type Undone } from './journal-body.js';
import { Journal, type PlannedUnit } from './journal.js';
import { byStart, planUnits, replacedPaths } from './plan-units.js';
import { stopPlanned } from './carry-out-plan.js';
import { AS_FOUND_VERSION } from './release.js';
import type { StagedRelease } from './staged-release.js';
import type { Store } from './store.js';

/**
 * Stops every unit of the plan, the journal first. Afterwards the old files are held as the services left them, durably,
 * and the journal says so (it is written anew only where they left something else than what it says). A journal in phase
 * stopping is gone on with. Throws SERVICE_STOP_FAILED or PROCESS_KILL_FAILED.
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
