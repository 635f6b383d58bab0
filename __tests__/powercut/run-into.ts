import { setTimeout as wait } from 'node:timers/promises';
import type { Instant } from './instant.js';
import { Order, type Wish } from './order.js';
import type { PluggedDevice } from './plugged-device.js';

/** Starts the updater and gives it orders until it is held; answers with the order that was given last. */
export async function runInto(
  instant: Instant,
  wishes: readonly Wish[],
  device: PluggedDevice,
): Promise<Order | null> {
  if ((await device.serve(instant.at === 'step' ? instant.point : null)) === 'held') return null;
  let order: Order | null = null;
  for (const [at, wish] of wishes.entries()) {
    const isLast = at === wishes.length - 1;
    const isThere = isLast ? arrival(instant, device) : never();
    order = Order.give(device, wish);
    // An instant by the clock may lie after the end, where nothing should be left to lose.
    const isOver = isLast && instant.at === 'time' ? never() : order.isTold();
    if ((await Promise.race([device.isHeld(), isThere, isOver])) === 'held') return order;
  }
  await device.hold();
  return order;
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}

/** Answers when the instant has come; at a step the updater holds itself. */
function arrival(instant: Instant, { server }: PluggedDevice): Promise<unknown> {
  if (instant.at === 'step') return never();
  if (instant.at === 'time') return wait(instant.afterMs);
  return new Promise((resolve) => {
    server.pace = (sent) => {
      if (sent < instant.byte) return;
      resolve(wait(instant.afterMs));
      return new Promise(() => undefined);
    };
  });
}
