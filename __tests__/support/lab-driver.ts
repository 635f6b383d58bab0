import { createInterface } from 'node:readline';
import { toUpdateError } from '../../machines/errors.js';
import { checkHealth } from '../../services/programs/health-check.js';
import { askInstallGuard } from '../../services/programs/install-guard.js';
import { startOtaGui } from '../../services/programs/ota-gui.js';
import { runProgram } from '../../services/programs/run-program.js';
import { refuseUnusable } from '../../services/service-control/refuse-unusable.js';
import { settleUnits } from '../../services/service-control/settle-units.js';
import { askToStartAll, startUnits } from '../../services/service-control/start-units.js';
import { stopUnits } from '../../services/service-control/stop-units.js';
import { openSystemd } from '../../services/service-control/systemd.js';
import { watchSteps } from '../../services/steps.js';
import { RecordingLog } from './recording-log.js';

/**
 * Runs inside a lab and does with the compiled services what each line of its input says (JSON: `[VERB, ARGUMENT…]`).
 * Answers each with a line of JSON: `{ value, steps, log }`, or `{ code, message, steps, log }` for an error.
 */
const control = await openSystemd();
const log = new RecordingLog();
const steps: string[] = [];
watchSteps((name, moment) => {
  if (moment === 'before') steps.push(name);
});
const { signal } = new AbortController();
const manager = 'systemd';

type Verb = (...args: string[]) => Promise<unknown>;

const verbs = new Map<string, Verb>(
  Object.entries<Verb>({
    look: (unit = '') => control.look(unit),
    users: (...paths) => control.findUsers(paths),
    relatives: (unit = '') => control.relativesOf(unit),
    reload: () => control.reload(),
    isStopping: () => control.isSystemStopping(),
    ask: (unit = '') => control.askToStop(unit),
    refuse: (...units) => refuseUnusable(control, units, new Set(['brought-along.service'])),
    stop: (...units) => stopUnits(control, units, { signal, log, killAfterMs: 1000 }),
    start: (...units) => startUnits(control, units, { signal, log, startTimeoutMs: 3000 }),
    startAll: (...units) => askToStartAll(control, units, log),
    settle: (ms, ...units) => settleUnits(control, units, { signal, settleMs: Number(ms), pollMs: 50 }),
    run: (...argv) => runProgram(argv, { manager, timeoutMs: 1000 }),
    runAborted: (...argv) =>
      runProgram(argv, { manager, timeoutMs: 20_000, signal: AbortSignal.timeout(300) }),
    guard: (path = '') => askInstallGuard(path, { manager }),
    health: (...command) =>
      checkHealth({ kind: 'exec', command, timeoutS: 2 }, { name: 'voice-app', manager, signal }),
    gui: (path = '') => startOtaGui(path, manager, log),
  }),
);

async function answer(line: string): Promise<object> {
  const words: unknown = JSON.parse(line);
  const [verb = '', ...args] = Array.isArray(words) ? words.map(String) : [];
  try {
    const work = verbs.get(verb);
    if (work === undefined) throw new Error(`no such verb: ${verb}`);
    return { value: (await work(...args)) ?? null };
  } catch (error) {
    const { code, message } = toUpdateError(error);
    return { code, message };
  }
}

for await (const line of createInterface(process.stdin)) {
  steps.length = 0;
  log.lines.length = 0;
  console.log(JSON.stringify({ ...(await answer(line)), steps, log: log.lines }));
}
