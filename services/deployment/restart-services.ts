import { UpdateError } from '../../machines/errors.js';
import { checkHealth } from '../programs/health-check.js';
import { howProgramEnded, runProgram, shellCommand } from '../programs/run-program.js';
import { startUnits } from '../service-control/start-units.js';
import { settleUnits } from '../service-control/settle-units.js';
import type { DeploymentTools } from './deployment-tools.js';
import type { Journal, PlannedUnit } from './journal.js';

export type Side = 'wanted' | 'left';

const POST_COMMAND_MS = 30_000;

/**
 * The units to be started for a release, in order. On the way back only what was running before is started. systemd
 * refuses to start a socket while its service is active, so that sockets come first; other triggers stay last.
 */
export function unitsToStart(plan: readonly PlannedUnit[], side: Side): string[] {
  const fits = (unit: PlannedUnit) =>
    side === 'wanted'
      ? unit.startsInWanted && (unit.named || unit.wasActive)
      : unit.startsInLeft && unit.wasActive;
  const units = plan.filter(fits).map(({ unit }) => unit);
  const isSocket = (unit: string) => unit.endsWith('.socket');
  return [...units.filter(isSocket), ...units.filter((unit) => !isSocket(unit))];
}

/** Runs the commands of the package that were not run yet, each marked in the journal. Throws POST_CMD_FAILED. */
export async function runPostCommands(
  journal: Journal,
  { log, manager }: DeploymentTools,
  signal: AbortSignal,
): Promise<void> {
  const { postCommands } = journal.body;
  for (const [index, command] of postCommands.entries()) {
    if (index < journal.head.postCommandsDone) continue;
    signal.throwIfAborted();
    // Marked before it runs: a command that was cut must not run twice.
    await journal.mark({ postCommandsDone: index + 1 });
    log.info('post command', { command });
    const result = await runProgram(shellCommand(command), { manager, timeoutMs: POST_COMMAND_MS, signal });
    if (result.exitCode === 0) continue;
    throw new UpdateError('POST_CMD_FAILED', `'${command}' ${howProgramEnded(result)}`);
  }
}

/** Starts the units of a side in order and waits until each is active. Throws SERVICE_START_FAILED. */
export async function startServices(
  journal: Journal,
  side: Side,
  tools: DeploymentTools,
  signal: AbortSignal,
): Promise<void> {
  const { control, log, timing } = tools;
  if (journal.body.unitFilesChange) await control.reload();
  if (!control.canStart) return;
  const units = unitsToStart(journal.body.plan, side);
  await startUnits(control, units, {
    ...timing,
    log,
    signal,
    onStarted: (unit, count) => {
      if (side === 'wanted')
        tools.tell((50 * count) / units.length, `Started ${unit} (${count}/${units.length})`);
    },
  });
}

/** Watches the units of a side settle, then asks each health check. Throws HEALTH_CHECK_FAILED. */
export async function settleServices(
  journal: Journal,
  side: Side,
  tools: DeploymentTools,
  signal: AbortSignal,
): Promise<void> {
  const { control, timing } = tools;
  if (!control.canStart) return;
  await settleUnits(control, unitsToStart(journal.body.plan, side), {
    settleMs: timing.settleMs,
    signal,
    onProgress: (percent) => {
      if (side === 'wanted') tools.tell(50 + 0.45 * percent, 'Watching the services settle...');
    },
  });
  for (const { unit, check } of side === 'wanted' ? journal.body.health : journal.body.leftHealth) {
    await checkHealth(check, { name: unit, manager: tools.manager, signal });
  }
}
