import { UpdateError } from '../../machines/errors.js';
import { topStateOf, type TopState } from '../../machines/stage.js';
import { progressNow } from '../reads/progress.js';
import type { UpdaterPort } from '../updater-port.js';

const DOES: Readonly<Record<TopState, string>> = {
  idle: 'has nothing to do',
  downloading: 'is downloading',
  verifying: 'is verifying',
  ready: 'is ready to install',
  deploying: 'is installing',
  restarting: 'is restarting the services of',
  done: 'has installed',
  failed: 'has failed with',
};

/** What the updater is about, with the version and how far it is: `the updater is downloading 1.2.0 (47 %)`. */
export function whatGoesOn(updater: UpdaterPort): string {
  const { value, context } = updater.state();
  const state = topStateOf(value);
  const version = context.deployment?.to.version ?? context.order?.version;
  const what = version === undefined || state === 'idle' ? DOES[state] : `${DOES[state]} ${version}`;
  return `the updater ${what} (${progressNow(updater).progress} %)`;
}

/** The refusal of an order that would disturb what is going on. */
export function conflict(updater: UpdaterPort): UpdateError {
  return new UpdateError('OPERATION_IN_PROGRESS', whatGoesOn(updater));
}
