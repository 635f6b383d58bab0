import { expect, test } from '@jest/globals';
import { createActor, waitFor, type Actor, type PromiseActorLogic } from 'xstate';
import type { Age, Instant } from '../machines/clock.js';
import { DIRECT, openConnections } from '../services/download/connections.js';
import { Effects } from '../services/effect.js';
import { updateActors } from '../services/update-actors.js';
import { DeploymentBench } from './support/deployment-bench.js';
import { HOUR_MS } from './support/machine-driver.js';

const NOW: Instant = { bootId: 'boot', uptimeMs: 7_000_000, wallMs: 0, wallIsPlausible: false };
const nothing = () => Promise.resolve();

/** The actors of an updater whose clock stands still. */
async function actors() {
  const { parts, home } = await DeploymentBench.make();
  const download = { order: () => null, fetchedBefore: () => 0, makeRoom: nothing, pace: nothing };
  return updateActors(
    { ...parts, ...download, connections: openConnections(DIRECT), tmpDir: home, clock: () => NOW },
    new Effects({ saved: nothing, percent: () => 0 }),
  );
}

/** A watch that is 100 ms from its end ends then, and one that is 20 s from it goes on. */
async function expectEndAt<Output, Input>(
  lifeMs: number,
  watch: (age: Age) => Actor<PromiseActorLogic<Output, Input>>,
): Promise<void> {
  const watching = (countedMs: number) => watch({ countedMs, asOf: NOW });
  const [young, old] = [watching(lifeMs - 20_000), watching(lifeMs - 100)];
  const begun = performance.now();
  await waitFor(old, ({ status }) => status === 'done');
  const tookMs = performance.now() - begun;
  expect(tookMs).toBeGreaterThan(95);
  expect(tookMs).toBeLessThan(4500);
  expect(young.getSnapshot().status).toBe('active');
  young.stop();
}

test('done is over after 65 s [W-55]', async () => {
  const { watchDone } = await actors();
  await expectEndAt(65_000, (doneFor) => createActor(watchDone, { input: { doneFor } }).start());
});

test('a verified package is expired after 24 h [W-38]', async () => {
  const { watchTrust } = await actors();
  await expectEndAt(24 * HOUR_MS, (trust) => createActor(watchTrust, { input: { trust } }).start());
});
