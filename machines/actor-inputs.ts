import {
  badVersionOf,
  causeOf,
  deploymentOf,
  keptPackageOf,
  orderOf,
  type UpdateContext,
} from './update-context.js';

interface Now {
  context: UpdateContext;
}

/**
 * What the actors are given: identifiers and ages, never a URL. They are stored with the saved state, and a restored
 * actor runs with its old ones.
 */
export const INPUTS = {
  identity: ({ context }: Now) => ({ identity: orderOf(context) }),
  digests: ({ context }: Now) => ({ identity: orderOf(context), sha256: context.order?.sha256 ?? null }),
  backOff: ({ context }: Now) => ({ delayMs: context.attempts.nextDelayMs }),
  networkLoss: ({ context }: Now) => ({ since: context.attempts.networkLostAt }),
  trust: ({ context }: Now) => ({ trust: context.trust }),
  deployment: ({ context }: Now) => ({ deployment: deploymentOf(context) }),
  cause: ({ context }: Now) => ({ cause: causeOf(context) }),
  doneFor: ({ context }: Now) => ({ doneFor: context.doneFor }),
  whatIsKept: ({ context }: Now) => ({ ...keptPackageOf(context), bad: badVersionOf(context) }),
};
