import { isSamePackage, type PackageOrder } from './package-order.js';
import { INITIAL_CONTEXT, NO_ATTEMPTS, type UpdateContext } from './update-context.js';

/** The context of a new order. What its package inflates to is known where the same one was inspected before. */
export function orderedContext(order: PackageOrder, before: UpdateContext): UpdateContext {
  const facts = isSamePackage(before.order, order) ? before.facts : null;
  return { ...INITIAL_CONTEXT, outbox: before.outbox, order, facts, kept: 'partial' };
}

/**
 * The context of an order whose package is fetched once more, from byte 0. What came first counts as one package, so
 * that the ceiling on bytes leaves room for the other.
 */
export function startedOver({ attempts, order }: UpdateContext): Partial<UpdateContext> {
  const { total } = attempts;
  return {
    kept: 'partial',
    attempts: { ...NO_ATTEMPTS, bytes: order?.size ?? 0, total, startedOver: true },
  };
}
