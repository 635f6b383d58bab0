import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { NODE_ENVIRONMENT, NODE_FLAGS } from '../../scripts/node-flags.js';
import { buildPackage, type BuiltPackage } from '../support/build-package.js';
import { PackageServer } from '../support/package-server.js';
import { ReportListener } from '../support/report-listener.js';
import { accepted, UpdaterCaller } from '../support/updater-caller.js';
import { UpdaterProcess } from '../support/updater-process.js';

/** As on a device. */
const WITH_FLAGS = ['sh', '-c', `exec "$0" ${NODE_FLAGS.join(' ')} "$@"`];

/** A device whose updater is a process of its own, at the end of a link that is as slow as it is told. */
export class LinkDevice extends UpdaterCaller {
  readonly folder = mkdtempSync(join(tmpdir(), 'tope-link-'));
  readonly root = join(this.folder, 'opt');
  readonly api: ReportListener;
  readonly server: PackageServer;
  readonly #environment: NodeJS.ProcessEnv;
  #updater: UpdaterProcess | null = null;
  protected port = 0;

  private constructor(environment: NodeJS.ProcessEnv, api: ReportListener, server: PackageServer) {
    super();
    this.api = api;
    this.server = server;
    mkdirSync(this.root);
    writeFileSync(join(this.folder, 'config.json'), '{}');
    this.#environment = {
      PATH: process.env['PATH'],
      TOPE_CONFIG: join(this.folder, 'config.json'),
      TOPE_PORT: '0',
      TOPE_DEVICE_API_URL: api.url,
      TOPE_WORK_DIR: join(this.folder, 'work'),
      TOPE_MANAGED_ROOT: this.root,
      TOPE_SERVICE_MANAGER: 'none',
      TOPE_OTA_GUI: '',
      ...NODE_ENVIRONMENT,
      ...environment,
    };
  }

  static async make(environment: NodeJS.ProcessEnv = {}): Promise<LinkDevice> {
    return new LinkDevice(environment, await ReportListener.start(), await PackageServer.start());
  }

  get updater(): UpdaterProcess {
    if (this.#updater === null) throw new Error('no updater was started');
    return this.#updater;
  }

  async start(): Promise<void> {
    this.#updater = new UpdaterProcess(this.#environment, { under: WITH_FLAGS });
    this.port = await this.#updater.listening();
  }

  /** A package of about so many bytes, which nothing makes smaller. */
  package(bytes: number): BuiltPackage {
    return buildPackage(join(this.folder, 'packages'), {
      version: '1.0.0',
      modules: [{ name: 'app', dst: join(this.root, 'app'), brings: { bytes: randomBytes(bytes) } }],
    });
  }

  async order(built: BuiltPackage): Promise<void> {
    accepted(
      await this.post('/download', {
        version: built.version,
        package_url: this.server.urlOf(built),
        package_name: built.name,
        package_size: built.size,
        package_md5: built.md5,
      }),
    );
  }

  /** Kilobytes that a line of the updater's /proc/PID/status tells. */
  memory(name: 'RssAnon' | 'VmHWM'): number {
    const status = readFileSync(`/proc/${this.updater.pid}/status`, 'utf8');
    return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]);
  }

  /** Processor time of the updater so far, in ms. */
  cpuMs(): number {
    const stat = readFileSync(`/proc/${this.updater.pid}/stat`, 'utf8');
    // proc(5): utime and stime are the 12th and 13th fields behind the name, in ticks of 10 ms.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return 10 * (Number(fields[11]) + Number(fields[12]));
  }

  async close(): Promise<void> {
    if (this.#updater?.isRunning === true) await this.#updater.end('SIGKILL');
    await this.api.goAway();
    await this.server.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
