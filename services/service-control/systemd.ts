import { UpdateError, type ErrorCode } from '../../machines/errors.js';
import { step, type StepName } from '../steps.js';
import { findFileUsers } from './file-users.js';
import type { Relatives, ServiceControl, UnitState, Users } from './service-control.js';
import { RELOAD_MS, resetFailed, showUnits, systemctl, type Properties } from './systemctl.js';
import { serviceUnitName, OWN_UNITS } from './unit-names.js';
import { unitOfProcess } from './unit-of-process.js';

const STATE = [
  ...['Id', 'LoadState', 'ActiveState', 'Type', 'Result', 'ExecMainStatus', 'MainPID', 'NRestarts'],
  ...['RefuseManualStop', 'FragmentPath', 'ControlGroup', 'Job'],
];
/** What systemd.unit(5) calls the ways in which a unit drags others along. */
const RELATIONS = {
  RequiredBy: 'dependents',
  BoundBy: 'dependents',
  ConsistsOf: 'dependents',
  TriggeredBy: 'triggers',
} as const;

/**
 * Services as systemd runs them, by systemctl. What systemd refuses becomes an error of the step that asked; that it
 * cannot be asked at all while only looking is an INTERNAL_ERROR.
 */
export async function openSystemd(): Promise<ServiceControl> {
  const mine = await unitOfProcess(process.pid);
  // Started by hand, the updater is part of a session that is not its own.
  const own = new Set(mine?.endsWith('.service') === true ? [...OWN_UNITS, mine] : OWN_UNITS);
  return {
    kind: 'systemd',
    canStart: true,
    unitName: serviceUnitName,
    look,
    findUsers: (paths) => findUsers(paths, own),
    relativesOf,
    askToStop: (unit) => change('unit.stop', 'SERVICE_STOP_FAILED', ['stop', '--no-block', '--', unit]),
    kill: (unit) =>
      change('unit.kill', 'PROCESS_KILL_FAILED', ['kill', '--kill-whom=all', '--signal=SIGKILL', '--', unit]),
    resetFailed: forgetFailures,
    askToStart: (unit) => change('unit.start', 'SERVICE_START_FAILED', ['start', '--no-block', '--', unit]),
    startAndWait,
    reload: () => change('unit.reload', 'SERVICE_START_FAILED', ['daemon-reload'], RELOAD_MS),
    // The exit status tells only `running` from all else, so the word is what counts.
    isSystemStopping: async () => (await systemctl(['is-system-running'])).stdout.trim() === 'stopping',
  };
}

async function look(unit: string): Promise<UnitState> {
  const [properties = new Map<string, string>()] = await showUnits([unit], STATE);
  return stateOf(unit, properties);
}

function stateOf(unit: string, properties: Properties): UnitState {
  const text = (name: string) => properties.get(name) ?? '';
  const active = activeOf(text('ActiveState'));
  const isDown = active === 'inactive' || active === 'failed';
  const fragmentPath = text('FragmentPath');
  return {
    unit: text('Id') === '' ? unit : text('Id'),
    load: loadOf(text('LoadState')),
    active: isDown && text('Job') !== '' ? 'activating' : active,
    isOneshot: text('Type') === 'oneshot',
    result: text('Result') === '' ? 'success' : text('Result'),
    exitStatus: Number(text('ExecMainStatus')),
    mainPid: Number(text('MainPID')),
    restarts: Number(text('NRestarts')),
    // systemd keeps the cgroup of a unit that is down only while something is in it.
    leftOvers: isDown && text('ControlGroup') !== '',
    refusesStop: text('RefuseManualStop') === 'yes',
    fragmentPath: fragmentPath === '' ? null : fragmentPath,
  };
}

async function findUsers(paths: readonly string[], own: ReadonlySet<string>): Promise<Users> {
  const users = await findFileUsers(paths);
  const withUnits = await Promise.all(
    users.map(async (user) => ({ ...user, unit: (await unitOfProcess(user.process.pid)) ?? '' })),
  );
  const foreign = withUnits.filter(({ unit }) => !own.has(unit));
  const units = await stoppableOf(new Set(foreign.map(({ unit }) => unit)));
  const others = foreign
    .filter(({ unit }) => !units.has(unit))
    .map(({ process, path }) => ({ pid: process.pid, name: process.name, path }));
  return { units: [...units], others };
}

