import { spawn, type ChildProcess } from 'node:child_process';
import { unitAtRest } from '../../services/service-control/unit-at-rest.js';
import { serviceUnitName } from '../../services/service-control/unit-names.js';
import type { ServiceControl, UnitState } from '../../services/service-control/service-control.js';

interface Program {
  argv: readonly [string, ...string[]];
  /** Started again, so many ms after it ended by itself. */
  restartAfterMs?: number;
  /** What `kill` sends instead of SIGKILL: a process that nothing can end. */
  killWith?: NodeJS.Signals;
  /** Never more than activating. */
  startsLate?: boolean;
  load?: UnitState['load'];
  refusesStop?: boolean;
}

interface Run {
  child: ChildProcess;
  active: UnitState['active'];
  result: string;
  exitStatus: number;
  restarts: number;
}

/** Runs real child processes as units, where a test needs service control and no systemd. */
export class SmallSupervisor implements ServiceControl {
  readonly kind = 'small';
  readonly canStart = true;
  readonly unitName = serviceUnitName;
  /** What was asked, in order: `stop voice-app.service`. */
  readonly asked: string[] = [];
  readonly #programs: Map<string, Program>;
  readonly #runs = new Map<string, Run>();

  constructor(programs: Record<string, Program>) {
    this.#programs = new Map(Object.entries(programs));
  }

  look(unit: string): Promise<UnitState> {
    const run = this.#runs.get(unit);
    const program = this.#programs.get(unit);
    return Promise.resolve({
      ...unitAtRest(unit),
      load: program === undefined ? 'missing' : (program.load ?? 'loaded'),
      active: run?.active ?? 'inactive',
      result: run?.result ?? 'success',
      exitStatus: run?.exitStatus ?? 0,
      mainPid: run?.active === 'active' || run?.active === 'deactivating' ? (run.child.pid ?? 0) : 0,
      restarts: run?.restarts ?? 0,
      refusesStop: program?.refusesStop ?? false,
    });
  }

  findUsers() {
    return Promise.resolve({ units: [], others: [] });
  }

  relativesOf() {
    return Promise.resolve({ dependents: [], triggers: [] });
  }

  askToStop(unit: string): Promise<void> {
    this.asked.push(`stop ${unit}`);
    const run = this.#runs.get(unit);
    if (run?.active === 'active') {
      run.active = 'deactivating';
      run.child.kill('SIGTERM');
    }
    return Promise.resolve();
  }

  kill(unit: string): Promise<void> {
    this.asked.push(`kill ${unit}`);
    this.#runs.get(unit)?.child.kill(this.#programs.get(unit)?.killWith ?? 'SIGKILL');
    return Promise.resolve();
  }

  resetFailed(unit: string): Promise<void> {
    this.asked.push(`reset ${unit}`);
    return Promise.resolve();
  }

  askToStart(unit: string): Promise<void> {
    this.asked.push(`start ${unit}`);
    const program = this.#programs.get(unit);
    if (program === undefined) return Promise.reject(new Error(`no such unit: ${unit}`));
    this.#start(unit, program, 0);
    return Promise.resolve();
  }

  reload(): Promise<void> {
    return Promise.resolve();
  }

  isSystemStopping(): Promise<boolean> {
    return Promise.resolve(false);
  }

  /** Ends everything that is still running. */
  close(): void {
    for (const run of this.#runs.values()) {
      run.active = 'deactivating';
      run.child.kill('SIGKILL');
    }
  }

  #start(unit: string, program: Program, restarts: number): void {
    const [command, ...args] = program.argv;
    const child = spawn(command, args, { stdio: 'ignore' });
    const active = program.startsLate === true ? 'activating' : 'active';
    const run: Run = { child, active, result: 'success', exitStatus: 0, restarts };
    this.#runs.set(unit, run);
    child.once('exit', (code, signal) => {
      const wasAsked = run.active === 'deactivating';
      run.result = code === 0 ? 'success' : signal === null ? 'exit-code' : 'signal';
      run.exitStatus = code ?? 0;
      run.active = run.result === 'success' || wasAsked ? 'inactive' : 'failed';
      if (wasAsked || program.restartAfterMs === undefined) return;
      run.active = 'activating';
      setTimeout(() => {
        if (run.active === 'activating') this.#start(unit, program, restarts + 1);
      }, program.restartAfterMs).unref();
    });
  }
}
