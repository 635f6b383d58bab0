import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { SystemdLab } from './systemd-lab.js';

const DRIVER = fileURLToPath(new URL('lab-driver.js', import.meta.url));

/** The lines of a unit file for a service. */
export function service(...lines: string[]): string[] {
  return ['[Service]', ...lines];
}

/** A lab in which lab-driver.ts runs and does what a test says. */
export class DrivenLab {
  readonly lab: SystemdLab;
  readonly #driver: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string, unknown>;

  private constructor(lab: SystemdLab) {
    this.lab = lab;
    this.#driver = lab.spawn([process.execPath, DRIVER]);
    this.#answers = createInterface(this.#driver.stdout)[Symbol.asyncIterator]();
  }

  static async boot(): Promise<DrivenLab> {
    return new DrivenLab(await SystemdLab.boot());
  }

  /** Has the driver do one thing, and returns its answer. */
  async drive(verb: string, ...args: string[]): Promise<unknown> {
    this.#driver.stdin.write(`${JSON.stringify([verb, ...args])}\n`);
    const answer = await this.#answers.next();
    if (answer.done === true) throw new Error(`the driver has ended: ${String(this.#driver.stderr.read())}`);
    return JSON.parse(answer.value);
  }

  /** Installs units: name → lines of the unit file. */
  async install(units: Record<string, string[]>): Promise<void> {
    for (const [name, lines] of Object.entries(units))
      await this.lab.write(`/etc/systemd/system/${name}`, `${lines.join('\n')}\n`);
    await this.lab.sh('systemctl daemon-reload');
  }

  /** What systemd says of each unit, with blanks between. */
  async activeStates(...units: string[]): Promise<string> {
    return (await this.lab.exec(['systemctl', 'is-active', ...units])).stdout.trim().replaceAll('\n', ' ');
  }

  async close(): Promise<void> {
    this.#driver.stdin.end();
    await this.lab.clean();
  }
}
