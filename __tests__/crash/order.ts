import { setTimeout as wait } from 'node:timers/promises';
import type { HeardReport } from '../support/report-listener.js';
import type { Envelope } from '../support/updater-caller.js';
import { isSystemError } from '../../services/disk.js';
import { textOf } from '../support/json-fields.js';
import type { CrashDevice } from './crash-device.js';
import { AS_FOUND } from './releases.js';

/** What device-api wants of the device. */
export type Wish = { update: string } | { rollback: 'previous' | 'factory' };

const POLL_MS = 15;
/** How often an updater that carries an order out is asked how far it is. */
const LOOK_MS = 300;
const PATIENCE_MS = 25_000;
const NOTHING_GOING_ON = ['idle', 'success', 'failed'];
const STAGES = ['idle', 'downloading', 'verifying', 'toInstall', 'installing', 'rebooting'];

/** One order as device-api gives it and hears of it, however often the updater dies meanwhile. */
export class Order {
  readonly #device: CrashDevice;
  readonly wish: Wish;
  readonly #from: number;
  #isDownloadAccepted: boolean;
  #isAccepted = false;
  /** The last order was given, and the updater died before it had answered. */
  #isInDoubt = false;
  #wasFetched = false;
  /** How many times the final report may be heard once more: the updater died between the answer and its save. */
  #excused = 0;

  /** `isReady`: the package was fetched before. */
  constructor(device: CrashDevice, wish: Wish, { isReady = false } = {}) {
    this.#device = device;
    this.wish = wish;
    this.#from = device.api.heard.length;
    this.#isDownloadAccepted = isReady;
  }

  get reports(): HeardReport[] {
    return this.#device.api.heard.slice(this.#from);
  }

  get finals(): HeardReport[] {
    return this.reports.filter(({ stage }) => stage === 'success' || stage === 'failed');
  }

  /** Gives what is to be ordered next, and waits, until the order has ended or the updater has. */
  async pursue(): Promise<'ended' | 'cut'> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      if (this.finals.length > 0) return 'ended';
      if (!this.#device.updater.isRunning) return 'cut';
      try {
        await this.#goOn();
      } catch (error) {
        if (!isSystemError(error, 'ECONNREFUSED', 'ECONNRESET', 'EPIPE')) throw error;
      }
      if (performance.now() > deadline)
        throw new Error(`stuck: ${JSON.stringify(await this.#device.progress())}`);
      await this.#rest();
    }
  }

  /** Until the next look: an updater that has its orders is left in peace, as long as no end is heard. */
  async #rest(): Promise<void> {
    const until = performance.now() + (this.#isAccepted ? LOOK_MS : POLL_MS);
    do await wait(POLL_MS);
    while (performance.now() < until && this.finals.length === 0 && this.#device.updater.isRunning);
  }

  /** Answers when device-api hears that it is installed, or how it has ended. */
  async isInstalling(): Promise<void> {
    const stages = ['installing', 'rebooting', 'success', 'failed'];
    await this.#device.api.hears('installing', ({ stage }) => stages.includes(stage), { from: this.#from });
  }

  /** Which version the final report says is live, where `before` was, and `wanted` was ordered. */
  saidVersion(before: string, wanted: string): string {
    const [final] = this.finals;
    if (final?.stage === 'success') return wanted;
    return textOf(final?.body, 'error').includes('rolled back to factory') ? AS_FOUND : before;
  }

  /** To be called when the updater has been killed. */
  noteCut(): void {
    if (this.#device.unacknowledged().some((stage) => stage === 'success' || stage === 'failed'))
      this.#excused += 1;
  }

  /** What is wrong with what device-api has heard. */
  problems(): string[] {
    const problems: string[] = [];
    const stages = this.reports.map(({ stage }) => stage);
    const [first, ...more] = this.finals;
    if (first === undefined) return ['no final report'];
    if (more.length > this.#excused) problems.push(`${more.length + 1} final reports: ${stages.join(' ')}`);
    if (more.some(({ raw }) => raw !== first.raw)) problems.push('two final reports that differ');
    const inOrder = [...new Set(stages)];
    const known = [...STAGES, first.stage].filter((stage) => inOrder.includes(stage));
    if (known.join() !== inOrder.join()) problems.push(`stages out of order: ${stages.join(' ')}`);
    const wanted = 'update' in this.wish && this.#wasFetched ? ['downloading', 'verifying', 'toInstall'] : [];
    wanted.push('installing', ...(first.stage === 'success' ? ['rebooting'] : []));
    const missing = wanted.filter((stage) => !inOrder.includes(stage));
    if (missing.length > 0) problems.push(`stages missing: ${missing.join()} of ${stages.join(' ')}`);
    return problems;
  }

  async #goOn(): Promise<void> {
    const { stage } = await this.#device.progress();
    if (this.#isAccepted) {
      if (stage === 'idle' || stage === 'toInstall')
        throw new Error(`lost: accepted, and the stage is ${stage}`);
    } else if ('rollback' in this.wish) {
      const { rollback } = this.wish;
      if (NOTHING_GOING_ON.includes(stage)) await this.#orderLast(() => this.#device.rollback(rollback));
    } else if (stage === 'toInstall') {
      const { update } = this.wish;
      await this.#orderLast(() => this.#device.update(update));
    } else if (NOTHING_GOING_ON.includes(stage) && !this.#isInDoubt) {
      await this.#orderDownload(this.wish.update, stage);
    }
  }

  async #orderDownload(version: string, stage: string): Promise<void> {
    if (this.#isDownloadAccepted) {
      if (stage === 'idle') throw new Error('lost: the download was accepted, and the machine is idle');
      return;
    }
    this.#wasFetched = true;
    need(await this.#device.download(version));
    this.#isDownloadAccepted = true;
  }

  async #orderLast(order: () => Promise<Envelope>): Promise<void> {
    // It may have been accepted, and have ended: then its report is heard first.
    if (this.#isInDoubt && (this.#device.unacknowledged().length > 0 || this.finals.length > 0)) return;
    this.#isInDoubt = true;
    need(await order());
    this.#isAccepted = true;
  }
}

function need({ code, msg }: Envelope): void {
  if (code !== 200) throw new Error(`the order was refused: ${code} ${msg}`);
}
