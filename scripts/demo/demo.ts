import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { wordsOf } from '../../machines/errors.js';
import { Screen } from './screen.js';
import { setStage, type Stage } from './stage.js';
import { playStory } from './story.js';

const INTERRUPTED = 130;

/** Plays the demo in a temporary folder that is removed afterwards, and answers with the exit code. */
async function run(signal: AbortSignal): Promise<number> {
  const screen = new Screen(process.stdout);
  const folder = await mkdtemp(join(await realpath(tmpdir()), 'tope-demo-'));
  const closing: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  let stage: Stage | null = null;
  try {
    screen.text(`TOPE Updater, a demo of about 20 seconds in ${folder}`);
    stage = await setStage(folder, screen, signal, (close) => closing.unshift(close));
    const verdict = await playStory(stage);
    screen.title('What was promised, judged by the files and the processes');
    for (const line of verdict.lines()) screen.text(`         ${line}`);
    screen.text(verdict.isGood ? '\nAll of it was as promised.' : '\nNOT all of it was as promised.');
    return verdict.isGood ? 0 : 1;
  } catch (error) {
    screen.endBar();
    if (signal.aborted) return INTERRUPTED;
    screen.text(`\nThe demo failed: ${wordsOf(error)}`);
    screen.text(`The end of the updater's log:\n${(await stage?.logTail()) ?? ''}`);
    return 1;
  } finally {
    await closeAll(closing);
  }
}

/** Ends what there is to be ended, all of it. Throws an AggregateError where something could not be. */
async function closeAll(closing: readonly (() => Promise<unknown>)[]): Promise<void> {
  const faults: unknown[] = [];
  for (const close of closing) await close().catch((error: unknown) => faults.push(error));
  if (faults.length > 0) throw new AggregateError(faults, faults.map(String).join('; '));
}

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => interruption.abort(new Error(signal)));
process.stdout.on('error', (error) => interruption.abort(error));
process.exitCode = await run(interruption.signal);
