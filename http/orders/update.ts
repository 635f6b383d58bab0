import { UpdateError, type ErrorCode } from '../../machines/errors.js';
import { STAGES, statePath, topStateOf, type TopState } from '../../machines/stage.js';
import { success } from '../envelope.js';
import { jsonReply } from '../reply.js';
import type { Handler } from '../route.js';
import type { MachineState, UpdaterPort } from '../updater-port.js';
import { callerOf } from './caller.js';
import { whatGoesOn } from './conflict.js';
import { readUpdateBody } from './order-bodies.js';

/** The wire contract's table for every state but `ready`. */
const REFUSALS: Readonly<Record<Exclude<TopState, 'ready'>, ErrorCode>> = {
  idle: 'DOWNLOAD_INCOMPLETE',
  downloading: 'DOWNLOAD_INCOMPLETE',
  verifying: 'MD5_NOT_VERIFIED',
  deploying: 'OPERATION_IN_PROGRESS',
  restarting: 'OPERATION_IN_PROGRESS',
  done: 'DOWNLOAD_INCOMPLETE',
  failed: 'DOWNLOAD_INCOMPLETE',
};

/** POST /update: decided and sent in one tick; answered when the install guard has spoken and the state is on disk. */
export const update: Handler = async ({ updater, request, body }) => {
  const { version } = readUpdateBody(body);
  const { value, context } = updater.state();
  const state = topStateOf(value);
  if (state !== 'ready') throw expiryIn(context, version) ?? notReady(updater, version, REFUSALS[state]);
  if (version !== context.order?.version) {
    throw new UpdateError(
      'PACKAGE_NOT_FOUND',
      `the package that is ready is ${context.order?.version ?? 'none'}, not ${version}`,
    );
  }
  updater.send({ type: 'UPDATE', version, at: updater.now() }, callerOf(request));
  const after = await updater.waitFor((now) => statePath(now.value) !== 'ready.askingGuard');
  if (topStateOf(after.value) !== 'deploying') throw refusalIn(after, updater, version);
  await updater.saved();
  return jsonReply(success({ status: STAGES.deploying }));
};

function expiryIn({ failure, order }: MachineState['context'], version: string): UpdateError | null {
  if (failure?.code !== 'PACKAGE_EXPIRED' || order?.version !== version) return null;
  return new UpdateError(failure.code, failure.message);
}

/** Why the order was not carried out, told by the state that it led to. */
function refusalIn({ value, context }: MachineState, updater: UpdaterPort, version: string): UpdateError {
  const state = topStateOf(value);
  const why = state === 'ready' ? context.refusal : state === 'failed' ? context.failure : null;
  if (why !== null) return new UpdateError(why.code, why.message);
  // While the guard was asked, a CANCEL or an order for another package came.
  return notReady(updater, version, 'CANCELLED');
}

function notReady(updater: UpdaterPort, version: string, code: ErrorCode): UpdateError {
  return new UpdateError(code, `${version} cannot be installed now: ${whatGoesOn(updater)}`);
}
