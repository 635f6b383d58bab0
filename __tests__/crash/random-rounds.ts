import { setTimeout as wait } from 'node:timers/promises';
import { CrashDevice } from './crash-device.js';
import { Order, type Wish } from './order.js';
import { OwnData } from './own-data.js';
import { Random } from '../support/random.js';
import { AS_FOUND, BAD, GOOD } from './releases.js';
import { mayStay, problemsAfter, treeOfVersion } from './sound-device.js';

/** How long an order takes that nothing cuts, from its first word to the end of tidying up, ms. */
const ORDER_MS = 2500;
/** The same from the moment on that it is told as `installing`, ms. */
const INSTALL_MS = 900;
/** From the start of a process until it has carried on what it found, ms. */
const RESUME_MS = 1800;
const RECOVER_MS = 400;
/** The pace at which packages come in, so that kills meet downloads too: ms before each piece. */
const PIECE_MS = 30;

export interface RoundsReport {
  rounds: number;
  kills: number;
  /** Kills of `recover`. */
  recoverKills: number;
  /** How orders ended: `success` or the code of the failure, with how often. */
  endings: Map<string, number>;
  /** The stage that device-api had heard last when a kill came, with how often. */
  killedIn: Map<string, number>;
  /** How often services' data was changed. */
  dataChanges: number;
  problems: string[];
}

export interface RoundsOptions {
  rounds: number;
  seed: number;
  devices?: number;
  tell: (line: string) => void;
}

/** Random orders on devices whose updater is killed at random instants. */
export async function runRandomRounds({
  rounds,
  seed,
  devices = 2,
  tell,
}: RoundsOptions): Promise<RoundsReport> {
  const report: RoundsReport = {
    rounds: 0,
    kills: 0,
    recoverKills: 0,
    endings: new Map(),
    killedIn: new Map(),
    dataChanges: 0,
    problems: [],
  };
  let next = 0;
  const runLane = async () => {
    let device: RandomDevice | null = null;
    try {
      while (next < rounds) {
        const round = next++;
        device ??= await RandomDevice.make(new Random(seed * 1_000_003 + round), report);
        const words = await device.round(new Random(seed * 7919 + round)).catch((error: unknown) => ({
          what: 'round',
          problems: [inWords(error)],
        }));
        report.rounds += 1;
        tell(`round ${round}: ${words.what}`);
        for (const problem of words.problems)
          report.problems.push(`round ${round}, ${words.what}: ${problem}`);
        if (words.problems.length === 0) continue;
        // What follows on a device that is not sound would say nothing.
        tell(`${words.problems.join('\n')}\n${device.log()}`);
        await device.close();
        device = null;
      }
    } finally {
      await device?.close();
    }
  };
  await Promise.all(Array.from({ length: devices }, runLane));
  return report;
}

/** A device that gets one random order after the other. */
class RandomDevice {
  readonly #device: CrashDevice;
  readonly #data: OwnData;
  readonly #report: RoundsReport;
  #live: string = AS_FOUND;

  private constructor(device: CrashDevice, data: OwnData, report: RoundsReport) {
    this.#device = device;
    this.#data = data;
    this.#report = report;
  }

  static async make(random: Random, report: RoundsReport): Promise<RandomDevice> {
    const device = await CrashDevice.make();
    device.server.pace = () => wait(PIECE_MS);
    await device.serve();
    return new RandomDevice(device, new OwnData(device.root, random), report);
  }

