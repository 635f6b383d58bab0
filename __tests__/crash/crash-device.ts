import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { BuiltPackage } from '../support/build-package.js';
import { deviceEnvironment } from '../support/device-environment.js';
import { fieldOf } from '../support/json-fields.js';
import { PackageServer } from '../support/package-server.js';
import { ReportListener } from '../support/report-listener.js';
import { UpdaterCaller, type Envelope } from '../support/updater-caller.js';
import { UpdaterProcess, type UpdaterEnd } from '../support/updater-process.js';
import { AnsweringServices } from './answering-services.js';
import { AS_FOUND, filesOf, packageOf, USER } from './releases.js';

const FOLDERS = ['opt', 'work', 'run'] as const;
const ENTRY = '__tests__/support/killable-updater.js';

/**
 * A device in a temporary folder whose services really run. What it has on disk can be kept under a name and put back,
 * at the same paths, as often as is wanted: quicker than making another one.
 */
export class CrashDevice extends UpdaterCaller {
  readonly folder: string;
  readonly root: string;
  readonly workDir: string;
  readonly storeDir: string;
  readonly api: ReportListener;
  readonly server: PackageServer;
  readonly services: AnsweringServices;
  readonly #packages = new Map<string, BuiltPackage>();
  readonly #environment: NodeJS.ProcessEnv;
  #updater: UpdaterProcess | null = null;
  protected port = 0;

  private constructor(
    folder: string,
    api: ReportListener,
    server: PackageServer,
    services: AnsweringServices,
  ) {
    super();
    this.folder = folder;
    this.root = join(folder, 'opt');
    this.workDir = join(folder, 'work');
    this.storeDir = join(this.root, '.tope-updater');
    this.api = api;
    this.server = server;
    this.services = services;
    const configFile = join(folder, 'config.json');
    writeFileSync(configFile, '{}');
    this.#environment = deviceEnvironment(
      { configFile, root: this.root, workDir: this.workDir, apiUrl: api.url },
      {
        TOPE_ALLOW_POST_CMDS: 'true',
        TOPE_KEEP: '0',
        TOPE_SETTLE_MS: '80',
        SUPERVISOR: services.supervisor.socket,
        // Hundreds of processes that each wrote down what they covered would take longer than all the rest.
        NODE_V8_COVERAGE: undefined,
      },
    );
  }

  /** A device on which services run that no updater has ever touched. */
  static async make(): Promise<CrashDevice> {
    const folder = mkdtempSync(join(tmpdir(), 'tope-crash-'));
    const services = await AnsweringServices.of(folder, join(folder, 'opt'));
    const device = new CrashDevice(
      folder,
      await ReportListener.start(),
      await PackageServer.start(),
      services,
    );
    mkdirSync(device.workDir);
    for (const [path, { text, mode, isUsers }] of filesOf(AS_FOUND)) {
      device.write(path, text, mode);
      if (isUsers) chownSync(join(device.root, path), USER.uid, USER.gid);
    }
    device.write('alpha/own.db', 'data of the service');
    services.start();
    return device;
  }

  get updater(): UpdaterProcess {
    if (this.#updater === null) throw new Error('no updater was started');
    return this.#updater;
  }

  /** Writes a file below the managed root. */
  write(name: string, text: string, mode = 0o644): void {
    const path = join(this.root, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { mode });
    chmodSync(path, mode);
  }

  /** Starts a command of the updater, which is not waited for; `under` is a program that becomes it. */
  launch(
    command: 'serve' | 'recover',
    more: NodeJS.ProcessEnv = {},
    under: readonly string[] = [],
  ): UpdaterProcess {
    this.#updater = new UpdaterProcess(
      { ...this.#environment, ...more },
      { file: ENTRY, args: [command], under },
    );
    return this.#updater;
  }

  /** Waits until the updater listens; tells whether it does, or has ended before that. */
  async isListening(): Promise<boolean> {
    try {
      this.port = await this.updater.listening();
      return true;
    } catch (error) {
      if (this.updater.isRunning) throw error;
      return false;
    }
  }

  /** Starts the updater and waits until it listens. */
  async serve(more: NodeJS.ProcessEnv = {}, under: readonly string[] = []): Promise<void> {
    this.launch('serve', more, under);
    if (!(await this.isListening())) throw new Error(`no updater: ${(await this.updater.ended()).stdout}`);
  }

  /** Runs `recover` to its end. */
  recover(more: NodeJS.ProcessEnv = {}): Promise<UpdaterEnd> {
    return this.launch('recover', more).ended();
  }

  get hasJournal(): boolean {
    return existsSync(join(this.storeDir, 'journal'));
  }

  package(version: string): BuiltPackage {
    const known = this.#packages.get(version);
    if (known !== undefined) return known;
    const built = packageOf(version, {
      folder: join(this.folder, 'packages'),
      root: this.root,
      run: this.services.runDir,
      healthUrl: (service) => this.services.healthUrl(service),
    });
    this.#packages.set(version, built);
    return built;
  }

  download(version: string): Promise<Envelope> {
    return this.post('/download', this.server.orderOf(this.package(version)));
  }

  /** What the saved state says that device-api has not acknowledged: the stages of these reports. */
  unacknowledged(): string[] {
    const path = join(this.workDir, 'tmp', 'state.json');
    if (!existsSync(path)) return [];
    const state: unknown = JSON.parse(readFileSync(path, 'utf8'));
    const waiting = fieldOf(state, 'snapshot', 'context', 'outbox', 'waiting');
    return Array.isArray(waiting) ? waiting.map((report) => String(fieldOf(report, 'stage'))) : [];
  }

  /** Keeps what is on disk under a name. No updater may run. */
  keep(name: string): void {
    const folder = join(this.folder, 'kept', name);
    mkdirSync(folder, { recursive: true });
    for (const part of FOLDERS) copy(join(this.folder, part), folder);
  }

  /** Puts back what was kept, with the services running from it, and no updater. */
  async putBack(name: string): Promise<void> {
    if (this.#updater?.isRunning === true) await this.#updater.end('SIGKILL');
    await this.services.stop();
    for (const part of FOLDERS) {
      rmSync(join(this.folder, part), { recursive: true, force: true });
      copy(join(this.folder, 'kept', name, part), this.folder);
    }
    this.services.start();
  }

  /** The newest file of the updater's log. */
  log(): string {
    return readFileSync(join(this.workDir, 'logs', 'updater.log'), 'utf8');
  }

  async close(): Promise<void> {
    if (this.#updater?.isRunning === true) await this.#updater.end('SIGKILL');
    await this.services.close();
    await this.api.goAway();
    await this.server.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** With owners, modes and hard links, which node's own copying forgets. */
function copy(from: string, to: string): void {
  const { status, stderr } = spawnSync('cp', ['-a', from, to]);
  if (status !== 0) throw new Error(`cp -a ${from} ${to}: ${stderr.toString()}`);
}
