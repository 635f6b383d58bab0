import { beforeEach, describe, expect, test } from '@jest/globals';
import { createActor, waitFor, type PromiseActorLogic } from 'xstate';
import { toUpdateError, UpdateError } from '../machines/errors.js';
import { Effects } from '../services/effect.js';

/** A save that a test ends. */
class Save {
  end: () => void = () => undefined;
  fail: (error: Error) => void = () => undefined;
  readonly done: Promise<void> = new Promise((resolve, reject) => {
    this.end = resolve;
    this.fail = reject;
  });
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

let save: Save;
let effects: Effects;
let told: string[];

beforeEach(() => {
  save = new Save();
  save.done.catch(() => undefined);
  told = [];
  effects = new Effects({ saved: () => save.done, percent: () => 42 });
});

function start<Output>(logic: PromiseActorLogic<Output, string>, input = 'x') {
  const actor = createActor(logic, { input });
  actor.subscribe({ error: () => undefined });
  return actor.start();
}

/** Work that tells when it begins, and ends when the test says so. */
function slow() {
  let end: () => void = () => undefined;
  const done = new Promise<void>((resolve) => (end = resolve));
  const work = async (input: string) => {
    told.push(`${input} begins`);
    await done;
    told.push(`${input} ends`);
  };
  return { work, end };
}

describe('an effect that goes forward [M-18]', () => {
  const begin = (input: string) => {
    told.push(`${input} begins`);
    return Promise.resolve(input);
  };

  test('does not act before the state that invoked it is saved', async () => {
    const actor = start(effects.forward(begin));
    await turn();
    expect(told).toEqual([]);
    save.end();
    await waitFor(actor, ({ status }) => status === 'done');
    expect(actor.getSnapshot().output).toBe('x');
  });

  test('asks for the save only after whoever started it could queue one', async () => {
    const asked: string[] = [];
    const late = new Effects({
      saved: () => {
        asked.push('saved?');
        return Promise.resolve();
      },
      percent: () => 0,
    });
    start(late.forward(begin));
    asked.push('queued');
    await turn();
    expect(asked).toEqual(['queued', 'saved?']);
  });

  test('does not act where the save failed, and tells why and how far the stage was', async () => {
    const actor = start(effects.forward(begin));
    save.fail(new UpdateError('DISK_FULL', 'no room'));
    await turn();
    expect(told).toEqual([]);
    const error = toUpdateError(actor.getSnapshot().error);
    expect(error.line).toBe('DISK_FULL: no room');
    expect(error.facts.progress).toBe(42);
  });

  test('does not act where it was left while it waited for the save', async () => {
    const actor = start(effects.forward(begin));
    await turn();
    actor.stop();
    save.end();
    await turn();
    await effects.idle();
    expect(told).toEqual([]);
  });
});

describe('an effect that goes back [M-20]', () => {
  test('waits for no save', async () => {
    start(effects.back((input: string) => Promise.resolve(told.push(input))));
    await turn();
    expect(told).toEqual(['x']);
  });

  test('acts also where the save has failed', async () => {
    save.fail(new Error('EROFS'));
    start(effects.back((input: string) => Promise.resolve(told.push(input))));
    await turn();
    expect(told).toEqual(['x']);
  });
});

describe('two effects', () => {
  test('never overlap: the second begins when the first, though left, is over', async () => {
    save.end();
    const [first, second] = [slow(), slow()];
    const left = start(effects.forward(first.work), 'first');
    await turn();
    left.stop();
    start(effects.back(second.work), 'second');
    await turn();
    expect(told).toEqual(['first begins']);
    first.end();
    await turn();
    expect(told).toEqual(['first begins', 'first ends', 'second begins']);
    second.end();
    await effects.idle();
    expect(told).toHaveLength(4);
  });

  test('follow each other also where the first fails', async () => {
    start(effects.back(() => Promise.reject(new Error('no'))));
    start(effects.back((input: string) => Promise.resolve(told.push(input))));
    await turn();
    expect(told).toEqual(['x']);
  });

  test('are over when idle() answers', async () => {
    const { work, end } = slow();
    start(effects.back(work));
    let isIdle = false;
    const idle = effects.idle().then(() => (isIdle = true));
    await turn();
    expect(isIdle).toBe(false);
    end();
    await idle;
    expect(told).toEqual(['x begins', 'x ends']);
  });
});

describe('what an effect throws', () => {
  test.each([
    [new UpdateError('MD5_MISMATCH', 'other bytes', { discard: true }), 'MD5_MISMATCH: other bytes'],
    [new Error('surprise'), 'INTERNAL_ERROR: surprise'],
    [
      Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', errno: -28 }),
      'DISK_FULL: no room is left (ENOSPC: no space left on device, write)',
    ],
    [
      Object.assign(new Error('EPERM: operation not permitted, rename'), {
        code: 'EPERM',
        syscall: 'rename',
      }),
      'DEPLOYMENT_FAILED: EPERM: operation not permitted, rename',
    ],
  ])('%p reaches the machine as %s', async (thrown, line) => {
    const actor = start(effects.back(() => Promise.reject(thrown), 'DEPLOYMENT_FAILED'));
    await turn();
    const error = toUpdateError(actor.getSnapshot().error);
    expect(error.line).toBe(line);
    expect(error.facts.progress).toBe(42);
    if (thrown instanceof UpdateError) expect(error.facts.discard).toBe(true);
  });
});
