import type { PackageOrder } from '../../machines/package-order.js';
import { STAGES, statePath, topStateOf } from '../../machines/stage.js';
import type { OrderEvent } from '../../machines/update-events.js';
import { success } from '../envelope.js';
import { jsonReply } from '../reply.js';
import type { Handler } from '../route.js';
import type { UpdaterPort } from '../updater-port.js';

/** So many of the newest transitions are shown. */
const MAX_TRANSITIONS = 200;

/** GET /state: the machine as it is, without secrets. `since` is null where the state is older than this process. */
export const state: Handler = ({ updater }) => {
  const { value, context } = updater.state();
  const transitions = updater.transitions().slice(-MAX_TRANSITIONS);
  return jsonReply(
    success({
      value,
      statePath: statePath(value),
      stage: STAGES[topStateOf(value)],
      since: transitions.findLast(({ from, to }) => from !== to)?.time ?? null,
      accepts: acceptedNow(updater),
      attempts: context.attempts,
      context: { ...context, order: withoutSecrets(context.order) },
      transitions,
    }),
  );
};

function withoutSecrets(order: PackageOrder | null): PackageOrder | null {
  if (order === null) return null;
  const { origin, pathname } = new URL(order.url);
  return { ...order, url: `${origin}${pathname}` };
}

/** The types of the orders that the machine would take now, asked with one example each (two where it compares). */
function acceptedNow(updater: UpdaterPort): OrderEvent['type'][] {
  const now = updater.state();
  const { order } = now.context;
  const anotherOrder = { version: '0.0.0', md5: '', size: 0, url: '', name: '', sha256: null };
  const examples: OrderEvent[] = [
    { type: 'DOWNLOAD', order: anotherOrder },
    ...(order === null ? [] : [{ type: 'DOWNLOAD' as const, order }]),
    { type: 'UPDATE', version: order?.version ?? '0.0.0', at: updater.now() },
    { type: 'CANCEL' },
    { type: 'ROLLBACK', to: { id: '', version: '0.0.0' }, from: null },
  ];
  return [...new Set(examples.filter((event) => now.can(event)).map(({ type }) => type))];
}
