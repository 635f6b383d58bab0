import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { isSystemError } from '../../services/disk.js';
import type { UnitState } from '../../services/service-control/service-control.js';
import { unitAtRest } from '../../services/service-control/unit-at-rest.js';

/** A service that a supervisor runs. */
export interface SupervisedService {
  /** Its name in full: `camera.service`. */
  unit: string;
  /** Program and arguments; no shell. */
  command: readonly [string, ...string[]];
  environment?: Readonly<Record<string, string>>;
}

/** What becomes of a service that ends unasked. */
export interface RestartPolicy {
  /** Ms from the end to the next start. */
  restartMs: number;
  /** So many restarts after one start that was asked for; then it has failed. */
  mostRestarts: number;
}

/** What systemd.exec(5) tells where the program could not be executed. */
const EXIT_EXEC = 203;

/**
 * One service: a process group of its own that is started, stopped and started again when it ends unasked. It gets an
 * IPC channel that closes with the supervisor, however that ends: a service of Node can end itself by it.
 */
export class SupervisedUnit {
  readonly #service: SupervisedService;
  readonly #policy: RestartPolicy;
  #child: ChildProcess | null = null;
  #restart: NodeJS.Timeout | null = null;
  #active: UnitState['active'] = 'inactive';
  #result = 'success';
  #exitStatus = 0;
  #restarts = 0;
  #crashes = 0;

  constructor(service: SupervisedService, policy: RestartPolicy) {
    this.#service = service;
    this.#policy = policy;
  }

  /** How often, ever, it ended unasked. */
  get crashes(): number {
    return this.#crashes;
  }

  state(): UnitState {
    return {
      ...unitAtRest(this.#service.unit),
      active: this.#active,
      result: this.#result,
      exitStatus: this.#exitStatus,
      mainPid: this.#child?.pid ?? 0,
      restarts: this.#restarts,
    };
  }

  /** Starts it if it is down. Throws where it is being stopped, or has failed and nobody has reset that. */
  start(): void {
    if (this.#active === 'active' || this.#active === 'activating') return;
    if (this.#active !== 'inactive') throw new Error(`${this.#service.unit} is ${this.#active}`);
    this.#restarts = 0;
    this.#run();
  }

  /** Sends SIGTERM to all that it has started. */
  stop(): void {
    if (this.#restart !== null) clearTimeout(this.#restart);
    this.#restart = null;
    if (this.#child === null) {
      if (this.#active !== 'failed') this.#active = 'inactive';
      return;
    }
    this.#active = 'deactivating';
    signalGroup(this.#child.pid, 'SIGTERM');
  }

  /** Sends SIGKILL to all that it has started. */
  kill(): void {
    signalGroup(this.#child?.pid, 'SIGKILL');
  }

  resetFailed(): void {
    if (this.#active === 'failed') this.#active = 'inactive';
  }

  /** Ends it for good; answers when its process is gone. */
  async end(): Promise<void> {
    const child = this.#child;
    this.stop();
    this.kill();
    if (child === null) return;
    await new Promise<void>((resolve) => {
      if (this.#child === null) resolve();
      else child.once('exit', () => resolve());
    });
  }

  #run(): void {
    const [program, ...args] = this.#service.command;
    const child = spawn(program, args, {
      env: { ...process.env, ...this.#service.environment },
      detached: true,
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    this.#child = child;
    this.#active = 'active';
    this.#result = 'success';
    this.#exitStatus = 0;
    child.once('exit', (code, signal) => {
      // What the main process has left behind ends with it, as in a systemd unit.
      signalGroup(child.pid, 'SIGKILL');
      this.#ended(code, signal);
    });
    child.once('error', () => {
      if (child.pid === undefined) this.#ended(EXIT_EXEC, null);
    });
  }

  #ended(code: number | null, signal: NodeJS.Signals | null): void {
    this.#child = null;
    if (this.#active === 'deactivating') {
      this.#active = 'inactive';
      return;
    }
    this.#crashes += 1;
    this.#result = signal !== null ? 'signal' : code === 0 ? 'success' : 'exit-code';
    this.#exitStatus = signal === null ? (code ?? 0) : constants.signals[signal];
    if (this.#restarts >= this.#policy.mostRestarts) {
      this.#active = 'failed';
      return;
    }
    this.#active = 'activating';
    this.#restart = setTimeout(() => {
      this.#restart = null;
      this.#restarts += 1;
      this.#run();
    }, this.#policy.restartMs);
  }
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // Where the whole group has ended there is nobody left to signal.
    if (!isSystemError(error, 'ESRCH')) throw error;
  }
}
