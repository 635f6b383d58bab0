import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** Where the compiled tests find what is not compiled. */
const FIRST_PROCESS = fileURLToPath(new URL('../../../__tests__/support/systemd-lab.sh', import.meta.url));

/** What must be seen inside even where it lies in /tmp or on a mount of its own: this checkout, and node. */
const NEEDS = [dirname(dirname(dirname(FIRST_PROCESS))), dirname(process.execPath)];

/** A test must never touch the machine's clock, disks or kernel. */
const CAPABILITIES = ['sys_time', 'sys_module', 'sys_rawio', 'mknod', 'syslog', 'audit_control', 'audit_read']
  .map((name) => `-${name}`)
  .join(',');
const HIERARCHIES = ['systemd', 'memory', 'cpu', 'cpuacct', 'pids', 'blkio', 'devices', 'unified'];
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const BOOT_LIMIT_MS = 30_000;

export interface LabOptions {
  /** Where the overlay's layers are kept; a new folder if absent. Boots of one folder see what the boots before wrote. */
  folder?: string;
  /** `private` (the default): a loopback of its own. `shared`: the test's loopback. */
  network?: 'private' | 'shared';
  /** False (the default): fsync does nothing inside, which is quicker. */
  syncs?: boolean;
}

export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

/**
 * A real systemd, booted in private namespaces on an overlay of `/` in about a second. Inside, /tmp, /run and /dev are
 * new, and so is /etc/systemd/system at the first boot; of what is mounted over `/` outside only this checkout and node
 * are seen. It dies with the process that booted it. Needs what SYSTEMD_LAB of requirements.ts says.
 */
export class SystemdLab {
  readonly #folder: string;
  readonly #network: 'private' | 'shared';
  readonly #syncs: boolean;
  #isUp = false;
  #ended: Promise<unknown> = Promise.resolve();
  #initPid = 0;

  private constructor(folder: string, { network = 'private', syncs = false }: LabOptions) {
    this.#folder = folder;
    this.#network = network;
    this.#syncs = syncs;
  }

  /** Makes a lab and boots it. */
  static async boot(options: LabOptions = {}): Promise<SystemdLab> {
    const lab = new SystemdLab(options.folder ?? (await mkdtemp(join(tmpdir(), 'tope-lab-'))), options);
    await lab.boot();
    return lab;
  }

  /** The lab's root as this process sees it: files can be read and written through it while the lab is up. */
  get root(): string {
    return `/proc/${this.#initPid}/root`;
  }

  /** Whether it is booting or booted. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** Host's pid of the lab's first process. */
  get initPid(): number {
    return this.#initPid;
  }

