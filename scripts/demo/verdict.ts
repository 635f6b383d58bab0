import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Ajv } from 'ajv';
import { storeFolder } from '../../services/deployment/store.js';
import type { DemoService } from './releases.js';

/** What a service says of itself. */
export interface ServiceAnswer {
  service: string;
  /** Of the program that runs. */
  version: string;
  /** Of the data that it found when it was started. */
  data: string;
  pid: number;
}

const isAnswer = new Ajv().compile<ServiceAnswer>({
  type: 'object',
  required: ['service', 'version', 'data', 'pid'],
  properties: {
    service: { type: 'string' },
    version: { type: 'string' },
    data: { type: 'string' },
    pid: { type: 'integer' },
  },
});

const STORE = basename(storeFolder('/'));
const ANSWER_MS = 2000;
/** How long a service may take from its start to its first answer, ms. */
const START_MS = 5000;
const POLL_MS = 20;

/** Waits until a service that was just started answers. Throws where it does not in time. */
export async function untilAnswering(service: DemoService): Promise<void> {
  const deadline = performance.now() + START_MS;
  for (;;) {
    try {
      await askService(service);
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(POLL_MS);
    }
  }
}

/** Asks a service itself which version it is. Throws where it does not answer. */
export async function askService({ name, port }: DemoService): Promise<ServiceAnswer> {
  const response = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(ANSWER_MS) });
  const answer: unknown = await response.json();
  if (!isAnswer(answer)) throw new Error(`${name} answers ${JSON.stringify(answer)}`);
  return answer;
}

/**
 * Compares the files below a folder, the updater's own store left out, with those that should be there (paths below the
 * folder, SHA-256 in hex). Answers with every difference in words.
 */
export async function differences(folder: string, expected: ReadonlyMap<string, string>): Promise<string[]> {
  const found = new Map<string, string>();
  for (const path of await filesBelow(folder, ''))
    found.set(
      path,
      createHash('sha256')
        .update(await readFile(join(folder, path)))
        .digest('hex'),
    );
  const wrong = [...expected].filter(([path, sha256]) => found.get(path) !== sha256);
  const foreign = [...found.keys()].filter((path) => !expected.has(path));
  return [
    ...wrong.map(([path]) => `${path} ${found.has(path) ? 'has another content' : 'is missing'}`),
    ...foreign.map((path) => `${path} should not be there`),
  ];
}

async function filesBelow(root: string, folder: string): Promise<string[]> {
  const files: string[] = [];
  for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (path === STORE) continue;
    if (entry.isDirectory()) files.push(...(await filesBelow(root, path)));
    else files.push(path);
  }
  return files;
}

/** What was promised, and whether it came true. */
export class Verdict {
  readonly #rows: { promise: string; problem: string | null }[] = [];

  /** Notes a promise; `problems` are what speaks against it. */
  note(promise: string, problems: readonly string[]): void {
    this.#rows.push({ promise, problem: problems.length === 0 ? null : problems.join('; ') });
  }

  /** Whether anything was promised, and all of it came true. */
  get isGood(): boolean {
    return this.#rows.length > 0 && this.#rows.every(({ problem }) => problem === null);
  }

  /** One line for each promise. */
  lines(): string[] {
    return this.#rows.map(({ promise, problem }) =>
      problem === null ? `kept    ${promise}` : `BROKEN  ${promise}: ${problem}`,
    );
  }
}
