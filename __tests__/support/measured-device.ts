import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BuiltPackage } from './build-package.js';
import { deviceEnvironment } from './device-environment.js';
import { until } from './until.js';
import { PackageServer } from './package-server.js';
import { ReportListener } from './report-listener.js';
import { accepted, UpdaterCaller } from './updater-caller.js';
import { UpdaterProcess } from './updater-process.js';

export interface MeasuredOptions {
  /** The launcher of an unpacked release: what is measured has the flags of a device. */
  program: string;
  environment?: NodeJS.ProcessEnv;
  /** Where its folders are; a new temporary one if absent. Whatever is there is removed. */
  folder?: string;
}

/** Puts the launcher in the place of node and the built file. */
const LAUNCHED = ['sh', '-c', 'shift 2; exec "$0" "$@"'];

/** A device whose updater is the released program, in a process of its own whose time, memory and bytes are read from outside. */
export class MeasuredDevice extends UpdaterCaller {
  readonly folder: string;
  readonly root: string;
  readonly workDir: string;
  readonly api: ReportListener;
  readonly server: PackageServer;
  readonly #program: string;
  readonly #environment: NodeJS.ProcessEnv;
  #updater: UpdaterProcess | null = null;
  protected port = 0;

  private constructor(
    { program, environment = {}, folder }: MeasuredOptions,
    api: ReportListener,
    server: PackageServer,
  ) {
    super();
    this.api = api;
    this.server = server;
    this.folder = folder ?? mkdtempSync(join(tmpdir(), 'tope-measured-'));
    rmSync(this.folder, { recursive: true, force: true });
    this.root = join(this.folder, 'opt');
    this.workDir = join(this.folder, 'work');
    mkdirSync(this.root, { recursive: true });
    const configFile = join(this.folder, 'config.json');
    writeFileSync(configFile, '{}');
    this.#program = program;
    this.#environment = deviceEnvironment(
      { configFile, root: this.root, workDir: this.workDir, apiUrl: api.url },
      // What coverage keeps in memory is not the updater's.
      { NODE_V8_COVERAGE: '', ...environment },
    );
  }

  static async make(options: MeasuredOptions): Promise<MeasuredDevice> {
    return new MeasuredDevice(options, await ReportListener.start(), await PackageServer.start());
  }

  /** A device whose updater runs. */
  static async on(options: MeasuredOptions): Promise<MeasuredDevice> {
    const device = await MeasuredDevice.make(options);
    await device.start();
    return device;
  }

  get updater(): UpdaterProcess {
    if (this.#updater === null) throw new Error('no updater was started');
    return this.#updater;
  }

  /** Where it listens. */
  get listensAt(): number {
    return this.port;
  }

  async start(): Promise<void> {
    this.#updater = new UpdaterProcess(this.#environment, { under: [...LAUNCHED, this.#program] });
    this.port = await this.#updater.listening();
  }

  async order(built: BuiltPackage): Promise<void> {
    accepted(await this.post('/download', this.server.orderOf(built)));
  }

  /** Waits, without asking, until nothing of a finished order is left in tmp/. */
  async isTidy(): Promise<void> {
    const tmp = join(this.workDir, 'tmp');
    const store = join(this.root, '.tope-updater');
    await until('nothing is left of the order', () => {
      const isPackage = (name: string) => name.endsWith('.zip') || name.endsWith('.part');
      return !readdirSync(tmp).some(isPackage) && !existsSync(join(store, 'journal'));
    });
  }

  /** Bytes that a line of the updater's /proc/PID/status tells. */
  memory(name: 'RssAnon' | 'VmHWM' | 'VmRSS'): number {
    return 1024 * this.#number('status', new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm'));
  }

  /** Bytes that the updater has caused to be written to the disk: proc(5), write_bytes. */
  writtenBytes(): number {
    return this.#number('io', /^write_bytes: (\d+)$/m);
  }

  openFiles(): number {
    return readdirSync(`/proc/${this.updater.pid}/fd`).length;
  }

  /** Processor time of the updater, and of its children that have ended, so far, in ms. */
  cpuMs(): number {
    const stat = readFileSync(`/proc/${this.updater.pid}/stat`, 'utf8');
    // proc(5): utime, stime, cutime and cstime are the 12th to 15th fields behind the name, in ticks of 10 ms.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return 10 * fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0);
  }

  async close(): Promise<void> {
    if (this.#updater?.isRunning === true) await this.#updater.end('SIGKILL');
    await this.api.goAway();
    await this.server.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #number(file: string, line: RegExp): number {
    return Number(line.exec(readFileSync(`/proc/${this.updater.pid}/${file}`, 'utf8'))?.[1]);
  }
}
