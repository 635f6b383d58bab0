import { fileURLToPath } from 'node:url';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { buildPackage } from '../support/build-package.js';
import { until } from '../support/until.js';
import { PackageServer } from '../support/package-server.js';
import { ReportListener } from '../support/report-listener.js';
import { SystemdLab } from '../support/systemd-lab.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { accepted, UpdaterCaller } from '../support/updater-caller.js';

const ENTRY = fileURLToPath(new URL('../support/killable-updater.js', import.meta.url));
const UNIT = 'voice.service';

/** A killable updater under a real systemd, whose packages bring one unit. */
export class LabUpdater extends UpdaterCaller {
  readonly #lab: SystemdLab;
  readonly api: ReportListener;
  readonly #server: PackageServer;
  #process: ChildProcessWithoutNullStreams | null = null;
  protected port = 0;

  private constructor(lab: SystemdLab, api: ReportListener, server: PackageServer) {
    super();
    this.#lab = lab;
    this.api = api;
    this.#server = server;
  }

  static async boot(): Promise<LabUpdater> {
    const lab = await SystemdLab.boot({ network: 'shared' });
    await lab.sh('mkdir -p /opt/tope /var/updater; echo "{}" > /var/updater/config.json');
    return new LabUpdater(lab, await ReportListener.start(), await PackageServer.start());
  }

  /** Starts the updater and waits until it listens. */
  async serve(more: Readonly<Record<string, string>>): Promise<void> {
    const environment = {
      TOPE_CONFIG: '/var/updater/config.json',
      TOPE_PORT: '0',
      TOPE_DEVICE_API_URL: this.api.url,
      TOPE_WORK_DIR: '/var/updater',
      TOPE_EXTRA_ROOTS: '/etc/systemd/system',
      TOPE_SERVICE_MANAGER: 'systemd',
      TOPE_OTA_GUI: '',
      TOPE_SETTLE_MS: '100',
      ...more,
    };
    const words = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
    const child = this.#lab.spawn(['env', ...words, process.execPath, ENTRY, 'serve']);
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (said += text));
    this.#process = child;
    this.port = await until('the updater listens', () => {
      const port = /the updater listens .*\bport=(\d+)/.exec(said)?.[1];
      if (port === undefined && child.exitCode !== null) throw new Error(said);
      return port === undefined ? null : Number(port);
    });
  }

  /** Orders the update to a version whose unit says which one it is. */
  async order(version: string): Promise<void> {
    const lines = [`[Unit]`, `Description=${version}`, '[Service]', 'ExecStart=/bin/sleep 1000', ''];
    const built = buildPackage(await temporaryFolder(), {
      version,
      modules: [
        {
          name: 'voice',
          dst: `/etc/systemd/system/${UNIT}`,
          brings: { bytes: lines.join('\n') },
          also: { process_name: 'voice', restart_order: 1 },
        },
      ],
    });
    accepted(await this.post('/download', this.#server.orderOf(built)));
    await this.reaches('toInstall');
    accepted(await this.update(version));
  }

  async isKilled(): Promise<void> {
    if (this.#process !== null && this.#process.exitCode === null && this.#process.signalCode === null)
      await once(this.#process, 'close');
  }

  /** Which version's unit systemd knows, and whether it is active. */
  async unitSays(): Promise<string> {
    return this.#lab.sh(`systemctl show -P Description ${UNIT} | tr '\\n' ' '; systemctl is-active ${UNIT}`);
  }

  async close(): Promise<void> {
    await this.#lab.clean();
    await this.api.goAway();
    await this.#server.close();
  }
}
