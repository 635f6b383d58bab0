import { UpdateError } from '../../machines/errors.js';
import { FIRST_WORDS, STAGES, topStateOf } from '../../machines/stage.js';
import { causeOf } from '../../machines/update-context.js';
import type { ReportBody } from '../../machines/report-outbox.js';
import { success, type StageNow } from '../envelope.js';
import { jsonReply } from '../reply.js';
import type { Handler } from '../route.js';
import type { UpdaterPort } from '../updater-port.js';

/** `/progress`'s `data`, the same four fields that device-api is told. In `failed` it is where the work stopped. */
export function progressNow(updater: UpdaterPort): ReportBody {
  const { value, context } = updater.state();
  const state = topStateOf(value);
  const stage = STAGES[state];
  if (state === 'failed') {
    const { code, message, progress } = causeOf(context);
    const error = new UpdateError(code, message).line;
    return { stage, progress, message: FIRST_WORDS.failed.message, error };
  }
  const { percent, message } = updater.progress(state);
  return { stage, progress: percent, message, error: null };
}

/** What stands beside an error's `code` where it is about what is going on. */
export function stageNow(updater: UpdaterPort): StageNow {
  const { stage, progress } = progressNow(updater);
  return { stage, progress };
}

/** GET /progress. A failed update is told as `code` 500, with `stage` and `progress` beside it. */
export const progress: Handler = ({ updater }) => {
  const data = progressNow(updater);
  if (data.error === null) return jsonReply(success(data));
  const { stage, progress: percent, error } = data;
  return jsonReply({ code: 500, msg: `Update failed: ${error}`, stage, progress: percent, data });
};
