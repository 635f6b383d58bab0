/**
 * What the deployment needs of whoever runs the services. Three implement it: systemd, none (processes found in /proc;
 * nothing is started), and a supervisor of the demo. Procedures (wait, kill, settle) stand beside, not in it.
 */
export interface ServiceControl {
  readonly kind: string;
  /** False where nothing can be started: the final message says so. */
  readonly canStart: boolean;
  /** The unit's name in full and checked (`voice-app` → `voice-app.service`). Throws INVALID_MANIFEST. */
  unitName(name: string): string;
  look(unit: string): Promise<UnitState>;
  /** Active units, of any name, that run, map or interpret one of these files now. */
  findUsers(paths: readonly string[]): Promise<Users>;
  /** What stopping a unit takes down with it (transitive), and what would start it again. */
  relativesOf(unit: string): Promise<Relatives>;
  /** Asks for a stop and returns at once. */
  askToStop(unit: string): Promise<void>;
  /** SIGKILL to everything the unit has started. */
  kill(unit: string): Promise<void>;
  /** Forgets failures, so that a unit that crash-looped may be started. */
  resetFailed(unit: string): Promise<void>;
  /** Asks for a start and returns at once. */
  askToStart(unit: string): Promise<void>;
  /**
   * Where the service manager itself can tell when a start is over: asks for it and answers as soon as that is so, or
   * after `withinMs`; true: the unit is up. One question less for each unit while services are down.
   */
  startAndWait?(unit: string, until: { withinMs: number; signal: AbortSignal }): Promise<boolean>;
  /** Reads unit files anew. */
  reload(): Promise<void>;
  /** Whether the whole system is on its way down, so that nothing should be started any more. */
  isSystemStopping(): Promise<boolean>;
}

export interface UnitState {
  unit: string;
  load: 'loaded' | 'missing' | 'masked' | 'broken';
  /** `activating` also where a start was asked for and waits for its turn. */
  active: 'active' | 'reloading' | 'inactive' | 'failed' | 'activating' | 'deactivating';
  /** A oneshot that ended with success is as good as active. */
  isOneshot: boolean;
  /** How the last run ended (`success`, `exit-code`, `signal`, …) and its exit status, for messages. */
  result: string;
  exitStatus: number;
  /** 0 where there is none. */
  mainPid: number;
  /** Restarts by the service manager since the last start that was asked for. */
  restarts: number;
  /** Processes of a run that is over are still there, although the unit is inactive or failed. */
  leftOvers: boolean;
  /** RefuseManualStop: asking would be refused. */
  refusesStop: boolean;
  /** The unit's file, or null where it has none (transient). */
  fragmentPath: string | null;
}

export interface Users {
  /** Units with a unit file on disk that are not ours, not transient and no session. */
  units: string[];
  /** Other processes that use the files: left running, named in a warning. */
  others: { pid: number; name: string; path: string }[];
}

export interface Relatives {
  /** Active units that go down with the unit: RequiredBy, BoundBy, ConsistsOf. */
  dependents: string[];
  /** Active units that would start it, or one of the dependents, again: TriggeredBy. */
  triggers: string[];
}