/** Those that are up, and that could be started again as they were: services with a unit file of their own. */
async function stoppableOf(names: ReadonlySet<string>): Promise<Set<string>> {
  const services = [...names].filter((name) => name.endsWith('.service') && !name.startsWith('user@'));
  const shown = await showUnits(services, ['Id', 'ActiveState', 'FragmentPath', 'Transient']);
  const stoppable = shown.filter(
    (unit) => isUp(unit) && unit.get('FragmentPath') !== '' && unit.get('Transient') !== 'yes',
  );
  return new Set(stoppable.map(idOf));
}

async function relativesOf(unit: string): Promise<Relatives> {
  const met = new Map<string, keyof Relatives>();
  const up = new Set<string>();
  for (let generation = [unit]; generation.length > 0;) {
    const shown = await showUnits(generation, ['Id', 'ActiveState', ...Object.keys(RELATIONS)]);
    generation = [];
    for (const relative of shown.filter((one) => !met.has(idOf(one)) || isUp(one))) {
      up.add(idOf(relative));
      for (const [property, kind] of Object.entries(RELATIONS)) {
        const names = (relative.get(property) ?? '').split(' ');
        for (const name of names.filter((one) => one !== '' && one !== unit && !met.has(one))) {
          met.set(name, kind);
          generation.push(name);
        }
      }
    }
  }
  const those = (kind: keyof Relatives) =>
    [...met.keys()].filter((name) => met.get(name) === kind && up.has(name));
  return { dependents: those('dependents'), triggers: those('triggers') };
}

function idOf(shown: Properties): string {
  return shown.get('Id') ?? '';
}

function isUp(shown: Properties): boolean {
  return ['active', 'reloading', 'refreshing', 'activating'].includes(shown.get('ActiveState') ?? '');
}

async function forgetFailures(unit: string): Promise<void> {
  await step('unit.resetFailed', async () => {
    const { ok, words } = await resetFailed(unit);
    if (!ok && !words.split('; ').every(isMoot))
      throw new UpdateError('SERVICE_START_FAILED', `systemctl reset-failed ${unit}: ${words}`);
  });
}

/** A unit that is down may have been unloaded: then there is nothing to kill and nothing to forget. */
function isMoot(words: string): boolean {
  return words.includes('not loaded');
}

/** systemctl waits for the job's end. A job that fails is judged by the unit's state; a refusal is an error at once. */
async function startAndWait(
  unit: string,
  { withinMs, signal }: { withinMs: number; signal: AbortSignal },
): Promise<boolean> {
  return step('unit.start', async () => {
    const { ok, words } = await systemctl(['start', '--', unit], withinMs, signal);
    if (signal.aborted)
      throw new UpdateError('CANCELLED', `${unit} was not waited for: another event came first`);
    if (words.includes('Failed to start '))
      throw new UpdateError('SERVICE_START_FAILED', `systemctl start ${unit}: ${words}`);
    return ok;
  });
}

async function change(
  name: StepName,
  code: ErrorCode,
  args: readonly string[],
  timeoutMs?: number,
): Promise<void> {
  await step(name, async () => {
    const answer = await systemctl(args, timeoutMs);
    if (!answer.ok && !(name === 'unit.kill' && isMoot(answer.words)))
      throw new UpdateError(code, `systemctl ${args.join(' ')}: ${answer.words}`);
  });
}

function loadOf(state: string): UnitState['load'] {
  switch (state) {
    case 'loaded':
    case 'merged':
      return 'loaded';
    case 'not-found':
      return 'missing';
    case 'masked':
      return 'masked';
    default:
      return 'broken';
  }
}

function activeOf(state: string): UnitState['active'] {
  switch (state) {
    case 'active':
    case 'reloading':
    case 'failed':
    case 'activating':
    case 'deactivating':
      return state;
    case 'refreshing':
      return 'reloading';
    default:
      return 'inactive';
  }
}
