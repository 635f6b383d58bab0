import { execFile, spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import ts from 'typescript';
import { mutated, type Mutation } from './mutations.js';

export type Verdict = { caughtBy: string; seconds: number } | { caughtBy: null; seconds: number };

const LEFT_OUT = ['node_modules', '.git', 'coverage', 'release'];

/** What the tests started and mounted ends with them, also where they are killed (unshare(1)). */
const APART = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];

/** The tests of a source, nearest first: each a pattern of files; the next is run only where nothing was caught. */
function testsOf(path: string): string[][] {
  const kills = ['dist/__tests__/crash/', 'dist/__tests__/powercut/'];
  const cycles = ['dist/__tests__/cycle/', 'dist/__tests__/effect', 'dist/__tests__/reporting/machine-watch'];
  if (path.startsWith('machines/'))
    return [
      ['dist/__tests__/machines/', 'dist/__tests__/support/'],
      [...cycles, 'dist/__tests__/http/', 'dist/__tests__/saved-state/', 'dist/__tests__/cli/'],
      kills,
    ];
  if (path.startsWith('services/saved-state/'))
    return [['dist/__tests__/saved-state/', 'dist/__tests__/effect'], cycles, kills];
  return [['dist/__tests__/deployment/', 'dist/__tests__/disk', 'dist/__tests__/effect'], cycles, kills];
}

/** A copy of the built project, in which one source after the other is made wrong and its tests are run. */
export class Trial {
  readonly #folder: string;
  readonly #project: string;
  /** Beside the project: the updater refuses packages that lead into its own folder. */
  readonly #temporary: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.#project = join(folder, 'project');
    this.#temporary = join(folder, 'tmp');
  }

  static async in(root: string): Promise<Trial> {
    const folder = await mkdtemp(join(tmpdir(), 'tope-mutants-'));
    const trial = new Trial(folder);
    await cp(root, trial.#project, {
      recursive: true,
      filter: (path) => !LEFT_OUT.includes(relative(root, path)),
    });
    await symlink(join(root, 'node_modules'), join(trial.#project, 'node_modules'));
    await mkdir(trial.#temporary);
    return trial;
  }

  /** Throws where tests fail without any mutation: whatever they would tell of one, it would mean nothing. */
  async isSound(stageMs: number): Promise<void> {
    for (const path of ['machines/', 'services/saved-state/', 'services/disk.ts']) {
      const [nearest = []] = testsOf(path);
      const failed = await this.#firstFailure(nearest, stageMs);
      if (failed !== null) throw new Error(`fails without a mutation: ${failed}`);
    }
  }

  /** Which test failed with a mutation in the source; none where it survived. A run without an end is a failure, too. */
  async of(mutation: Mutation, stageMs: number): Promise<Verdict> {
    const source = await readFile(join(this.#project, mutation.path), 'utf8');
    const built = join(this.#project, 'dist', mutation.path.replace(/\.ts$/, '.js'));
    const right = await readFile(built);
    const began = performance.now();
    const verdict = (caughtBy: string | null): Verdict => ({
      caughtBy,
      seconds: Math.round((performance.now() - began) / 1000),
    });
    await writeFile(built, transpiled(mutated(source, mutation)));
    try {
      await this.#compileChecks(mutation.path);
      for (const patterns of testsOf(mutation.path)) {
        const failed = await this.#firstFailure(patterns, stageMs);
        if (failed !== null) return verdict(failed);
      }
      return verdict(null);
    } finally {
      await writeFile(built, right);
      await this.#compileChecks(mutation.path);
    }
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true });
  }

  /** What runs of a schema is what the build has made of it. */
  async #compileChecks(path: string): Promise<void> {
    if (!path.endsWith('-schema.ts')) return;
    await promisify(execFile)(process.execPath, [join(this.#project, 'dist/scripts/compile-checks.js')]);
  }

  /** The first test that fails; null where none does. */
  async #firstFailure(patterns: readonly string[], stageMs: number): Promise<string | null> {
    const jest = join(this.#project, 'node_modules/jest/bin/jest.js');
    const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
    const child = spawn('unshare', [...APART, process.execPath, ...flags, jest, ...patterns], {
      cwd: this.#project,
      env: { ...process.env, TMPDIR: this.#temporary },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const end = () => child.kill('SIGKILL');
    const timer = setTimeout(end, stageMs);
    let file = '';
    let failed: string | null = null;
    for await (const line of createInterface({ input: child.stderr })) {
      file = /^FAIL dist\/__tests__\/(\S+)\.js/.exec(line)?.[1] ?? file;
      const name = /^ {2}● (.*)$/.exec(line)?.[1];
      if (failed !== null || name === undefined || file === '') continue;
      failed = `${file}: ${name}`;
      end();
    }
    clearTimeout(timer);
    // What is killed may be writing still.
    await rm(this.#temporary, { recursive: true, maxRetries: 10, retryDelay: 200 });
    await mkdir(this.#temporary);
    if (failed !== null) return failed;
    return child.signalCode === null && child.exitCode === 0 ? null : 'a run without an end';
  }
}

function transpiled(text: string): string {
  const compilerOptions = {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.ESNext,
    verbatimModuleSyntax: true,
  };
  return ts.transpileModule(text, { compilerOptions }).outputText;
}
