import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { startSupervisor, type Supervisor } from '../../scripts/demo/supervisor.js';
import { storeFolder } from '../../services/deployment/store.js';
import { look, readText } from '../../services/disk.js';
import { partialPath, tmpDirOf } from '../../services/work-folder.js';
import type { BuiltPackage } from '../support/build-package.js';
import { deviceEnvironment } from '../support/device-environment.js';
import { PackageServer } from '../support/package-server.js';
import { ReportListener } from '../support/report-listener.js';
import { UpdaterCaller, type Envelope } from '../support/updater-caller.js';
import { UpdaterProcess } from '../support/updater-process.js';
import { DiskImage, type MountKind } from './disk-image.js';
import { untilHeld } from './held-process.js';
import type { LostSyncName } from './lost-syncs.js';
import { SERVICES } from './releases.js';
import { encodePoint, type StepPoint } from './step-point.js';

const ENTRY = '__tests__/powercut/updater-entry.js';
/** Of the kernel (random(4)); in the campaign's mount namespace another file stands there. */
const BOOT_ID_FILE = '/proc/sys/kernel/random/boot_id';
const SETTLE_MS = '150';
/** What ends unasked is started again soon, so that a version that crashes shows within the settle time. */
const RESTARTS = { restartMs: 20, mostRestarts: 3 };

/** Whether a process runs, or is held by SIGSTOP before it got there. */
export type Start = 'runs' | 'held';

/**
 * A device whose disk is an image, whose power can be cut: the updater is held, the image is photographed, everything
 * ends, and the photograph becomes the disk of the next boot. Its services are run by a supervisor as real processes.
 */
export class PluggedDevice extends UpdaterCaller {
  readonly root: string;
  readonly workDir: string;
  readonly packages: string;
  readonly api: ReportListener;
  readonly server: PackageServer;
  readonly disk: DiskImage;
  readonly #folder: string;
  readonly #lose: LostSyncName | null;
  readonly #running: string;
  #supervisor: Supervisor | null = null;
  #updater: UpdaterProcess | null = null;
  protected port = 0;

  private constructor(folder: string, lose: LostSyncName | null, api: ReportListener, server: PackageServer) {
    super();
    this.#folder = folder;
    this.#lose = lose;
    this.api = api;
    this.server = server;
    const mountPoint = join(folder, 'device');
    this.root = join(mountPoint, 'opt');
    this.workDir = join(mountPoint, 'work');
    this.packages = join(folder, 'packages');
    this.disk = new DiskImage(folder, mountPoint);
    this.#running = join(folder, 'running');
  }

