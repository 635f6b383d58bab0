import { setTimeout as sleep } from 'node:timers/promises';
import { FIRST_WORDS, STAGES, topStateOf } from '../../machines/stage.js';
import { isSystemError } from '../../services/disk.js';
import { askStatus, type Status } from './answers.js';
import { NoAnswer, type Client } from './client.js';
import { eventParser, type StreamEvent } from './stream-events.js';

/** What is seen of an updater: what it does, or why it cannot be asked now. */
export type Sight = { status: Status } | { away: string };

const AGAIN_AFTER_MS = 1000;
/** An end has more words than an event has: the error, or what the owner should know of. */
const HAS_MORE_TO_SAY: ReadonlySet<string> = new Set([STAGES.done, STAGES.failed]);

/**
 * Follows an updater: what it does now, then every stage and every step of its progress as they happen. One that goes away
 * (it is restarted, or is not there yet) is told once and waited for. Ends when the signal is given; throws NoUpdater.
 */
export async function* follow(client: Client, signal: AbortSignal): AsyncGenerator<Sight> {
  let isAway = false;
  const isOver = () => signal.aborted;
  while (!isOver()) {
    try {
      for await (const status of followConnection(client, signal)) {
        isAway = false;
        yield { status };
      }
    } catch (error) {
      if (isOver()) return;
      if (!(error instanceof NoAnswer) && !isSystemError(error, 'ECONNRESET')) throw error;
      if (!isAway) yield { away: error instanceof NoAnswer ? error.message : 'the updater has gone away' };
      isAway = true;
    }
    await sleep(AGAIN_AFTER_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** Follows until the connection ends. */
async function* followConnection(client: Client, signal: AbortSignal): AsyncGenerator<Status> {
  const stream = await client.events(signal);
  const parse = eventParser();
  let now = await askStatus(client);
  // What came before the answer is older than it.
  const early: unknown = stream.read();
  if (Buffer.isBuffer(early)) parse(early);
  yield now;
  for await (const piece of stream) {
    if (!Buffer.isBuffer(piece)) continue;
    for (const event of parse(piece)) {
      const next = after(event);
      if (next.stage === now.stage && (event.type === 'transition' || next.progress < now.progress)) continue;
      now = HAS_MORE_TO_SAY.has(next.stage) ? await askStatus(client) : next;
      yield now;
    }
  }
}

function after({ type, data }: StreamEvent): Status {
  if (type === 'progress') return { ...data, error: null };
  const state = topStateOf(data.to);
  const { percent, message } = FIRST_WORDS[state];
  return { stage: STAGES[state], progress: percent, message, error: null };
}
