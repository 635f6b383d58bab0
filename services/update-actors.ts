import { setTimeout as wait } from 'node:timers/promises';
import { fromPromise } from 'xstate';
import { ageAt, type Age, type Instant } from '../machines/clock.js';
import { toUpdateError } from '../machines/errors.js';
import { DONE_MS, TRUST_MS } from '../machines/guards.js';
import type { PackageIdentity } from '../machines/package-order.js';
import type { Deployment } from '../machines/update-context.js';
import type { ActorParts } from './actor-parts.js';
import type { Clock } from './clock.js';
import { deploymentEffects } from './deployment/deployment-effects.js';
import { awaitNetwork, backOff } from './download/back-off.js';
import { transferPackage } from './download/transfer-package.js';
import { isSystemError, removeFile } from './disk.js';
import type { Effects } from './effect.js';
import { fetchedSoFar, megabytes } from './download/fetched-so-far.js';
import { inspectPackage } from './package/inspect-package.js';
import { hashPackage } from './package/verify-digest.js';
import { giveUpReserve } from './saved-state/reserve.js';
import { tidy, type TidyInput } from './tidy.js';
import { packagePath } from './work-folder.js';

/** How often a long wait looks at the clock and saves the age it counts up: a start loses that much of it at most. */
const WATCH_MS = 10 * 60 * 1000;
/** How often it answers where there is no age to count, so that what could not be tidied away is tried again. */
const WATCH_NOTHING_MS = 60 * 60 * 1000;

/** What a refusal of the operating system is called while files are put in place. */
const DEPLOYING = 'DEPLOYMENT_FAILED';

/** The actors that the machine is provided with: each state's work by the name that the machine calls it. */
export function updateActors(parts: ActorParts, effects: Effects) {
  return {
    ...downloadActors(parts, effects),
    ...packageActors(parts, effects),
    ...deploymentActors(parts, effects),
    watchTrust: fromPromise<{ at: Instant }, { trust: Age | null }>(async ({ input, signal }) => {
      await untilAge(input.trust, TRUST_MS, parts.clock, signal);
      return { at: parts.clock() };
    }),
    watchDone: fromPromise<null, { doneFor: Age | null }>(async ({ input, signal }) => {
      await untilAge(input.doneFor, DONE_MS, parts.clock, signal);
      return null;
    }),
    tidy: effects.forward(async (input: TidyInput): Promise<null> => {
      await tidy(input, parts);
      return null;
    }),
  };
}

function downloadActors(parts: ActorParts, effects: Effects) {
  const { clock, tell } = parts;
  return {
    transfer: effects.forward(({ identity }: { identity: PackageIdentity }, signal) =>
      transferPackage(identity, signal, {
        ...parts,
        onProgress: (bytes, size) => tell(...fetchedSoFar(bytes, size)),
      }),
    ),
    backOff: fromPromise<null, { delayMs: number }>(({ input, signal }) => backOff(input, signal)),
    awaitNetwork: fromPromise<{ since: Instant }, { since: Instant | null }>(({ input, signal }) =>
      awaitNetwork(input, signal, { clock }),
    ),
  };
}

function packageActors(parts: ActorParts, effects: Effects) {
  const { tmpDir, clock, log, tell } = parts;
  return {
    hashPackage: effects.forward((input: OrderedPackage, signal) => {
      const { size } = input.identity;
      return checkDigests(input, parts, signal, (bytes) =>
        tell((100 * bytes) / size, `Verifying package... ${megabytes(bytes)} / ${megabytes(size)}`),
      );
    }),
    inspectPackage: effects.forward(async ({ identity }: { identity: PackageIdentity }) => {
      const expectations = await parts.expectations(identity.version);
      const inspected = await inspectPackage(packagePath(tmpDir, identity), expectations);
      const { manifest, inflatedBytes, signedBy, warnings } = inspected;
      const modules = manifest.modules.length;
      for (const words of warnings) log.warn(words, { version: identity.version });
      log.info('package inspected', { version: identity.version, modules, inflatedBytes, signedBy });
      return { modules, inflatedBytes, signedBy, warnings, at: clock() };
    }),
    rehashPackage: effects.forward((input: OrderedPackage, signal) => {
      tell(0, 'Checking the package again...');
      return checkDigests(input, parts, signal, () => undefined);
    }),
  };
}

function deploymentActors(parts: ActorParts, effects: Effects) {
  const { tmpDir, log } = parts;
  const deployment = deploymentEffects(parts);
  return {
    askGuard: fromPromise<{ busy: string | null }, null>(async ({ signal }) => ({
      busy: await parts.askGuard(signal),
    })),
    stageRelease: effects.forward(deployment.stageRelease, DEPLOYING),
    stopServices: effects.forward<{ deployment: Deployment }, null>(
      (_, signal) => deployment.stopServices(signal),
      DEPLOYING,
    ),
    switchFiles: effects.forward<{ deployment: Deployment }, null>(() => deployment.switchFiles(), DEPLOYING),
    runPostCommands: effects.forward<null, null>((_, signal) => deployment.runPostCommands(signal)),
    startServices: effects.forward<null, null>((_, signal) => deployment.startServices(signal)),
    settleServices: effects.forward<null, null>((_, signal) => deployment.settleServices(signal)),
    commitRelease: effects.forward<null, { at: Instant; notices: string[] }>(async () => {
      try {
        return await deployment.commitRelease();
      } catch (error) {
        // What was written stays, and is not written again: only the room that lacked is asked for once more.
        if (!isSystemError(error, 'ENOSPC', 'EDQUOT') || !(await giveUpReserve(tmpDir, log))) throw error;
        return deployment.commitRelease();
      }
    }, DEPLOYING),
    goBack: effects.back(deployment.goBack, DEPLOYING),
    goToFactory: effects.back(deployment.goToFactory, DEPLOYING),
  };
}

interface OrderedPackage {
  identity: PackageIdentity;
  sha256: string | null;
}

/** Checks the digests of the package on disk. Throws what hashPackage throws. */
async function checkDigests(
  { identity, sha256 }: OrderedPackage,
  { tmpDir, log }: ActorParts,
  signal: AbortSignal,
  onProgress: (bytes: number) => void,
): Promise<null> {
  const path = packagePath(tmpDir, identity);
  try {
    await hashPackage(path, identity, sha256, { signal, onProgress });
  } catch (error) {
    // A package with a wrong digest must be gone before it is fetched again.
    if (toUpdateError(error).facts.discard === true) await removeFile('workFolder.remove', path);
    throw error;
  }
  log.info('digest checked', { version: identity.version, md5: identity.md5, bytes: identity.size });
  return null;
}

/** Waits until an age is reached, or until it is time to look again. */
async function untilAge(age: Age | null, wantedMs: number, clock: Clock, signal: AbortSignal): Promise<void> {
  const left = age === null ? WATCH_NOTHING_MS : Math.min(wantedMs - ageAt(age, clock()).countedMs, WATCH_MS);
  if (left > 0) await wait(left, undefined, { signal });
}
