/** The stages of the wire contract, one for each top-level state of the machine. */
export const STAGES = {
  idle: 'idle',
  downloading: 'downloading',
  verifying: 'verifying',
  ready: 'toInstall',
  deploying: 'installing',
  restarting: 'rebooting',
  done: 'success',
  failed: 'failed',
} as const;

export type TopState = keyof typeof STAGES;
export type Stage = (typeof STAGES)[TopState];

function isTopState(name: string): name is TopState {
  return Object.hasOwn(STAGES, name);
}

/** The top-level state of a state value. Throws if the value is none of the machine's. */
export function topStateOf(value: unknown): TopState {
  const name = statePath(value).split('.')[0] ?? '';
  if (!isTopState(name)) throw new Error(`not a state of the machine: ${JSON.stringify(value)}`);
  return name;
}

/** A state value as one path, outermost first: `restarting.rollingBack.toFactory`. */
export function statePath(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return '';
  const entry = Object.entries<unknown>({ ...value })[0];
  return entry === undefined ? '' : `${entry[0]}.${statePath(entry[1])}`;
}

/** Percent of a stage and a sentence for people. */
export interface Progress {
  /** Integer, 0 to 100. */
  percent: number;
  message: string;
}

/** What is told of a stage before its work has told anything itself. */
export const FIRST_WORDS: Readonly<Record<TopState, Progress>> = {
  idle: { percent: 0, message: 'No update in progress' },
  downloading: { percent: 0, message: 'Downloading package...' },
  verifying: { percent: 0, message: 'Verifying package...' },
  ready: { percent: 100, message: 'Package verified, ready to install' },
  deploying: { percent: 0, message: 'Installing...' },
  restarting: { percent: 0, message: 'Restarting services...' },
  done: { percent: 100, message: 'Update finished' },
  failed: { percent: 0, message: 'Update failed' },
};
