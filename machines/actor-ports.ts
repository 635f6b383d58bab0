import { fromPromise } from 'xstate';
import type { Age, Instant } from './clock.js';
import type { Deployment, Failure, Kept, PackageFacts, Transferred } from './update-context.js';
import type { PackageIdentity } from './package-order.js';

/** What the two ways back answer: how it ended, for people (`rolled back to 1.1.0`). */
export interface WayBack {
  outcome: string;
  /** Whether the switch had begun, so that the version that failed may have run. */
  hasSwitched: boolean;
  /** What people should know of it: files kept beside. */
  notices: readonly string[];
}

function port<Output, Input>(name: string) {
  return fromPromise<Output, Input>(() => Promise.reject(new Error(`the actor ${name} was not provided`)));
}

/**
 * The actors that the machine invokes, as typed ports that reject until the services provide them.
 * Inputs hold identifiers only: a restored actor starts again with its old input, so whatever may have
 * changed since (a fresh URL, the time) is read by the actor at each attempt. They reject with an UpdateError;
 * `facts.retry` is what a failed transfer advises.
 */
export const ACTOR_PORTS = {
  /** One request for the bytes that are missing. Removes what is on disk of any other package first. */
  transfer: port<Transferred, { identity: PackageIdentity }>('transfer'),
  backOff: port<null, { delayMs: number }>('backOff'),
  /** Answers when it is worth asking again; rejects when there was no network for too long. Null: lost just now. */
  awaitNetwork: port<{ since: Instant }, { since: Instant | null }>('awaitNetwork'),
  /** Removes a package with a wrong digest, so that a download that starts over begins at byte 0. */
  hashPackage: port<null, { identity: PackageIdentity; sha256: string | null }>('hashPackage'),
  inspectPackage: port<PackageFacts & { at: Instant }, { identity: PackageIdentity }>('inspectPackage'),
  /** Answers now and then, so that the age is saved, and at the end of the trust. */
  watchTrust: port<{ at: Instant }, { trust: Age | null }>('watchTrust'),
  /** Answers with the guard's words where the device is busy. */
  askGuard: port<{ busy: string | null }, null>('askGuard'),
  rehashPackage: port<null, { identity: PackageIdentity; sha256: string | null }>('rehashPackage'),
  stageRelease: port<{ releaseId: string; notices: string[] }, { deployment: Deployment }>('stageRelease'),
  stopServices: port<null, { deployment: Deployment }>('stopServices'),
  switchFiles: port<null, { deployment: Deployment }>('switchFiles'),
  runPostCommands: port<null, null>('runPostCommands'),
  startServices: port<null, null>('startServices'),
  settleServices: port<null, null>('settleServices'),
  commitRelease: port<{ at: Instant; notices: string[] }, null>('commitRelease'),
  /** Stops, undoes, starts and settles what the journal names; with no journal there is nothing to do. */
  goBack: port<WayBack, { cause: Failure }>('goBack'),
  /** The last resort: the factory release, finished forward. */
  goToFactory: port<WayBack, { cause: Failure }>('goToFactory'),
  watchDone: port<null, { doneFor: Age | null }>('watchDone'),
  /** Removes what is no longer needed: journal, staging, packages, releases that are not kept. */
  tidy: port<
    null,
    { kept: Kept; identity: PackageIdentity | null; bad: { version: string; why: string } | null }
  >('tidy'),
};
