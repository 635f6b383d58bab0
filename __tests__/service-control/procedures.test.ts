import { afterEach, describe, expect, test } from '@jest/globals';
import { refuseUnusable } from '../../services/service-control/refuse-unusable.js';
import { settleUnits } from '../../services/service-control/settle-units.js';
import { askToStartAll, startUnits } from '../../services/service-control/start-units.js';
import { stopUnits } from '../../services/service-control/stop-units.js';
import { RecordingLog } from '../support/recording-log.js';
import { untilIgnoringSigterm } from '../support/start-program.js';
import { SmallSupervisor } from '../support/small-supervisor.js';

const SLEEPER = ['/bin/sleep', '1000'] as const;
/** Ignores SIGTERM. */
const STUBBORN = ['/bin/sh', '-c', 'trap "" TERM; while :; do sleep 0.05; done'] as const;

const log = new RecordingLog();
const { signal } = new AbortController();
let supervisor = new SmallSupervisor({});

afterEach(() => supervisor.close());

async function running(programs: ConstructorParameters<typeof SmallSupervisor>[0]): Promise<SmallSupervisor> {
  supervisor = new SmallSupervisor(programs);
  await startUnits(supervisor, Object.keys(programs), { signal, log });
  supervisor.asked.length = 0;
  for (const [unit, { argv }] of Object.entries(programs))
    if (argv === STUBBORN) await untilIgnoringSigterm((await supervisor.look(unit)).mainPid);
  return supervisor;
}

describe('stopUnits', () => {
  test('asks the next unit only when the one before is gone [D-52]', async () => {
    const control = await running({ a: { argv: SLEEPER }, b: { argv: SLEEPER } });
    const seen: string[] = [];
    const ask = control.askToStop.bind(control);
    control.askToStop = async (unit) => {
      seen.push(`asked ${unit} while b was ${(await control.look('b')).active}`);
      return ask(unit);
    };
    const stopped = await stopUnits(control, ['b', 'a'], { signal, log, pollMs: 5 });
    expect(stopped.map(({ unit, way }) => `${unit} ${way}`)).toEqual(['b SIGTERM', 'a SIGTERM']);
    expect(seen).toEqual(['asked b while b was active', 'asked a while b was inactive']);
  });

  test('kills what has not gone in time, and not before [D-53]', async () => {
    const control = await running({ stubborn: { argv: STUBBORN } });
    const [stopped] = await stopUnits(control, ['stubborn'], { signal, log, pollMs: 5, killAfterMs: 300 });
    expect(stopped).toMatchObject({ unit: 'stubborn', way: 'SIGKILL' });
    expect(stopped?.tookMs).toBeGreaterThanOrEqual(300);
    expect(control.asked).toEqual(['stop stubborn', 'kill stubborn']);
  });

  test('throws PROCESS_KILL_FAILED with pid and name for what survives, and asks no further unit [D-55]', async () => {
    const control = await running({
      stubborn: { argv: STUBBORN, killWith: 'SIGTERM' },
      a: { argv: SLEEPER },
    });
    const { mainPid } = await control.look('stubborn');
    const options = { signal, log, pollMs: 5, killAfterMs: 50, giveUpMs: 100 };
    await expect(stopUnits(control, ['stubborn', 'a'], options)).rejects.toMatchObject({
      code: 'PROCESS_KILL_FAILED',
      message: `process ${mainPid} (sh) of stubborn survived SIGKILL; the unit is deactivating`,
    });
    expect(control.asked).not.toContain('stop a');
  });

  test('gives up waiting as soon as the signal is aborted', async () => {
    const control = await running({ stubborn: { argv: STUBBORN } });
    const waiting = stopUnits(control, ['stubborn'], { signal: AbortSignal.timeout(50), log });
    await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(control.asked).toEqual(['stop stubborn']);
  });
});

describe('refuseUnusable', () => {
  test('names each unit that cannot be used, and lets one pass that the package brings', async () => {
    const control = await running({
      fine: { argv: SLEEPER },
      masked: { argv: SLEEPER, load: 'masked' },
      unstoppable: { argv: SLEEPER, refusesStop: true },
    });
    const units = ['fine', 'masked', 'unstoppable', 'missing', 'brought'];
    await expect(refuseUnusable(control, units, new Set(['brought']))).rejects.toMatchObject({
      code: 'SERVICE_STOP_FAILED',
      message: expect.stringMatching(/: masked: .*; unstoppable: .*; missing: there is no such unit$/),
    });
    await expect(refuseUnusable(control, ['fine', 'brought'], new Set(['brought']))).resolves.toBeUndefined();
  });
});

