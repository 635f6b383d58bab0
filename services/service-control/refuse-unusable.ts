import { UpdateError } from '../../machines/errors.js';
import type { ServiceControl, UnitState } from './service-control.js';
import { OWN_UNITS } from './unit-names.js';
import { isDown } from './unit-words.js';

const WHY_NOT: Record<Exclude<UnitState['load'], 'loaded'>, string> = {
  missing: 'there is no such unit',
  masked: 'it is masked',
  broken: 'its unit file cannot be read',
};

/**
 * Looks, before the first unit is stopped, whether all of them can be: throws SERVICE_STOP_FAILED that names each unit
 * that is missing, masked or broken, that runs and refuses to be stopped, or that is the updater's own. A unit of
 * `broughtAlong` (the package has its unit file) may be missing, masked or broken.
 */
export async function refuseUnusable(
  control: ServiceControl,
  units: readonly string[],
  broughtAlong: ReadonlySet<string>,
): Promise<void> {
  const states = await Promise.all(units.map(async (unit) => ({ unit, state: await control.look(unit) })));
  const faults = states.flatMap(({ unit, state }) => {
    const fault = faultOf(state, broughtAlong.has(unit));
    return fault === null ? [] : [`${unit}: ${fault}`];
  });
  if (faults.length > 0)
    throw new UpdateError(
      'SERVICE_STOP_FAILED',
      `units that cannot be stopped and started: ${faults.join('; ')}`,
    );
}

function faultOf(state: UnitState, isBroughtAlong: boolean): string | null {
  if (OWN_UNITS.includes(state.unit)) return "it is the updater's own";
  if (state.load !== 'loaded' && !isBroughtAlong) return WHY_NOT[state.load];
  return state.refusesStop && !isDown(state) ? 'it refuses to be stopped (RefuseManualStop)' : null;
}