  async round(random: Random): Promise<{ what: string; problems: string[] }> {
    const { wish, wanted } = await this.#chooseWish(random);
    const before = this.#live;
    const order = new Order(this.#device, wish);
    const kills: string[] = [];
    const most = random.oneOf([1, 1, 1, 2, 2, 3]);
    for (let kill = 0; kill < most; kill++) {
      const isFromInstalling = kill === 0 && random.chance(0.6);
      const withinMs = isFromInstalling ? INSTALL_MS : kill === 0 ? ORDER_MS : RESUME_MS;
      const afterMs = Math.round(random.below(withinMs));
      await this.#pursueUntilKilled(order, afterMs, isFromInstalling);
      kills.push(`${afterMs} ms${isFromInstalling ? ' of installing' : ''}`);
      if (random.chance(0.6)) kills.push(...(await this.#boot(random)));
      this.#device.launch('serve');
    }
    await this.#device.isListening();
    if ((await order.pursue()) === 'cut') throw new Error('the updater ended by itself');
    const [final] = order.finals;
    this.#live = order.saidVersion(before, wanted);
    const ending = final?.stage === 'success' ? 'success' : errorCodeOf(final?.raw ?? '');
    count(this.#report.endings, ending);
    const words = 'update' in wish ? `update to ${wish.update}` : `rollback to ${wish.rollback}`;
    return {
      what: `${words} from ${before}, killed after ${kills.join(', ')}: ${ending}, ${this.#live} is live`,
      problems: await this.#problems(order),
    };
  }

  log(): string {
    return this.#device.log().split('\n').slice(-40).join('\n');
  }

  async close(): Promise<void> {
    this.#data.stop();
    this.#report.dataChanges += this.#data.changes;
    await this.#device.close();
  }

  async #chooseWish(random: Random): Promise<{ wish: Wish; wanted: string }> {
    const { previous } = await this.#device.versions();
    const kind = random.fraction();
    if (kind < 0.2 && typeof previous === 'string' && previous !== this.#live)
      return { wish: { rollback: 'previous' }, wanted: previous };
    if (kind >= 0.2 && kind < 0.3 && this.#live !== AS_FOUND)
      return { wish: { rollback: 'factory' }, wanted: AS_FOUND };
    const version = kind >= 0.3 && kind < 0.5 ? BAD : random.oneOf(GOOD);
    return { wish: { update: version }, wanted: version };
  }

  async #pursueUntilKilled(order: Order, afterMs: number, isFromInstalling: boolean): Promise<void> {
    const { updater } = this.#device;
    const begun = isFromInstalling ? order.isInstalling() : Promise.resolve();
    const kill = begun.then(() => wait(afterMs)).then(() => updater.end('SIGKILL'));
    if (await this.#device.isListening()) await order.pursue();
    await kill;
    order.noteCut();
    this.#report.kills += 1;
    count(this.#report.killedIn, order.reports.at(-1)?.stage ?? 'before the first word');
  }

  /** The whole device goes down, services too, and `recover` runs before them: it may be killed as well. */
  async #boot(random: Random): Promise<string[]> {
    const words = ['boot'];
    await this.#device.services.stop();
    while (this.#device.hasJournal && random.chance(0.4)) {
      const afterMs = Math.round(random.below(RECOVER_MS));
      const recover = this.#device.launch('recover');
      const { signal } = await Promise.race([
        recover.ended(),
        wait(afterMs).then(() => recover.end('SIGKILL')),
      ]);
      if (signal !== 'SIGKILL') continue;
      this.#report.recoverKills += 1;
      words.push(`recover killed after ${afterMs} ms`);
    }
    if (this.#device.hasJournal) {
      const { exitCode, stdout } = await this.#device.recover();
      if (exitCode !== 0 || stdout.includes('ERROR')) throw new Error(`recover: ${stdout}`);
      words.push('recover');
    }
    this.#device.services.start();
    return words;
  }

  async #problems(order: Order): Promise<string[]> {
    this.#data.stop();
    const problems = await problemsAfter(this.#device, order, {
      live: this.#live,
      tree: treeOfVersion(this.#live),
      mayBe: (path, seen) => this.#data.has(path) || path === 'alpha/own.db' || mayStay(path, seen),
    });
    const dataProblems = this.#data.problems();
    this.#data.start();
    return [...problems, ...dataProblems.map((problem) => `mixed: ${problem}`)];
  }
}

function inWords(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return /^(?:lost|stuck): /.test(message) ? message : `stuck: ${message}`;
}

function errorCodeOf(report: string): string {
  return /"error":"([A-Z0-9_]+)/.exec(report)?.[1] ?? report;
}

function count(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}
