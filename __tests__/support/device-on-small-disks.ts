import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSupervisor, type Supervisor } from '../../scripts/demo/supervisor.js';
import type { BuiltPackage } from './build-package.js';
import { Device } from './device.js';
import { until } from './until.js';
import { treeOf } from './file-tree.js';
import { fieldOf, textOf } from './json-fields.js';
import { atEndOf } from './life.js';
import type { Envelope, Progress } from './updater-caller.js';

/** What the disk does to the updater: see choking-updater.ts. */
export interface Trouble {
  at: string;
  in?: string;
  how: 'full' | 'stays full' | 'read-only';
  /** Which disk; the work folder's if absent. */
  disk?: 'work' | 'store';
}

/** What can be told of the device from the outside, without asking the updater. */
export interface DeviceFacts {
  tree: Record<string, string>;
  /** The version that each service that runs has told at its start. */
  running: string[];
  pids: number[];
}

const UNITS = ['api', 'camera'] as const;
const FILLER = 'filler';

/**
 * A device with two services that run (a supervisor starts and stops them as real processes), whose work folder and
 * managed root lie on a small disk each. Needs root. Stays until the last test of the file is over.
 */
export class DeviceOnSmallDisks {
  readonly device: Device;
  readonly #home: string;
  readonly #supervisor: Supervisor;
  #builds = 0;

  private constructor(device: Device, home: string, supervisor: Supervisor) {
    this.device = device;
    this.#home = home;
    this.#supervisor = supervisor;
  }

  /** A device with version 1.0.0 on it. */
  static async make(): Promise<DeviceOnSmallDisks> {
    const home = mkdtempSync(join(tmpdir(), 'tope-disks-'));
    const socket = join(home, 'supervisor');
    const device = await Device.make({
      life: 'file',
      entry: { file: '__tests__/support/choking-updater.js' },
      environment: { SUPERVISOR: socket, TROUBLE: join(home, 'trouble'), TOPE_SETTLE_MS: '100' },
    });
    const services = UNITS.map((name) => ({
      unit: `${name}.service`,
      command: [device.path(`${name}/${name}`)] as const,
      environment: { TOLD: join(home, name) },
    }));
    const supervisor = await startSupervisor(services, socket, { restartMs: 20, mostRestarts: 2 });
    const small = new DeviceOnSmallDisks(device, home, supervisor);
    atEndOf('file', () => small.#discard());
    mkdirSync(device.workDir);
    mount('-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', device.workDir);
    mount('-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', device.root);
    mkdirSync(small.tmp);
    mount('--bind', small.tmp, small.tmp);
    await device.start();
    await small.update();
    await device.isTidy();
    return small;
  }

  get tmp(): string {
    return join(this.device.workDir, 'tmp');
  }

  /** A package of the next version for both services; a `broken` one ends as soon as it is started. */
  build(kind: 'good' | 'broken' = 'good'): BuiltPackage {
    const version = `1.${this.#builds++}.0`;
    return this.device.build({
      version,
      modules: UNITS.map((name, order) => ({
        name,
        dst: this.device.path(`${name}/${name}`),
        brings: { bytes: program(version, kind), mode: 0o755 },
        also: { process_name: name, restart_order: order },
      })),
    });
  }

  /** Orders a version from the download to the end, whatever that is; answers with the last order's answer and the end. */
  async update(built = this.build()): Promise<{ answer: Envelope; end: Progress }> {
    const { api } = this.device;
    const first = api.heard.length;
    const answer = await this.device.download(built);
    const fetched = await this.#comesTo(['failed', 'toInstall'], first);
    if (fetched.stage === 'failed') return { answer, end: fetched };
    const then = api.heard.length;
    return {
      answer: await this.device.update(built.version),
      end: await this.#comesTo(['failed', 'success'], then),
    };
  }

  /** A report may be of the order before: what counts is what the updater says then. */
  async #comesTo(stages: readonly string[], from: number): Promise<Progress> {
    const { api } = this.device;
    for (let next = from; ;) {
      const report = await api.hears(stages.join(' or '), ({ stage }) => stages.includes(stage), {
        from: next,
      });
      const now = await this.device.progress();
      if (stages.includes(now.stage)) return now;
      next = api.heard.indexOf(report) + 1;
    }
  }

  /** Whether /versions tells a version as bad. */
  async isBad(version: string): Promise<boolean> {
    const releases = fieldOf((await this.device.get('/versions')).data, 'releases');
    if (!Array.isArray(releases)) throw new Error('/versions tells no releases');
    return releases.some((row) => textOf(row, 'version') === version && textOf(row, 'bad', 'why') !== '');
  }

  async facts(): Promise<DeviceFacts> {
    const running: string[] = [];
    const pids: number[] = [];
    for (const name of UNITS) {
      const { active, mainPid } = this.#supervisor.unit(`${name}.service`).state();
      pids.push(mainPid);
      if (active === 'active') running.push(await this.#versionTold(name, mainPid));
    }
    return { tree: await treeOf([this.device.root], ['.tope-updater', FILLER]), running, pids };
  }

  /** A service tells its version and its pid as its first act: it may be active before it has. */
  #versionTold(name: string, pid: number): Promise<string> {
    return until(`${name} with pid ${pid} tells its version`, () => {
      const told = join(this.#home, name);
      const [version = '', by] = existsSync(told) ? readFileSync(told, 'utf8').split(/\s/) : [];
      return Number(by) === pid ? version : null;
    });
  }

  /** From now on the disk is in trouble, as soon as the updater gets there. */
  begin({ at, in: state = '', how, disk = 'work' }: Trouble): void {
    const folder = disk === 'work' ? this.device.workDir : this.device.root;
    const what = how === 'read-only' ? { freeze: this.tmp } : { fill: folder };
    const again = how === 'stays full' ? 'yes' : '';
    writeFileSync(join(this.#home, 'trouble'), JSON.stringify({ at, in: state, again, ...what }));
  }

  /** The disks are as good as ever. */
  end(): void {
    rmSync(join(this.#home, 'trouble'), { force: true });
    for (const disk of [this.device.workDir, this.device.root]) rmSync(join(disk, FILLER), { force: true });
    mount('-o', 'remount,bind,rw', this.tmp);
  }

  async #discard(): Promise<void> {
    if (this.device.updater.isRunning) await this.device.updater.end('SIGKILL');
    await this.#supervisor.close();
    for (const mounted of [this.tmp, this.device.workDir, this.device.root])
      execFileSync('umount', ['-l', mounted]);
    rmSync(this.#home, { recursive: true, force: true });
  }
}

function program(version: string, kind: 'good' | 'broken'): string {
  const life = kind === 'good' ? 'exec sleep 600' : 'exit 3';
  return `#!/bin/sh\necho ${version} $$ > "$TOLD"\n${life}\n`;
}

function mount(...args: string[]): void {
  execFileSync('mount', args);
}
