import { DOWNLOAD, DrivenMachine, UPDATE } from './machine-driver.js';

type Way = (machine: DrivenMachine) => Promise<DrivenMachine>;

const after =
  (state: LeafState, next: Way): Way =>
  async (machine) =>
    next(await WAYS[state](machine));

/** How an update that starts in idle gets into each state, nested ones too. */
const WAYS = {
  idle: (machine: DrivenMachine) => Promise.resolve(machine),
  'downloading.transferring': after('idle', (m) => Promise.resolve(m.send(DOWNLOAD))),
  'downloading.backingOff': after('downloading.transferring', (m) =>
    m.fail('transfer', 'DOWNLOAD_FAILED', { retry: 'retry' }),
  ),
  'downloading.waitingForNetwork': after('downloading.transferring', (m) =>
    m.fail('transfer', 'DOWNLOAD_FAILED', { retry: 'network' }),
  ),
  'verifying.hashing': after('downloading.transferring', (m) => m.finish('transfer')),
  'verifying.inspecting': after('verifying.hashing', (m) => m.finish('hashPackage')),
  'ready.waiting': after('verifying.inspecting', (m) => m.finish('inspectPackage')),
  'ready.askingGuard': after('ready.waiting', (m) => Promise.resolve(m.send(UPDATE))),
  'deploying.rehashing': after('ready.askingGuard', (m) => m.finish('askGuard')),
  'deploying.staging': after('deploying.rehashing', (m) => m.finish('rehashPackage')),
  'deploying.stopping': after('deploying.staging', (m) => m.finish('stageRelease')),
  'deploying.switching': after('deploying.stopping', (m) => m.finish('stopServices')),
  'deploying.undoing': after('deploying.stopping', (m) => m.fail('stopServices', 'PROCESS_KILL_FAILED')),
  'restarting.postCommands': after('deploying.switching', (m) => m.finish('switchFiles')),
  'restarting.starting': after('restarting.postCommands', (m) => m.finish('runPostCommands')),
  'restarting.settling': after('restarting.starting', (m) => m.finish('startServices')),
  'restarting.committing': after('restarting.settling', (m) => m.finish('settleServices')),
  'restarting.rollingBack.toPrevious': after('restarting.settling', (m) =>
    m.fail('settleServices', 'HEALTH_CHECK_FAILED'),
  ),
  'restarting.rollingBack.toFactory': after('restarting.rollingBack.toPrevious', (m) =>
    m.fail('goBack', 'SERVICE_START_FAILED'),
  ),
  done: after('restarting.committing', (m) => m.finish('commitRelease')),
  failed: after('deploying.rehashing', (m) => m.fail('rehashPackage', 'INTERNAL_ERROR')),
} satisfies Record<string, Way>;

export type LeafState = (typeof LEAF_STATES)[number];

/** Every state of the machine that has no states in it. */
export const LEAF_STATES = [
  'idle',
  'downloading.transferring',
  'downloading.backingOff',
  'downloading.waitingForNetwork',
  'verifying.hashing',
  'verifying.inspecting',
  'ready.waiting',
  'ready.askingGuard',
  'deploying.rehashing',
  'deploying.staging',
  'deploying.stopping',
  'deploying.switching',
  'deploying.undoing',
  'restarting.postCommands',
  'restarting.starting',
  'restarting.settling',
  'restarting.committing',
  'restarting.rollingBack.toPrevious',
  'restarting.rollingBack.toFactory',
  'done',
  'failed',
] as const;

/** A new machine in the given state, brought there by the orders and answers of an update. */
export async function machineIn(state: LeafState): Promise<DrivenMachine> {
  const machine = await WAYS[state](new DrivenMachine());
  if (machine.state !== state) throw new Error(`wanted ${state}, got ${machine.state}`);
  return machine;
}
