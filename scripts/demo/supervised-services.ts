import { request } from 'node:http';
import { json } from 'node:stream/consumers';
import { Ajv } from 'ajv';
import { UpdateError, type ErrorCode } from '../../machines/errors.js';
import { findFileUsers } from '../../services/service-control/file-users.js';
import { readProcesses } from '../../services/service-control/proc.js';
import type { ServiceControl, UnitState, Users } from '../../services/service-control/service-control.js';
import { unitAtRest } from '../../services/service-control/unit-at-rest.js';
import { serviceUnitName } from '../../services/service-control/unit-names.js';
import { step, type StepName } from '../../services/steps.js';

/** How long the supervisor may take to answer, ms. */
const ANSWER_MS = 2000;

const TEXT = { type: 'string' } as const;
const WHOLE = { type: 'integer' } as const;
const FLAG = { type: 'boolean' } as const;

const STATE = {
  unit: TEXT,
  load: { enum: ['loaded', 'missing', 'masked', 'broken'] },
  active: { enum: ['active', 'reloading', 'inactive', 'failed', 'activating', 'deactivating'] },
  isOneshot: FLAG,
  result: TEXT,
  exitStatus: WHOLE,
  mainPid: WHOLE,
  restarts: WHOLE,
  leftOvers: FLAG,
  refusesStop: FLAG,
  fragmentPath: { ...TEXT, nullable: true },
} as const;
const areStates = new Ajv().compile<UnitState[]>({
  type: 'array',
  items: { type: 'object', properties: STATE, required: Object.keys(STATE) },
});

/**
 * Services as the supervisor behind a unix socket runs them. An order that it refuses becomes an error of the step that
 * asked; that it cannot be asked at all while only looking is an INTERNAL_ERROR.
 */
export function openSupervisedServices(socket: string): ServiceControl {
  const states = async () => {
    const { body } = await ask(socket, 'GET', '/units');
    if (!areStates(body)) throw new Error(`the supervisor's answer is not a list of units`);
    return body;
  };
  const order = (name: StepName, code: ErrorCode, unit: string, verb: string) =>
    step(name, async () => {
      const path = `/units/${encodeURIComponent(unit)}/${verb}`;
      const { status, body } = await ask(socket, 'POST', path).catch((error: unknown) => ({
        status: 0,
        body: String(error),
      }));
      if (status !== 200) throw new UpdateError(code, `${verb} ${unit}: ${String(body)}`);
    });
  return {
    kind: 'supervisor',
    canStart: true,
    unitName: serviceUnitName,
    look: async (unit) =>
      (await states()).find((state) => state.unit === unit) ?? { ...unitAtRest(unit), load: 'missing' },
    findUsers: async (paths) => findUsers(paths, await states()),
    relativesOf: () => Promise.resolve({ dependents: [], triggers: [] }),
    askToStop: (unit) => order('unit.stop', 'SERVICE_STOP_FAILED', unit, 'stop'),
    kill: (unit) => order('unit.kill', 'PROCESS_KILL_FAILED', unit, 'kill'),
    resetFailed: (unit) => order('unit.resetFailed', 'SERVICE_START_FAILED', unit, 'reset-failed'),
    askToStart: (unit) => order('unit.start', 'SERVICE_START_FAILED', unit, 'start'),
    reload: () => Promise.resolve(),
    isSystemStopping: () => Promise.resolve(false),
  };
}

/** A process belongs to the unit whose main process it is or descends from. */
async function findUsers(paths: readonly string[], states: readonly UnitState[]): Promise<Users> {
  const unitOf = new Map(
    states.filter(({ mainPid }) => mainPid !== 0).map((state) => [state.mainPid, state]),
  );
  const parentOf = new Map((await readProcesses()).map(({ pid, parentPid }) => [pid, parentPid]));
  const units = new Set<string>();
  const others: Users['others'] = [];
  for (const { process, path } of await findFileUsers(paths)) {
    let pid: number | undefined = process.pid;
    while (pid !== undefined && !unitOf.has(pid)) pid = parentOf.get(pid);
    const owner = pid === undefined ? undefined : unitOf.get(pid);
    if (owner === undefined) others.push({ pid: process.pid, name: process.name, path });
    else units.add(owner.unit);
  }
  return { units: [...units], others };
}

function ask(socketPath: string, method: string, path: string): Promise<{ status: number; body: unknown }> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(ANSWER_MS);
    const question = request({ socketPath, method, path, signal, agent: false });
    question.on('error', reject);
    question.on('response', (response) => {
      json(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    });
    question.end();
  });
}
