import { checkHealth } from '../programs/health-check.js';
import { startUnits } from '../service-control/start-units.js';
import { settleUnits } from '../service-control/settle-units.js';
import { stopUnits } from '../service-control/stop-units.js';
import { isDown } from '../service-control/unit-words.js';
import type { DeploymentTools } from './deployment-tools.js';
import type { Journal, PlannedUnit } from './journal.js';

export type Side = 'wanted' | 'left';

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

/** Starts the units of a side in order and waits until each is active. Throws SERVICE_START_FAILED. */
export async function startPlanned(
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
export async function settlePlanned(
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
