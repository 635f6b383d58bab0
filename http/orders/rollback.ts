import { UpdateError } from '../../machines/errors.js';
import { STAGES, topStateOf, type TopState } from '../../machines/stage.js';
import { success } from '../envelope.js';
import { jsonReply } from '../reply.js';
import type { Handler } from '../route.js';
import type { UpdaterPort } from '../updater-port.js';
import { callerOf } from './caller.js';
import { conflict } from './conflict.js';
import { readRollbackBody } from './order-bodies.js';

const FREE: readonly TopState[] = ['idle', 'done', 'failed'];

/** POST /rollback: the switch to a release of the store; answered once the state that says so is on disk. */
export const rollback: Handler = async ({ updater, request, body }) => {
  const { to } = readRollbackBody(body);
  checkThatFree(updater);
  const versions = await updater.versions();
  // Another order may have come while the store was read.
  checkThatFree(updater);
  const { current, [to]: target } = versions;
  if (target === null) throw new UpdateError('PACKAGE_NOT_FOUND', `there is no ${to} release on this device`);
  if (target.id === current?.id) {
    throw new UpdateError('PACKAGE_NOT_FOUND', `the ${to} release ${target.version} is the one that is live`);
  }
  updater.send({ type: 'ROLLBACK', to: target, from: current }, callerOf(request));
  await updater.saved();
  return jsonReply(success({ status: STAGES.deploying, version: target.version }));
};

function checkThatFree(updater: UpdaterPort): void {
  if (!FREE.includes(topStateOf(updater.state().value))) throw conflict(updater);
}
