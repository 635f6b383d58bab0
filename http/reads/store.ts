import { success } from '../envelope.js';
import { jsonReply } from '../reply.js';
import type { Handler } from '../route.js';

/** GET /versions: which release is live, which ones a rollback can reach, and all that the store holds. */
export const versions: Handler = async ({ updater }) => {
  const { current, previous, factory, releases } = await updater.versions();
  return jsonReply(
    success({
      current: current?.version ?? null,
      previous: previous?.version ?? null,
      factory: factory?.version ?? null,
      releases,
    }),
  );
};

/** GET /history: the story of each order, as the updater keeps it. */
export const history: Handler = async ({ updater }) =>
  jsonReply(success({ history: await updater.history() }));
