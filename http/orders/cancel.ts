import { STAGES, topStateOf, type TopState } from '../../machines/stage.js';
import { success } from '../envelope.js';
import { jsonReply } from '../reply.js';
import type { Handler } from '../route.js';
import { callerOf } from './caller.js';
import { conflict } from './conflict.js';
import { readCancelBody } from './order-bodies.js';

const DECISIONS: Readonly<Record<TopState, 'nothing' | 'cancel' | 'refuse'>> = {
  idle: 'nothing',
  downloading: 'cancel',
  verifying: 'cancel',
  ready: 'cancel',
  deploying: 'refuse',
  restarting: 'refuse',
  done: 'nothing',
  failed: 'nothing',
};

/** POST /cancel: stops a download or drops a ready package; nothing to cancel is fine too. */
export const cancel: Handler = async ({ updater, request, body }) => {
  readCancelBody(body);
  const state = topStateOf(updater.state().value);
  const decision = DECISIONS[state];
  if (decision === 'refuse') throw conflict(updater);
  if (decision === 'cancel') updater.send({ type: 'CANCEL' }, callerOf(request));
  await updater.saved();
  return decision === 'cancel'
    ? jsonReply(success({ status: STAGES.idle }))
    : jsonReply(success({ status: STAGES[state] }, 'nothing to cancel'));
};
