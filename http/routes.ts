import * as forms from './answer-forms.js';
import { cancel } from './orders/cancel.js';
import { download } from './orders/download.js';
import { CANCEL_BODY, DOWNLOAD_BODY, ROLLBACK_BODY, UPDATE_BODY } from './orders/order-schemas.js';
import { rollback } from './orders/rollback.js';
import { update } from './orders/update.js';
import { fileOf, pageOf, SCRIPTS, STYLES } from './pages/page.js';
import { SCREEN } from './pages/screen.js';
import { visualizer } from './pages/visualizer.js';
import { events } from './reads/events.js';
import { healthz, metrics, signOfLife } from './reads/health.js';
import { openapi } from './reads/openapi.js';
import { progress } from './reads/progress.js';
import { state } from './reads/state.js';
import { history, versions } from './reads/store.js';
import type { AnswerForm, Handler, JsonSchema, Route } from './route.js';

const HTML = { mediaType: 'text/html' };
const SCRIPT = { mediaType: 'text/javascript' };
const STYLE = { mediaType: 'text/css' };
const STREAM = { mediaType: 'text/event-stream' };
const TEXT = { mediaType: 'text/plain' };

/** Everything that the updater answers to, and where. */
export const ROUTES: readonly Route[] = [
  order('/download', download, 'Fetch and verify a package', DOWNLOAD_BODY, forms.STATUS),
  order('/update', update, 'Install the package that is ready', UPDATE_BODY, forms.STATUS),
  order('/cancel', cancel, 'Stop a download, or drop a ready package', CANCEL_BODY, forms.STATUS),
  order('/rollback', rollback, 'Go back to a kept release', ROLLBACK_BODY, forms.ROLLBACK_STATUS),

  read('base', '/progress', progress, 'How far the update is', forms.PROGRESS),
  read('base', '/state', state, 'The machine as it is, without secrets', forms.STATE),
  read('base', '/events', events, 'Transitions and progress as they happen', STREAM),
  read('base', '/versions', versions, 'The releases on this device', forms.VERSIONS),
  read('base', '/history', history, 'The story of each order', forms.HISTORY),

  read('both', '/healthz', healthz, 'Whether the updater is able to work', forms.HEALTH),
  read('both', '/metrics', metrics, 'Figures in the Prometheus text format', TEXT),
  read('both', '/openapi.json', openapi, 'This description', forms.OPENAPI),
  read('both', '/visualizer', visualizer, 'The machine, live, for people', HTML),
  read('both', '/screen', pageOf(SCREEN), 'The progress, full screen', HTML),

  read('root', '/', signOfLife, 'The old sign of life', forms.SIGN_OF_LIFE),
  ...SCRIPTS.map((name) => read('root', `/pages/${name}`, fileOf(name), 'A script of the pages', SCRIPT)),
  ...STYLES.map((name) => read('root', `/pages/${name}`, fileOf(name), 'A style of the pages', STYLE)),
];

function order(path: string, handle: Handler, does: string, body: JsonSchema, answers: AnswerForm): Route {
  return { method: 'POST', path, at: 'base', handle, does, body, answers };
}

function read(at: Route['at'], path: string, handle: Handler, does: string, answers: AnswerForm): Route {
  return { method: 'GET', path, at, handle, does, answers };
}
