import type { UnitState } from './service-control.js';

/** A unit that is loaded and down, has not failed, and was loaded from no file: what a state starts from that knows more. */
export function unitAtRest(unit: string): UnitState {
  return {
    unit,
    load: 'loaded',
    active: 'inactive',
    isOneshot: false,
    result: 'success',
    exitStatus: 0,
    mainPid: 0,
    restarts: 0,
    leftOvers: false,
    refusesStop: false,
    fragmentPath: null,
  };
}
