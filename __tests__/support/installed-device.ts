import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildPackage, type BuiltPackage, type ModuleSketch } from './build-package.js';
import { until } from './until.js';
import { atEndOf } from './life.js';
import { freePorts } from '../../scripts/demo/free-ports.js';
import { PackageServer } from './package-server.js';
import { releaseArchive } from './release-archive.js';
import { ReportListener } from './report-listener.js';
import { SystemdLab, type Outcome } from './systemd-lab.js';
import { accepted, UpdaterCaller } from './updater-caller.js';

export const UNITS = '/etc/systemd/system';
const RELEASE = '/root/release';

export interface InstalledOptions {
  /** Keys of the configuration file, over those that the device sets. */
  configuration?: object;
}

/**
 * A device with a real systemd on which the packed release is installed, for all tests of a file. Packages and
 * device-api are served from outside, over a loopback that both share.
 */
export class InstalledDevice extends UpdaterCaller {
  readonly lab: SystemdLab;
  readonly api: ReportListener;
  readonly #server: PackageServer;
  readonly #folder = mkdtempSync(join(tmpdir(), 'tope-installed-'));
  readonly #configuration: object;
  protected readonly port: number;

  private constructor(
    lab: SystemdLab,
    { api, server, port }: { api: ReportListener; server: PackageServer; port: number },
    { configuration = {} }: InstalledOptions,
  ) {
    super();
    this.lab = lab;
    this.api = api;
    this.port = port;
    this.#server = server;
    this.#configuration = configuration;
  }

  /** A booted device with the release unpacked on it and its configuration written; nothing is installed yet. */
  static async boot(options: InstalledOptions = {}): Promise<InstalledDevice> {
    const { path } = await releaseArchive();
    const api = await ReportListener.start();
    const server = await PackageServer.start();
    const [port = 0] = await freePorts(1);
    const lab = await SystemdLab.boot({ network: 'shared' });
    const device = new InstalledDevice(lab, { api, server, port }, options);
    atEndOf('file', () => device.#discard());
    await lab.write('/root/release.tar.gz', readFileSync(path));
    await lab.sh(`mkdir ${RELEASE}; tar -C ${RELEASE} --strip-components=1 -xzf /root/release.tar.gz
      rm -rf /opt/tope; mkdir -p /opt/tope/bin`);
    await device.configure({});
    return device;
  }

  /** The same, installed and running. */
  static async installed(options: InstalledOptions = {}): Promise<InstalledDevice> {
    const device = await InstalledDevice.boot(options);
    const { code, stdout, stderr } = await device.install();
    if (code !== 0) throw new Error(`the release was not installed: ${stdout}${stderr}`);
    return device;
  }

  /** Writes the configuration file. */
  async configure(changes: object): Promise<void> {
    const configuration = {
      workDir: '/var/lib/tope-updater',
      port: this.port,
      deviceApiUrl: this.api.url,
      extraRoots: [UNITS],
      settleMs: 500,
      ...this.#configuration,
      ...changes,
    };
    await this.lab.write('/etc/tope-updater/config.json', JSON.stringify(configuration));
  }

  /** Where it listens, on the loopback that both share. */
  get listensAt(): number {
    return this.port;
  }

  install(...args: string[]): Promise<Outcome> {
    return this.lab.exec([`${RELEASE}/install`, ...args]);
  }

  uninstall(): Promise<Outcome> {
    return this.lab.exec([`${RELEASE}/uninstall`]);
  }

  /** Puts a unit file and its program on the device as somebody else would, and starts it. */
  async addService(name: string, program: string, unit: readonly string[]): Promise<void> {
    await this.lab.write(`/opt/tope/bin/${name}`, program, 0o755);
    await this.lab.write(`${UNITS}/${name}.service`, `${unit.join('\n')}\n`);
    await this.lab.sh(`systemctl daemon-reload; systemctl enable --quiet ${name}; systemctl restart ${name}`);
  }

  /**
   * Runs the updater anew under another memory limit (null: its unit's own), by a node of its own of which nothing is in
   * the page cache: what other tests have read would not count for the unit.
   */
  async limitMemory(limit: string | null, { swap = 'infinity' } = {}): Promise<void> {
    const folder = `${UNITS}/tope-updater.service.d`;
    const runtime = '/opt/tope/updater/program/runtime';
    await this.lab.sh(`systemctl stop tope-updater; rm -rf ${runtime} ${folder}/limit.conf`);
    if (limit !== null) {
      const lines = ['[Service]', `MemoryMax=${limit}`, `MemorySwapMax=${swap}`, ''];
      await this.lab.write(`${folder}/limit.conf`, lines.join('\n'));
      await this.lab.sh(`mkdir -p ${runtime}; cp ${process.execPath} ${runtime}/node`);
      await this.lab.forget(`${runtime}/node`);
    }
    await this.lab.sh('systemctl daemon-reload; systemctl start tope-updater');
  }

  build(version: string, modules: readonly ModuleSketch[]): BuiltPackage {
    return buildPackage(join(this.#folder, 'packages'), { version, modules });
  }

  /** Orders a package and waits until it may be installed. */
  async fetch(built: BuiltPackage, withinMs = 20_000): Promise<void> {
    const order = {
      version: built.version,
      package_url: this.#server.urlOf(built),
      package_name: built.name,
      package_size: built.size,
      package_md5: built.md5,
    };
    accepted(await this.post('/download', order));
    await this.reaches('toInstall', withinMs);
  }

  /** Orders a package and its installation; does not wait for the end. */
  async order(built: BuiltPackage): Promise<void> {
    await this.fetch(built);
    accepted(await this.update(built.version));
  }

  /** Waits until the order has ended, also over a restart of the updater; answers with the error or null. */
  async ends(withinMs = 60_000): Promise<string | null> {
    const end = await until(
      'the order ends',
      async () => {
        const now = await this.progress().catch(() => null);
        return now?.stage === 'success' || now?.stage === 'failed' ? now : null;
      },
      withinMs,
    );
    return end.error;
  }

  /** A property of a unit, as systemctl shows it. */
  async property(unit: string, name: string): Promise<string> {
    return this.lab.sh(`systemctl show --value --property=${name} ${unit}`);
  }

  /** What systemd did to units, in order, from its journal: `Stopped voice`, `Started voice`. */
  async deeds(...units: string[]): Promise<string[]> {
    const wanted = units.map((unit) => `--unit=${unit}`).join(' ');
    const lines = await this.lab.sh(
      `journalctl --sync; journalctl --no-pager --output=json ${wanted} _PID=1`,
    );
    return lines
      .split('\n')
      .filter((line) => line !== '')
      .map((line): unknown => JSON.parse(line))
      .flatMap((entry) => {
        const fields = new Map<string, unknown>(Object.entries(entry ?? {}));
        const job = /^(Started|Stopped) /.exec(String(fields.get('MESSAGE')))?.[1];
        const unit = String(fields.get('UNIT')).replace('.service', '');
        return job === undefined ? [] : [`${job} ${unit}`];
      });
  }

  async #discard(): Promise<void> {
    await this.lab.clean();
    await this.api.goAway();
    await this.#server.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