  /** A device with an empty disk, which is mounted; nothing runs on it yet. `lose` names the sync that is taken out. */
  static async make(folder: string, lose: LostSyncName | null): Promise<PluggedDevice> {
    const device = new PluggedDevice(folder, lose, await ReportListener.start(), await PackageServer.start());
    mkdirSync(device.disk.mountPoint);
    mkdirSync(device.#running);
    writeFileSync(join(folder, 'config.json'), '{}');
    writeFileSync(device.#bootIdFile, '');
    execFileSync('mount', ['--bind', device.#bootIdFile, BOOT_ID_FILE]);
    await device.disk.make();
    mkdirSync(device.root);
    return device;
  }

  /** The steps that the updater was at since it was started last, and a recover before it. */
  get trace(): string[] {
    return readFileSync(this.#traceFile, 'utf8').split('\n').slice(0, -1);
  }

  /** The updater's log; empty where there is none. */
  async log(): Promise<string> {
    return (await readText(join(this.workDir, 'logs', 'updater.log'))) ?? '';
  }

  /** A boot: a new boot id, the services start. */
  async boot(): Promise<void> {
    writeFileSync(this.#bootIdFile, `${randomUUID()}\n`);
    const services = SERVICES.map((name) => ({
      unit: `${name}.service`,
      command: ['/bin/sh', join(this.root, name, 'run.sh')] as const,
      environment: { RUNNING: this.#running },
    }));
    // A path of its own each time: the one before may still be being closed.
    const socket = join(this.#folder, `supervisor-${randomUUID().slice(0, 8)}`);
    this.#supervisor = await startSupervisor(services, socket, RESTARTS);
    for (const name of SERVICES) this.#supervisor.unit(`${name}.service`).start();
  }

  /** The version that each service runs, by its own word; null where it does not run. */
  async runningVersions(): Promise<Map<string, string | null>> {
    const versions = new Map<string, string | null>();
    for (const name of SERVICES) {
      const { active } = this.#supervised().unit(`${name}.service`).state();
      versions.set(name, active === 'active' ? await readText(join(this.#running, name)) : null);
    }
    return versions;
  }

  /**
   * Brings files to wholly old or wholly new, as the oneshot of a boot does, which is not started where there is no
   * journal; answers when it is over or held.
   */
  async recover(holdAt: StepPoint | null): Promise<Start> {
    if ((await look(join(storeFolder(this.root), 'journal'))) === null) return 'runs';
    const updater = this.#launch('recover', holdAt);
    const isOver = await Promise.race([untilHeld(updater), updater.ended()]);
    if (isOver === 'held') return 'held';
    if (isOver.exitCode !== 0)
      throw new Error(`recover ended with ${String(isOver.exitCode)}: ${isOver.stderr}`);
    return 'runs';
  }

  /** Starts the updater; answers when it takes orders or is held. */
  async serve(holdAt: StepPoint | null): Promise<Start> {
    const updater = this.#launch('serve', holdAt);
    const port = await Promise.race([untilHeld(updater), updater.listening()]);
    if (port === 'held') return 'held';
    this.port = port;
    return 'runs';
  }

  /** SIGTERM. Throws where it does not end properly and in time. */
  async stopUpdater(): Promise<void> {
    const { exitCode, signal, tookMs } = await this.#started().end('SIGTERM');
    if (exitCode !== 0)
      throw new Error(`SIGTERM ended the updater with ${exitCode ?? signal ?? '?'} after ${tookMs} ms`);
  }

  /** Answers when the updater is held by SIGSTOP, its own or ours; never where it is not. */
  async isHeld(): Promise<'held'> {
    return untilHeld(this.#started());
  }

  /** SIGSTOP. */
  async hold(): Promise<void> {
    process.kill(this.#started().pid, 'SIGSTOP');
    await this.isHeld();
  }

  /** Bytes of a package that have come in so far; 0 where there is no partial. */
  async bytesOf(built: BuiltPackage): Promise<number> {
    return (await look(partialPath(tmpDirOf(this.workDir), built)))?.size ?? 0;
  }

  /**
   * Cuts the power of a device whose updater is held. `neighbour`: another program has just synced a file of its own,
   * and with it, on ext4, every name that was changed on the disk so far.
   */
  async cut(next: MountKind, { neighbour }: { neighbour: boolean }): Promise<void> {
    if (neighbour) this.disk.syncAnotherFile();
    await this.disk.photograph();
    await this.switchOff();
    await this.disk.becomePhotograph(next);
  }

  /** Ends everything that runs on it, at once. */
  async switchOff(): Promise<void> {
    if (this.#updater?.isRunning === true) await this.#updater.end('SIGKILL');
    this.#updater = null;
    await this.#supervisor?.close();
    this.#supervisor = null;
  }

  async close(): Promise<void> {
    await this.switchOff();
    await this.api.goAway();
    await this.server.close();
  }

  /** Orders a download by a fresh URL. */
  download(built: BuiltPackage): Promise<Envelope> {
    return this.post('/download', this.server.orderOf(built));
  }

  get #bootIdFile(): string {
    return join(this.#folder, 'boot-id');
  }

  get #traceFile(): string {
    return join(this.#folder, 'trace');
  }

  #launch(command: 'recover' | 'serve', holdAt: StepPoint | null): UpdaterProcess {
    writeFileSync(this.#traceFile, '');
    const { root, workDir } = this;
    const configFile = join(this.#folder, 'config.json');
    const environment = deviceEnvironment(
      { configFile, root, workDir, apiUrl: this.api.url },
      {
        TOPE_SETTLE_MS: SETTLE_MS,
        POWERCUT_TRACE: this.#traceFile,
        POWERCUT_SUPERVISOR: this.#supervisor?.socket ?? '',
        ...(this.#lose === null ? {} : { POWERCUT_LOSE: this.#lose }),
        ...(holdAt === null ? {} : { POWERCUT_HOLD_AT: encodePoint(holdAt) }),
      },
    );
    this.#updater = new UpdaterProcess(environment, { file: ENTRY, args: [command] });
    return this.#updater;
  }

  #supervised(): Supervisor {
    if (this.#supervisor === null) throw new Error('the device is switched off');
    return this.#supervisor;
  }

  #started(): UpdaterProcess {
    if (this.#updater === null) throw new Error('no updater was started');
    return this.#updater;
  }
}