  /** Boots (again, after `kill` or `poweroff`) and waits until systemd says that it is up. */
  async boot(): Promise<void> {
    for (const name of ['upper', 'work', 'root']) await mkdir(join(this.#folder, name), { recursive: true });
    // An overlay that was mounted volatile and not unmounted in order refuses to be mounted again.
    await rm(join(this.#folder, 'work/work/incompat'), { recursive: true, force: true });
    const bootId = `${randomUUID()}\n`;
    await writeFile(join(this.#folder, 'boot_id'), bootId);
    const cgroups = await this.#cgroups();
    for (const { folder } of cgroups) await mkdir(folder, { recursive: true });
    const keeper = spawn(
      'setpriv',
      [
        ...['--pdeathsig', 'KILL'],
        ...['unshare', '--fork', '--kill-child', '--pid', '--mount', '--uts', '--ipc'],
        ...(this.#network === 'private' ? ['--net'] : []),
        ...['--propagation', 'private', FIRST_PROCESS],
        ...[this.#folder, this.#syncs ? '' : 'volatile,', this.#network, CAPABILITIES],
        ...cgroups.map(({ hierarchy, folder }) => `${hierarchy}=${folder}`),
      ],
      { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, LAB_NEEDS: NEEDS.join(':') } },
    );
    const words: Buffer[] = [];
    keeper.stdout.on('data', (chunk: Buffer) => words.push(chunk));
    keeper.stderr.on('data', (chunk: Buffer) => words.push(chunk));
    this.#isUp = true;
    this.#ended = once(keeper, 'close').then(async () => {
      this.#isUp = false;
      for (const { folder } of cgroups) await removeCgroup(folder);
    });
    const deadline = Date.now() + BOOT_LIMIT_MS;
    while (!(await this.#isBooted(keeper.pid ?? 0, bootId))) {
      if (!this.isUp || Date.now() > deadline)
        throw new Error(`the lab did not boot: ${Buffer.concat(words).toString()}`);
      await pause(30);
    }
  }

  /** Runs a program inside, as root, in the root folder, outside of every unit. */
  async exec(argv: readonly string[], { input = '' } = {}): Promise<Outcome> {
    const child = this.spawn(argv);
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    // A program that ends without reading what it is given is judged by its exit code.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    await once(child, 'close');
    return {
      code: child.exitCode,
      stdout: Buffer.concat(stdout).toString(),
      stderr: Buffer.concat(stderr).toString(),
    };
  }

  /** Starts a program inside; its three streams are pipes. */
  spawn(argv: readonly string[]): ChildProcessWithoutNullStreams {
    const namespaces = ['-m', '-p', '-u', '-i', '-C', ...(this.#network === 'private' ? ['-n'] : [])];
    return spawn(
      'nsenter',
      [
        ...['-t', String(this.#initPid), ...namespaces, '-r', '-w', '--'],
        ...['setpriv', `--bounding-set=${CAPABILITIES}`, ...argv],
      ],
      { env: { PATH, LC_ALL: 'C.UTF-8' } },
    );
  }

  /** Runs a script with sh inside and returns what it printed. Throws when it fails. */
  async sh(script: string): Promise<string> {
    const { code, stdout, stderr } = await this.exec(['sh', '-eu'], { input: script });
    if (code !== 0) throw new Error(`in the lab: exit ${String(code)}\n${script}\n${stdout}${stderr}`);
    return stdout.trim();
  }

  /** Writes a file inside, with the folders above it. */
  async write(path: string, contents: string | Uint8Array, mode = 0o644): Promise<void> {
    await mkdir(dirname(this.root + path), { recursive: true });
    await writeFile(this.root + path, contents, { mode });
  }

  /** Writes a file's pages to the disk and drops them from the page cache. */
  async forget(path: string): Promise<void> {
    // Outside: where fsync does nothing inside, nothing could be dropped.
    const layer = join(this.#folder, 'upper', await this.sh(`readlink -f ${path}`));
    const child = spawn('dd', [
      `of=${layer}`,
      'oflag=nocache',
      'conv=notrunc,fdatasync',
      'count=0',
      'status=none',
    ]);
    await once(child, 'close');
    if (child.exitCode !== 0) throw new Error(`the pages of ${layer} could not be dropped`);
  }

  /** The power is cut: every process inside is gone at once. */
  async kill(): Promise<void> {
    if (this.#initPid !== 0 && this.#isUp) process.kill(this.#initPid, 'SIGKILL');
    await this.#ended;
  }

  /** The whole system goes down in order. */
  async poweroff(): Promise<void> {
    await this.exec(['systemctl', 'poweroff']);
    await this.#ended;
  }

  /** Cuts the power and removes what the lab kept. */
  async clean(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #isBooted(keeperPid: number, bootId: string): Promise<boolean> {
    this.#initPid = await onlyChildOf(keeperPid);
    if (this.#initPid === 0) return false;
    // Until the first process has changed its root, it is the machine's own systemd that would answer.
    const seen = await readFile(`${this.root}/proc/sys/kernel/random/boot_id`, 'utf8').catch(() => '');
    if (seen !== bootId) return false;
    const { stdout } = await this.exec(['systemctl', 'is-system-running']);
    return ['running', 'degraded'].includes(stdout.trim());
  }

  async #cgroups(): Promise<{ hierarchy: string; folder: string }[]> {
    const name = basename(this.#folder);
    const isUnified = !(await readFile('/proc/mounts', 'utf8')).includes('/sys/fs/cgroup/systemd ');
    if (isUnified) return [{ hierarchy: 'unified', folder: join('/sys/fs/cgroup', name) }];
    const lines = (await readFile('/proc/self/cgroup', 'utf8')).trim().split('\n');
    return lines.flatMap((line) => {
      const [, controllers = '', path = '/'] = line.split(':');
      const hierarchy = controllers.replace('name=', '') || 'unified';
      if (!hierarchy.split(',').some((one) => HIERARCHIES.includes(one))) return [];
      return [{ hierarchy, folder: join('/sys/fs/cgroup', hierarchy, path, name) }];
    });
  }
}

async function onlyChildOf(pid: number): Promise<number> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return Number(children.trim().split(' ')[0] ?? 0);
}

/** Removes a cgroup with all below it; the last processes may still be on their way out. */
async function removeCgroup(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => []))
    if (entry.isDirectory()) await removeCgroup(join(folder, entry.name));
  for (let tries = 0; tries < 100; tries += 1) {
    try {
      await rmdir(folder);
      return;
    } catch {
      await pause(20);
    }
  }
}
