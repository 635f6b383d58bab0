import type { WayBack } from './actor-ports.js';
import { amended } from './failure.js';
import type { UpdateContext } from './update-context.js';

/**
 * How a way back ended, taken into the context: the failure tells it, and a version that was never switched to is not
 * bad, whatever step the failure came from.
 */
export function wentBack(
  context: UpdateContext,
  { outcome, hasSwitched, notices }: WayBack,
): Partial<UpdateContext> {
  const { deployment } = context;
  return {
    ...amended(context, ({ message }) => ({ message: `${message}; ${outcome}` })),
    ...(deployment === null || hasSwitched ? {} : { deployment: { ...deployment, provenBad: false } }),
    notices: [...new Set([...context.notices, ...notices])],
  };
}
