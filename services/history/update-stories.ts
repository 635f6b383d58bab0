import { toUpdateError } from '../../machines/errors.js';
import type { TopState } from '../../machines/stage.js';
import type { UpdateContext } from '../../machines/update-context.js';
import type { HistoryRow } from '../../machines/views.js';
import type { Clock } from '../clock.js';
import { appendHistory, readHistory } from './history.js';
import type { Log } from '../log/log.js';
import { timesIn } from './stage-times.js';
import { beginStory, endStory, isAbout, storyIn, tellOn, type Outcome, type Story } from './update-story.js';

export interface StoryParts {
  /** The file of the history. */
  path: string;
  log: Log;
  clock: Clock;
  /** The version that is installed now. */
  liveVersion: () => Promise<string | null>;
  /** Answers when the machine's newest state is on disk. */
  saved: () => Promise<void>;
}

const AT_REST: readonly TopState[] = ['idle', 'done', 'failed'];
const CALLER_MOST = 100;

/**
 * Tells the story of each order while it happens. A story is written when it begins, at each change of stage (but not while
 * services are down), at each start in its middle and at its end, each time after the save of the machine's state, so that a start finds in the
 * history no more than the machine knows, and ends what a power cut left open. A history that cannot be written or read
 * is told and decides nothing.
 */
export class UpdateStories {
  readonly #parts: StoryParts;
  #open: Story | null;
  #nextId: number;
  #newestOrder = { order: 'unknown', by: 'unknown' };
  #isResumed = false;
  #writing: Promise<void> = Promise.resolve();

  private constructor(parts: StoryParts, rows: readonly HistoryRow[]) {
    this.#parts = parts;
    const stories = rows.map(storyIn).filter((story) => story !== null);
    const newest = stories.at(-1);
    this.#open = newest?.outcome === null ? newest : null;
    this.#nextId = 1 + stories.reduce((most, { id }) => Math.max(most, id), 0);
  }

  /** Begins where the history ends. */
  static async open(parts: StoryParts): Promise<UpdateStories> {
    const rows = await readHistory(parts.path).catch((error: unknown) => {
      parts.log.warn('the history could not be read', { why: toUpdateError(error).message });
      return [];
    });
    return new UpdateStories(parts, rows);
  }

  /** Notes who gives an order, before the machine gets it; it is told where the machine obeys. */
  ordered(order: string, by = 'unknown'): void {
    this.#newestOrder = { order: order.toLowerCase(), by: by.slice(0, CALLER_MOST) };
  }

  /** To be called once, when the machine has found its way after a start; what it enters before that is not told. */
  resume(state: TopState, context: UpdateContext): void {
    this.#isResumed = true;
    const story = this.#open;
    const goesOn = story !== null && state !== 'idle' && isAbout(story, context);
    if (!goesOn) this.#end('unknown');
    if (goesOn) story.restarts++;
    else if (!AT_REST.includes(state)) this.#begin(context, null);
    this.#carryOn(state, context);
    if (this.#open !== null) this.#write(this.#open);
  }

  /** To be called when the machine is in another top-level state than `before`. */
  enter(before: TopState, state: TopState, context: UpdateContext): void {
    if (!this.#isResumed) return;
    const isOrdered = AT_REST.includes(before) || before === 'ready';
    if (state === 'downloading' && isOrdered) this.#end('replaced');
    if (this.#open === null && !AT_REST.includes(state)) this.#begin(context, new Date());
    this.#carryOn(state, context);
    if (isOrdered || state === 'idle') this.#noteOrder();
    if (state === 'idle') this.#end('cancelled');
    // Services are down then: nothing is written that can wait.
    else if (this.#open !== null && state !== 'restarting') this.#write(this.#open);
  }

  /** Answers when everything that was told is written, or could not be. */
  written(): Promise<void> {
    return this.#writing;
  }

  #begin(context: UpdateContext, startedAt: Date | null): Story {
    const story = beginStory(this.#nextId++, context, startedAt);
    this.#open = story;
    this.#inTurn(async () => {
      story.from ??= await this.#parts.liveVersion();
    });
    return story;
  }

  #carryOn(state: TopState, context: UpdateContext): void {
    const story = this.#open;
    if (story !== null && isAbout(story, context)) tellOn(story, context);
    if (story !== null && !AT_REST.includes(state))
      Object.assign(story, timesIn(state, story, this.#parts.clock()));
    if (state === 'done') this.#end('success');
    if (state === 'failed') this.#end('failed');
  }

  #noteOrder(): void {
    this.#open?.orders.push({ time: new Date().toISOString(), ...this.#newestOrder });
  }

  #end(outcome: Outcome): void {
    if (this.#open === null) return;
    Object.assign(this.#open, timesIn(null, this.#open, this.#parts.clock()));
    endStory(this.#open, outcome, new Date());
    this.#write(this.#open);
    this.#open = null;
  }

  #write(story: Story): void {
    const { path, saved } = this.#parts;
    this.#inTurn(async () => {
      // The machine itself deals with a state that cannot be saved; what happened is told all the same.
      await saved().catch(() => undefined);
      await appendHistory(path, { ...story });
    });
  }

  /** A file has one writer at a time. */
  #inTurn(work: () => Promise<void>): void {
    this.#writing = this.#writing
      .then(work)
      .catch((error: unknown) =>
        this.#parts.log.warn('the history could not be written', { why: toUpdateError(error).message }),
      );
  }
}
