import { UpdateError } from '../../machines/errors.js';
import { success } from '../envelope.js';
import { jsonReply, textReply } from '../reply.js';
import type { Handler } from '../route.js';
import { progressNow } from './progress.js';

/** GET /: the old sign of life; no envelope. */
export const signOfLife: Handler = ({ updater }) =>
  jsonReply({ status: 'ok', service: 'tope-updater', stage: progressNow(updater).stage });

/** GET /healthz: whether the process is able to work; HTTP status 503 when it is not, with what is wrong. */
export const healthz: Handler = async ({ updater }) => {
  const { ok, checks } = await updater.health();
  if (ok) return jsonReply(success({ ok, checks }));
  const wrong = Object.entries(checks).filter(([, words]) => words !== 'ok');
  const error = new UpdateError(
    'INTERNAL_ERROR',
    `the updater is unwell: ${wrong.map(([what, words]) => `${what}: ${words}`).join('; ')}`,
  );
  return jsonReply({ code: 503, msg: error.line, data: { ok, checks } }, 503);
};

/** GET /metrics in the Prometheus text format (version 0.0.4). */
export const metrics: Handler = async ({ updater }) =>
  textReply('text/plain; version=0.0.4', await updater.metrics());
