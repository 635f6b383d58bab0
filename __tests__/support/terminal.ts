import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { until } from './until.js';
import { atEndOf } from './life.js';

const run = promisify(execFile);
const ROWS = 24;

/** tmux itself does not always tell how a program has ended. */
const TELL_THE_END = 'trap : INT; "$@"; echo "[ended with $?]"; read -r _';

let opened = 0;

/** A program in a real terminal of so many columns (tmux, with a server of its own), gone after the test. */
export class Terminal {
  readonly #server: string;

  private constructor(server: string) {
    this.#server = server;
  }

  /** Starts a program in a new terminal; what it has printed stays when it has ended, and `[ended with N]` below it. */
  static async open(columns: number, argv: readonly string[], env: NodeJS.ProcessEnv): Promise<Terminal> {
    const terminal = new Terminal(`tope-test-${process.pid}-${++opened}`);
    atEndOf('test', () => terminal.#close());
    const size = ['-x', String(columns), '-y', String(ROWS)];
    const told = ['sh', '-c', TELL_THE_END, 'sh', ...argv];
    await run('tmux', ['-L', terminal.#server, '-f', '/dev/null', 'new-session', '-d', ...size, ...told], {
      env: { ...env, LC_ALL: 'C.UTF-8' },
    });
    return terminal;
  }

  /** The lines that are on the screen, without those below the last one. */
  async screen(): Promise<string[]> {
    const { stdout } = await run('tmux', ['-L', this.#server, 'capture-pane', '-p'], {
      env: { ...process.env, LC_ALL: 'C.UTF-8' },
    });
    return stdout.trimEnd().split('\n');
  }

  /** Waits until the screen shows something; answers with its lines. */
  async shows(words: RegExp): Promise<string[]> {
    let lines: string[] = [];
    return until(`a screen with ${String(words)}`, async () => {
      lines = await this.screen();
      return words.test(lines.join('\n')) ? lines : null;
    }).catch((error: unknown) => {
      throw new Error(`${String(error)}, but:\n${lines.join('\n')}`);
    });
  }

  /** Presses a key, as tmux names it: `C-c`. */
  async press(key: string): Promise<void> {
    await run('tmux', ['-L', this.#server, 'send-keys', key]);
  }

  /** Ends the server of this terminal alone. */
  async #close(): Promise<void> {
    await run('tmux', ['-L', this.#server, 'kill-server']).catch(() => undefined);
  }
}
