import type { UnitState } from './service-control.js';
import { shortName } from './unit-names.js';

/** How a unit's last run ended, for people: `voice-app exited 1`. */
export function howItEnded(state: UnitState): string {
  const name = shortName(state.unit);
  switch (state.result) {
    case 'success':
      return `${name} ended`;
    case 'exit-code':
      return `${name} exited ${state.exitStatus}`;
    case 'signal':
    case 'core-dump':
      return `${name} was ended by signal ${state.exitStatus}`;
    default:
      return `${name} failed (${state.result}, exit status ${state.exitStatus})`;
  }
}

export function isDown({ active }: UnitState): boolean {
  return active === 'inactive' || active === 'failed';
}

export function isUp({ active }: UnitState): boolean {
  return active === 'active' || active === 'reloading';
}

/** Up, or a oneshot that has done its work. */
export function isAsGoodAsUp(state: UnitState): boolean {
  return isUp(state) || (state.isOneshot && state.active === 'inactive' && state.result === 'success');
}
