import { readFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from '@jest/globals';
import { dropUnreadAnswers } from '../../http/unread-answers.js';
import { NODE_ENVIRONMENT, NODE_FLAGS } from '../../scripts/release/node-flags.js';
import { Device } from '../support/device.js';
import { serve } from '../support/small-server.js';
import { until } from '../support/until.js';

const MIB = 1024 * 1024;
const QUESTION = 'GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n';
/** An updater with the flags of a device. */
const LAUNCHED = {
  entry: { under: ['sh', '-c', `exec "$0" ${NODE_FLAGS.join(' ')} "$@"`] },
  environment: NODE_ENVIRONMENT,
};

const sockets = new Set<Socket>();

afterEach(() => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
});

/** Opens a connection that reads nothing of what comes, and sends words on it. */
async function say(port: number, words: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  sockets.add(socket);
  await once(socket, 'connect');
  socket.pause().write(words);
  return socket;
}

/** The most bytes that a process ever had in memory. */
function peakOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return 1024 * Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]);
}

describe('a client that asks and never reads', () => {
  test('costs less than 64 MiB with 3,000 questions on each of twenty connections', async () => {
    const device = await Device.on(LAUNCHED);
    await device.progress();
    const before = peakOf(device.updater.pid);
    const port = Number(new URL(device.url).port);
    for (let n = 0; n < 20; n += 1) {
      await say(port, QUESTION.repeat(3000));
      await device.progress();
    }
    expect(peakOf(device.updater.pid) - before).toBeLessThan(64 * MIB);
  });

  test('is dropped when it has not taken a whole answer in time', async () => {
    let isDropped = false;
    const answerMuch: RequestListener = ({ socket }, response) => {
      socket.on('close', () => (isDropped = true));
      response.end(Buffer.alloc(32 * MIB));
    };
    const origin = await serve(dropUnreadAnswers(answerMuch, 200));
    await say(Number(new URL(origin).port), QUESTION);
    await until('its connection is closed', () => isDropped, 10_000);
  });
});

test('one connection that reads is answered as often as it asks', async () => {
  const device = await Device.on();
  const socket = await say(Number(new URL(device.url).port), '');
  for (let n = 0; n < 12; n += 1) {
    socket.resume().write('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(socket, 'data', { signal: AbortSignal.timeout(10_000) });
  }
  expect(socket.destroyed).toBe(false);
});