describe('startUnits', () => {
  test('forgets failures before it starts and tells how many are up [D-67]', async () => {
    supervisor = new SmallSupervisor({ a: { argv: SLEEPER }, b: { argv: SLEEPER } });
    const told: string[] = [];
    const onStarted = (unit: string, started: number) => void told.push(`${unit} ${started}`);
    await startUnits(supervisor, ['a', 'b'], { signal, log, onStarted });
    expect(supervisor.asked).toEqual(['reset a', 'reset b', 'start a', 'start b']);
    expect(told).toEqual(['a 1', 'b 2']);
  });

  test('throws SERVICE_START_FAILED for a unit that does not get beyond being restarted [D-69]', async () => {
    supervisor = new SmallSupervisor({
      a: { argv: ['/bin/false'], restartAfterMs: 60_000, startsLate: true },
    });
    await expect(startUnits(supervisor, ['a'], { signal, log, startTimeoutMs: 200 })).rejects.toMatchObject({
      code: 'SERVICE_START_FAILED',
      message: 'a is activating after 0.2 s (result exit-code, exit status 1, 0 restarts)',
    });
  });

  test('does not wait for a unit that has failed and is not restarted', async () => {
    supervisor = new SmallSupervisor({ a: { argv: ['/bin/false'], startsLate: true } });
    await expect(startUnits(supervisor, ['a'], { signal, log })).rejects.toMatchObject({
      code: 'SERVICE_START_FAILED',
      message: 'a is failed and is not being restarted (result exit-code, exit status 1, 0 restarts)',
    });
  });

  test('asks all at once where nobody can wait, and goes on after one that is refused', async () => {
    supervisor = new SmallSupervisor({ b: { argv: SLEEPER } });
    expect(await askToStartAll(supervisor, ['a', 'b'], log)).toBe(1);
    expect((await supervisor.look('b')).active).toBe('active');
    expect(log.lines.at(-1)).toMatch(
      /^error unit could not be asked to start unit=a why=INTERNAL_ERROR: no such unit/,
    );
  });
});

describe('settleUnits', () => {
  const settle = { signal, settleMs: 600, pollMs: 10 };

  test('answers at once where there is nothing to watch [D-74]', async () => {
    await settleUnits(supervisor, [], { ...settle, settleMs: 60_000 });
  });

  test('watches for the whole time and tells how much of it is over [D-72]', async () => {
    const control = await running({ a: { argv: SLEEPER } });
    const percents: number[] = [];
    const began = performance.now();
    await settleUnits(control, ['a'], { ...settle, onProgress: (percent) => percents.push(percent) });
    expect(performance.now() - began).toBeGreaterThanOrEqual(600);
    expect(percents[0]).toBeLessThan(30);
    expect(percents.at(-1)).toBe(100);
    expect(percents).toEqual(percents.toSorted((a, b) => a - b));
  });

  test('tells the exit status of a unit that ends, and its restarts', async () => {
    const argv = ['/bin/sh', '-c', 'sleep 0.1; exit 3'] as const;
    const control = await running({ a: { argv }, b: { argv, restartAfterMs: 50 } });
    await expect(settleUnits(control, ['a'], settle)).rejects.toMatchObject({
      code: 'HEALTH_CHECK_FAILED',
      message: expect.stringMatching(/^a exited 3 \(0 restarts in 0\.\d s\)$/),
    });
    await expect(settleUnits(control, ['b'], settle)).rejects.toMatchObject({
      message: expect.stringMatching(/^b exited 3 \(\d restarts? in 0\.\d s\)$/),
    });
  });

  test('notices a unit that was restarted between two looks', async () => {
    const argv = ['/bin/sh', '-c', 'sleep 0.2; exit 3'] as const;
    const control = await running({ a: { argv, restartAfterMs: 0 } });
    const unhealthy = settleUnits(control, ['a'], { signal, settleMs: 350, pollMs: 340 });
    await expect(unhealthy).rejects.toMatchObject({
      message: expect.stringMatching(/^a (was restarted|exited 3) \(\d restarts? in \d+\.\d s\)$/),
    });
  });
});
