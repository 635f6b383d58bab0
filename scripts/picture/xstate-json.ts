import type { AnyStateMachine } from 'xstate';

/**
 * A machine's definition as JSON: what XState's createMachine takes, and Stately's editor as the argument of a
 * `createMachine(…)` (import from code). Functions (what an actor is given, what a guard is asked with) have no place in
 * JSON; the names of guards, actions and actors stay.
 */
export function xstateJsonOf({ config }: AnyStateMachine): string {
  return `${JSON.stringify(config, null, 2)}\n`;
}
