import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buildPackage, type BuiltPackage, type PackageSketch } from './build-package.js';
import { deviceEnvironment } from './device-environment.js';
import { until } from './until.js';
import { fieldOf } from './json-fields.js';
import { atEndOf, type Life } from './life.js';
import { PackageServer } from './package-server.js';
import { ReportListener } from './report-listener.js';
import { accepted, UpdaterCaller, type Envelope } from './updater-caller.js';
import { UpdaterProcess, type UpdaterEnd, type UpdaterEntry } from './updater-process.js';

export interface DeviceOptions {
  /** Until when its folder, processes and servers stay; `test` if absent. */
  life?: Life;
  /** What is started as the updater. */
  entry?: UpdaterEntry;
  /** TOPE_ variables and others, over those that a device sets. */
  environment?: NodeJS.ProcessEnv;
}

/**
 * A device in a temporary folder: a managed root and a work folder, an updater that runs as a process of its own with no
 * service manager, a device-api that hears its reports and a server for packages.
 */
export class Device extends UpdaterCaller {
  readonly folder = mkdtempSync(join(tmpdir(), 'tope-device-'));
  readonly root = join(this.folder, 'opt');
  readonly workDir = join(this.folder, 'work');
  readonly storeDir = join(this.root, '.tope-updater');
  readonly api: ReportListener;
  readonly server: PackageServer;
  readonly #options: DeviceOptions;
  #updater: UpdaterProcess | null = null;
  protected port = 0;

  private constructor(options: DeviceOptions, api: ReportListener, server: PackageServer) {
    super();
    this.#options = options;
    this.api = api;
    this.server = server;
    mkdirSync(this.root);
    writeFileSync(join(this.folder, 'config.json'), '{}');
  }

  /** A device whose updater is not started yet. */
  static async make(options: DeviceOptions = {}): Promise<Device> {
    const device = new Device(options, await ReportListener.start(), await PackageServer.start());
    atEndOf(options.life ?? 'test', () => device.#discard());
    return device;
  }

  /** A device whose updater runs. */
  static async on(options: DeviceOptions = {}): Promise<Device> {
    const device = await Device.make(options);
    await device.start();
    return device;
  }

  get environment(): NodeJS.ProcessEnv {
    const { root, workDir } = this;
    const configFile = join(this.folder, 'config.json');
    return deviceEnvironment({ configFile, root, workDir, apiUrl: this.api.url }, this.#options.environment);
  }

  /** Where its updater listens. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get updater(): UpdaterProcess {
    if (this.#updater === null) throw new Error('no updater was started');
    return this.#updater;
  }

  /** Starts an updater that is not waited for; `more` is added to its environment. */
  launch(more: NodeJS.ProcessEnv = {}): UpdaterProcess {
    this.#updater = new UpdaterProcess({ ...this.environment, ...more }, this.#options.entry);
    return this.#updater;
  }

  /** Starts the updater and waits until it listens. */
  async start(more: NodeJS.ProcessEnv = {}): Promise<void> {
    this.port = await this.launch(more).listening();
  }

  /** Ends the updater by a signal and starts it again. */
  async restart(signal: NodeJS.Signals): Promise<UpdaterEnd> {
    const end = await this.updater.end(signal);
    await this.start();
    return end;
  }

  build(sketch: PackageSketch): BuiltPackage {
    return buildPackage(join(this.folder, 'packages'), sketch);
  }

  /** The path of a file in the managed root. */
  path(name: string): string {
    return join(this.root, name);
  }

  /** Puts a file into the managed root. */
  put(name: string, content: string | Buffer, mode = 0o644): string {
    const path = this.path(name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content, { mode });
    return path;
  }

  read(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  /** Orders a download by a fresh URL; `changes` replace fields of the order. */
  download(built: BuiltPackage, changes: object = {}): Promise<Envelope> {
    return this.post('/download', { ...this.server.orderOf(built), ...changes });
  }

  /** Orders a download and waits until it is ready to be installed. */
  async fetch(built: BuiltPackage): Promise<void> {
    accepted(await this.download(built));
    await this.reaches('toInstall');
  }

  /** Installs a package, from the first order to success. */
  async install(built: BuiltPackage): Promise<void> {
    await this.fetch(built);
    accepted(await this.update(built.version));
    await this.reaches('success');
  }

  /** The names in tmp/, sorted. */
  tmp(): string[] {
    return readdirSync(join(this.workDir, 'tmp')).sort();
  }

  /** Waits until nothing of a finished order is left in tmp/ and the store. */
  async isTidy(): Promise<void> {
    await until('nothing is left of the order', () => {
      const left = [
        ...this.tmp().filter((name) => !['reserve', 'state.json', 'state.json.bak'].includes(name)),
        ...readdirSync(this.storeDir).filter((name) => name === 'staging' || name.startsWith('journal')),
      ];
      return left.length === 0;
    });
  }

  /** Waits until the saved state holds no report that device-api has not acknowledged. */
  async hasToldAll(): Promise<void> {
    await until('every report is acknowledged and that is saved', () => {
      const state: unknown = JSON.parse(readFileSync(join(this.workDir, 'tmp', 'state.json'), 'utf8'));
      const waiting = fieldOf(state, 'snapshot', 'context', 'outbox', 'waiting');
      return Array.isArray(waiting) && waiting.length === 0;
    });
  }

  /** The newest file of the log. */
  log(): string {
    return readFileSync(join(this.workDir, 'logs', 'updater.log'), 'utf8');
  }

  /** Waits until the log holds a line: lines are written behind the work. */
  async logs(line: RegExp): Promise<void> {
    await until(`a line like ${String(line)} in the log`, () => line.test(this.log()));
  }

  async #discard(): Promise<void> {
    if (this.#updater?.isRunning === true) await this.#updater.end('SIGKILL');
    await this.api.goAway();
    await this.server.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
