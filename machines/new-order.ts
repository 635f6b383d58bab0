import { isSamePackage, type PackageOrder } from './package-order.js';
import { INITIAL_CONTEXT, NO_ATTEMPTS, type Transferred, type UpdateContext } from './update-context.js';

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

/** What is changed by a transfer that ends well: its request counts too, where one was needed. */
export function transferred(
  { attempts }: UpdateContext,
  { resumed, bytesArrived }: Transferred,
): Partial<UpdateContext> {
  return {
    kept: 'package',
    attempts: {
      ...attempts,
      total: attempts.total + (bytesArrived === undefined ? 0 : 1),
      bytes: attempts.bytes + (bytesArrived ?? 0),
      networkLostAt: null,
      resumed: resumed || attempts.resumed,
    },
  };
}
