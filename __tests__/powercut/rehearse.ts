import { note, untilRight, wishesOf, type Kind, type KnownDevice } from './known-device.js';
import type { Rehearsal } from './instant.js';
import { accepted } from '../support/updater-caller.js';
import { Order } from './order.js';

/** Carries out the orders of a kind without a cut. The device is at rest before and after, its updater not running. */
export async function rehearse(kind: Kind, known: KnownDevice): Promise<Rehearsal> {
  const { device } = known;
  await device.serve(null);
  const wishes = wishesOf(kind, known);
  let before = 0;
  let tookMs = 0;
  for (const wish of wishes) {
    before = device.trace.length;
    const startedMs = performance.now();
    const order = Order.give(device, wish);
    await order.isTold();
    tookMs = performance.now() - startedMs;
    note(known, wish, await order.end());
  }
  // A package that is ready refuses some of the orders that may come next.
  if (kind === 'download') accepted(await device.post('/cancel', {}));
  await untilRight(known, false);
  const { trace } = device;
  await device.stopUpdater();
  return { trace, before, tookMs };
}
