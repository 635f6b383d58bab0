import { setTimeout as wait } from 'node:timers/promises';
import type { BuiltPackage } from '../support/build-package.js';
import type { Envelope } from '../support/updater-caller.js';
import type { PluggedDevice } from './plugged-device.js';
import type { Content } from './releases.js';

/** What is ordered. */
export type Wish =
  | { kind: 'download'; built: BuiltPackage; content: Content }
  | { kind: 'update'; built: BuiltPackage; content: Content }
  | { kind: 'rollback'; content: Content };

export type End = 'good' | 'failed' | 'never taken';

/** Stages in which nothing goes on. */
const AT_REST = ['idle', 'toInstall', 'success', 'failed'];
/** How long an updater at rest may keep silent about the end of an order that it has accepted, ms. */
const SILENT_MS = 10_000;
/** The same for one that it may never have taken. */
const NEVER_TAKEN_MS = 2000;
const END_MS = 60_000;
const LOOK_EVERY_MS = 25;

/** An order that was given to a device, and what device-api hears of it. */
export class Order {
  readonly wish: Wish;
  readonly #device: PluggedDevice;
  readonly #heardFrom: number;
  #answer: Envelope | null = null;

  private constructor(device: PluggedDevice, wish: Wish) {
    this.#device = device;
    this.wish = wish;
    this.#heardFrom = device.api.heard.length;
  }

  /** Gives it, and does not wait for the answer. */
  static give(device: PluggedDevice, wish: Wish): Order {
    const order = new Order(device, wish);
    order.#post().then(
      (answer) => (order.#answer = answer),
      // Cut before it was answered: it may have been taken or not.
      () => undefined,
    );
    return order;
  }

  /** Whether it was answered with 200. */
  get isAccepted(): boolean {
    return this.#answer?.code === 200;
  }

  /** Answers when device-api has heard its end. Throws where it is refused, or not told in time. */
  async isTold(): Promise<'told'> {
    const deadline = performance.now() + END_MS;
    while (this.#toldEnds().length === 0) {
      this.#failIfRefused();
      if (performance.now() > deadline) throw new Error(`the end of the ${this.wish.kind} is not told`);
      await wait(LOOK_EVERY_MS);
    }
    return 'told';
  }

  /**
   * How it has ended, by the reports, once the updater is at rest. Throws where it was accepted and its end is never
   * told, where two ends are told, or where the updater comes to no rest.
   */
  async end(): Promise<End> {
    const deadline = performance.now() + END_MS;
    let restsSince: number | null = null;
    while (performance.now() < deadline) {
      this.#failIfRefused();
      const { stage } = await this.#device.progress();
      const told = this.#toldEnds();
      if (told.length > 1) throw new Error(`the ${this.wish.kind} was told to have ended both ways`);
      if (!AT_REST.includes(stage)) restsSince = null;
      else if (told[0] !== undefined) return told[0] === 'failed' ? 'failed' : 'good';
      else {
        restsSince ??= performance.now();
        if (this.#wasForgotten(stage, performance.now() - restsSince)) return 'never taken';
      }
      await wait(LOOK_EVERY_MS);
    }
    throw new Error(`the ${this.wish.kind} has not ended within ${END_MS} ms`);
  }

  /** Throws where it was accepted. */
  #wasForgotten(stage: string, silentMs: number): boolean {
    if (silentMs < (this.isAccepted ? SILENT_MS : NEVER_TAKEN_MS)) return false;
    if (this.isAccepted) throw new Error(`the ${this.wish.kind} was accepted and is lost: ${stage}`);
    return true;
  }

  #failIfRefused(): void {
    const answer = this.#answer;
    if (answer === null || answer.code === 200) return;
    throw new Error(`the ${this.wish.kind} was refused: ${answer.code} ${answer.msg}`);
  }

  get #goodEnd(): string {
    return this.wish.kind === 'download' ? 'toInstall' : 'success';
  }

  #toldEnds(): string[] {
    const stages = this.#device.api.heard.slice(this.#heardFrom).map(({ stage }) => stage);
    return [...new Set(stages.filter((stage) => stage === this.#goodEnd || stage === 'failed'))];
  }

  #post(): Promise<Envelope> {
    const { wish } = this;
    if (wish.kind === 'download') return this.#device.download(wish.built);
    if (wish.kind === 'update') return this.#device.update(wish.built.version);
    return this.#device.rollback('previous');
  }
}
