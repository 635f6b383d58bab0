import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import type { StepMoment, StepName } from '../../services/steps.js';
import { DownloadBench } from '../support/download-bench.js';
import { FaultServer, file } from '../support/fault-server.js';
import { startNode } from '../support/run-node.js';

const MIB = 1024 * 1024;

/** One request, as a process of its own; SIGKILL comes at the named moment of the n-th such step. */
function startDownload(bench: DownloadBench, server: FaultServer, killAt = '') {
  const { tmpDir, identity } = bench;
  const order = { ...identity, url: server.url('/package.zip?token=x'), name: 'package.zip', sha256: null };
  const args = [JSON.stringify({ tmpDir, order }), killAt];
  return startNode('__tests__/support/download-program.js', args, {}, 'inherit');
}

const KILLS: [StepName, StepMoment, nth: number][] = [
  ['partial.open', 'before', 1],
  ['partial.open', 'after', 1],
  ['partial.note', 'before', 1],
  ['partial.note', 'written', 1],
  ['partial.note', 'renamed', 1],
  ['partial.note', 'after', 1],
  ['partial.sync', 'before', 1],
  ['partial.sync', 'after', 1],
  ['partial.note', 'before', 2],
  ['partial.note', 'written', 2],
  ['partial.note', 'renamed', 2],
  ['partial.note', 'after', 2],
  ['partial.sync', 'before', 2],
  ['partial.sync', 'after', 2],
  ['partial.finish', 'before', 1],
  ['partial.finish', 'after', 1],
  ['partial.finish', 'before', 2],
  ['partial.finish', 'after', 2],
  ['partial.remove', 'before', 1],
  ['partial.remove', 'after', 1],
];

test.each(KILLS)('killed at %s (%s, time %i) the next process brings the package', async (...moment) => {
  const bench = await DownloadBench.make(9 * MIB);
  const server = await FaultServer.start(file(bench.content));
  const killed = startDownload(bench, server, moment.join(' '));
  expect(await once(killed, 'exit')).toEqual([null, 'SIGKILL']);
  const wasWhole = existsSync(bench.zipPath);
  const next = startDownload(bench, server);
  expect(await once(next, 'exit')).toEqual([0, null]);
  await bench.expectPackage();
  if (wasWhole) expect(server.seen).toHaveLength(1);
});

test('with 20 cuts and SIGKILLs at random places the server sends no more than 1.05 × the package [T-12]', async () => {
  const bench = await DownloadBench.make(20 * MIB);
  const server = await FaultServer.start(file(bench.content));
  for (let round = 0; round < 20; round++) {
    const bytes = Math.floor(random(0.1, 0.9) * MIB);
    const isKill = round % 2 === 0;
    server.behave(file(bench.content, isKill ? { stallAfter: bytes } : { cutAfter: bytes }));
    const until = (await bench.partBytes()) + bytes;
    const child = startDownload(bench, server);
    const ended = once(child, 'exit');
    // Bytes that the process had no time to take would be lost with it, whatever it did.
    if (isKill) await bench.partReaches(until);
    if (isKill) child.kill('SIGKILL');
    await ended;
  }
  server.behave(file(bench.content));
  const last = startDownload(bench, server);
  expect(await once(last, 'exit')).toEqual([0, null]);
  await bench.expectPackage();
  expect(server.seen).toHaveLength(21);
  expect(server.sentBytes).toBeLessThanOrEqual(1.05 * 20 * MIB);
}, 60_000);

test('killed at any instant while bytes stream in, the next process asks for what is not on disk', async () => {
  const bench = await DownloadBench.make(20 * MIB);
  const slowly = { pieceBytes: 8 * 1024, pauseMs: 1 };
  const server = await FaultServer.start(file(bench.content, slowly));
  for (let round = 0; round < 8; round++) {
    const before = await bench.partBytes();
    const child = startDownload(bench, server);
    const ended = once(child, 'exit');
    await bench.partReaches(before + 1);
    await wait(random(0, 150));
    child.kill('SIGKILL');
    await ended;
    const asked = server.seen.at(-1)?.headers.range;
    expect(asked).toBe(before === 0 ? undefined : `bytes=${before}-`);
  }
  server.behave(file(bench.content));
  const last = startDownload(bench, server);
  expect(await once(last, 'exit')).toEqual([0, null]);
  await bench.expectPackage();
}, 60_000);

function random(from: number, to: number): number {
  return from + Math.random() * (to - from);
}
