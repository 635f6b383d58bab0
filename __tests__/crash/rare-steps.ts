import type { StepName } from '../../services/steps.js';

/** Steps that no scenario of a campaign reaches: each needs a device of its own, and is killed at in rare-steps.test.ts. */
export const RARE_STEPS = [
  'pack.write',
  'state.putAside',
  'log.tidy',
  'reserve.giveUp',
  'staging.outside',
  'unit.reload',
] as const satisfies readonly StepName[];

export function isRare(name: StepName): boolean {
  return RARE_STEPS.some((rare) => rare === name);
}
