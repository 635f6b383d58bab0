import type { Instant } from '../../machines/clock.js';
import { UpdateError } from '../../machines/errors.js';
import type { PackageOrder } from '../../machines/package-order.js';
import type { PackageFacts } from '../../machines/update-context.js';
import type { ScriptedMachine } from './scripted-machine.js';

/** A moment of the first boot, so many ms after it began. */
export function instantAt(uptimeMs: number): Instant {
  return { bootId: 'boot-1', uptimeMs, wallMs: Date.UTC(2027, 0, 1) + uptimeMs, wallIsPlausible: true };
}

/** The order that `driveTo` gives. Its URL's query is a credential that must show nowhere. */
export const ORDER: PackageOrder = {
  version: '1.2.0',
  md5: '0123456789abcdef0123456789abcdef',
  size: 104_857_600,
  url: 'https://user:hunter2@packages.example/tope/1.2.0.zip?X-Signature=SECRET',
  name: 'tope-1.2.0.zip',
  sha256: null,
};

const FACTS: PackageFacts = { modules: 2, inflatedBytes: 300_000_000, signedBy: null, warnings: [] };

type Step = (machine: ScriptedMachine) => unknown;

function failing(code: 'DOWNLOAD_FAILED' | 'DEPLOYMENT_FAILED' | 'SERVICE_START_FAILED', message: string) {
  return new UpdateError(code, message, { progress: 42 });
}

/** Every innermost state of the machine. */
export type StatePath =
  | 'idle'
  | 'downloading.transferring'
  | 'downloading.backingOff'
  | 'downloading.waitingForNetwork'
  | 'verifying.hashing'
  | 'verifying.inspecting'
  | 'ready.waiting'
  | 'ready.askingGuard'
  | 'deploying.rehashing'
  | 'deploying.staging'
  | 'deploying.stopping'
  | 'deploying.switching'
  | 'deploying.undoing'
  | 'restarting.postCommands'
  | 'restarting.starting'
  | 'restarting.settling'
  | 'restarting.committing'
  | 'restarting.rollingBack.toPrevious'
  | 'restarting.rollingBack.toFactory'
  | 'done'
  | 'failed';

/** The way to each state: the state before it, and what leads on from there. */
const WAYS: Readonly<Record<StatePath, readonly [StatePath, Step] | null>> = {
  idle: null,
  'downloading.transferring': ['idle', (m) => m.send({ type: 'DOWNLOAD', order: ORDER })],
  'downloading.backingOff': [
    'downloading.transferring',
    (m) => m.script.transfer.fail(new UpdateError('DOWNLOAD_FAILED', 'HTTP 503', { retry: 'retry' })),
  ],
  'downloading.waitingForNetwork': [
    'downloading.transferring',
    (m) => m.script.transfer.fail(new UpdateError('DOWNLOAD_FAILED', 'ENETUNREACH', { retry: 'network' })),
  ],
  'verifying.hashing': ['downloading.transferring', (m) => m.script.transfer.answer({ resumed: false })],
  'verifying.inspecting': ['verifying.hashing', (m) => m.script.hashPackage.answer(null)],
  'ready.waiting': [
    'verifying.inspecting',
    (m) => m.script.inspectPackage.answer({ ...FACTS, at: instantAt(1000) }),
  ],
  'ready.askingGuard': [
    'ready.waiting',
    (m) => m.send({ type: 'UPDATE', version: ORDER.version, at: instantAt(2000) }),
  ],
  'deploying.rehashing': ['ready.askingGuard', (m) => m.script.askGuard.answer({ busy: null })],
  'deploying.staging': ['deploying.rehashing', (m) => m.script.rehashPackage.answer(null)],
  'deploying.stopping': [
    'deploying.staging',
    (m) => m.script.stageRelease.answer({ releaseId: 'release-1.2.0', notices: [] }),
  ],
  'deploying.switching': ['deploying.stopping', (m) => m.script.stopServices.answer(null)],
  'deploying.undoing': [
    'deploying.switching',
    (m) => m.script.switchFiles.fail(failing('DEPLOYMENT_FAILED', 'rename: EIO')),
  ],
  'restarting.postCommands': ['deploying.switching', (m) => m.script.switchFiles.answer(null)],
  'restarting.starting': ['restarting.postCommands', (m) => m.script.runPostCommands.answer(null)],
  'restarting.settling': ['restarting.starting', (m) => m.script.startServices.answer(null)],
  'restarting.committing': ['restarting.settling', (m) => m.script.settleServices.answer(null)],
  'restarting.rollingBack.toPrevious': [
    'restarting.starting',
    (m) => m.script.startServices.fail(failing('SERVICE_START_FAILED', 'voice-app exited 1')),
  ],
  'restarting.rollingBack.toFactory': [
    'restarting.rollingBack.toPrevious',
    (m) => m.script.goBack.fail(failing('SERVICE_START_FAILED', 'voice-app exited 2')),
  ],
  done: ['restarting.committing', (m) => m.script.commitRelease.answer({ at: instantAt(3000), notices: [] })],
  failed: [
    'downloading.transferring',
    (m) => m.script.transfer.fail(failing('DOWNLOAD_FAILED', 'HTTP 404 of packages.example')),
  ],
};

/** Every innermost state of the machine, in the order of an update. */
export const STATE_PATHS: readonly StatePath[] = Object.keys(WAYS).filter(isStatePath);

function isStatePath(path: string): path is StatePath {
  return Object.hasOwn(WAYS, path);
}

/** Leads a machine that is in idle to a state, with ORDER; answers with it. Throws if it arrives elsewhere. */
export async function driveTo(machine: ScriptedMachine, path: StatePath): Promise<ScriptedMachine> {
  const way = WAYS[path];
  if (way !== null) {
    const [before, step] = way;
    await driveTo(machine, before);
    await step(machine);
  }
  if (machine.path() !== path) throw new Error(`the machine is in ${machine.path()}, not ${path}`);
  return machine;
}
