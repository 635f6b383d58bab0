import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Reporter } from '../../services/reporting/reporter.js';
import { call } from '../support/http-call.js';
import { atEndOf } from '../support/life.js';
import { listenOn } from '../support/local-server.js';
import { RecordingLog } from '../support/recording-log.js';

const TURN = '/turn';
const turn = () => new Promise((resolve) => setImmediate(resolve));

let server: Server;
let port: number;
let heard: ServerResponse[];

beforeEach(async () => {
  heard = [];
  server = createServer((request: IncomingMessage, response) => {
    if (request.url === TURN) response.end();
    else heard.push(response);
  });
  port = await listenOn(server);
  atEndOf('test', () => new Promise((resolve) => server.close(() => resolve())));
  // Minutes pass at once; all but the waits themselves is real.
  jest.useFakeTimers({
    doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'setInterval', 'Date', 'performance', 'hrtime'],
  });
});

afterEach(() => {
  jest.useRealTimers();
});

/** A reporter with its own waits, and one report to tell. */
function startReporter(): Reporter {
  const deviceApiUrl = `http://127.0.0.1:${port}`;
  const reporter = new Reporter({ deviceApiUrl, log: new RecordingLog(), onDelivered: () => undefined });
  reporter.offer([{ id: 1, stage: 'downloading', progress: 0, message: '', error: null }]);
  return reporter;
}

/** Lets time pass; whatever was asked meanwhile has come before this answers. */
async function pass(ms: number): Promise<void> {
  jest.advanceTimersByTime(ms);
  await call(port, { path: TURN });
}

test('an attempt ends after 5 s [W-61]', async () => {
  const reporter = startReporter();
  await once(server, 'request');
  const [response] = heard;
  await pass(4999);
  expect(response?.closed).toBe(false);
  jest.advanceTimersByTime(1);
  if (response !== undefined && !response.closed) await once(response, 'close');
  reporter.stop();
});

test('the pauses between attempts grow from 1 s to 60 s, and stay there [W-64]', async () => {
  const reporter = startReporter();
  for (const pauseS of [1, 2, 4, 8, 16, 32, 60, 60, 60]) {
    while (heard.length === 0) await turn();
    const response = heard.pop();
    response?.writeHead(500).end();
    if (response !== undefined && !response.closed) await once(response, 'close');
    // The attempt's limit is gone, and the pause is what is left.
    await call(port, { path: TURN });
    while (jest.getTimerCount() !== 1) await turn();
    await pass(1000 * pauseS - 1);
    expect([pauseS, heard.length]).toEqual([pauseS, 0]);
    jest.advanceTimersByTime(1);
  }
  while (heard.length === 0) await turn();
  heard.pop()?.end();
  reporter.stop();
});
