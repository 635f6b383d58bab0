import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { once } from 'node:events';
import { afterEach, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { closeBenches, openBench, type Bench } from '../support/http-bench.js';
import { FUZZ_WITHIN_MS, tryWith } from './effort.js';
import { QUERY_SECRET, requests, type HostileRequest } from './hostile-requests.js';

const STATES = ['downloading.transferring', 'ready.waiting', 'deploying.switching', 'idle'] as const;

/** Then the next state is looked at: from some no order leads away. */
const ASKED_IN_A_STATE = 100;

const agent = new Agent({ keepAlive: true, maxSockets: 4 });

afterEach(async () => {
  agent.destroy();
  await closeBenches();
});

/** The answer's status and JSON; an event stream is left as soon as it has begun. */
function send(port: number, hostile: HostileRequest): Promise<{ status: number; text: string }> {
  const { method, path, headers, body } = hostile;
  return new Promise((resolve, reject) => {
    const to = { host: '127.0.0.1', port, method, path, headers, agent, setHost: false };
    const asked = request(to, (response) => {
      const status = response.statusCode ?? 0;
      if (response.headers['content-type']?.startsWith('text/event-stream') === true) {
        asked.destroy();
        resolve({ status, text: '' });
        return;
      }
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status, text }));
      response.on('error', reject);
    });
    asked.on('error', (error) => {
      // A kept connection may be closed by the server at any moment (after a 413, say): ask over a fresh one.
      if (asked.reusedSocket) send(port, hostile).then(resolve).catch(reject);
      else reject(error);
    });
    asked.end(body ?? undefined, 'latin1');
  });
}

/** The answer; the install guard, which an order in ready waits for, says that the device is free. */
async function answered(bench: Bench, asked: HostileRequest) {
  const { machine } = bench.updater;
  const guard = setInterval(() => {
    if (machine.path() === 'ready.askingGuard') void machine.script.askGuard.answer({ busy: null });
  }, 1);
  try {
    return await send(bench.port, asked);
  } finally {
    clearInterval(guard);
  }
}

test(
  'no request at random gets a 5xx, and none that is not wholly an order changes the machine’s state',
  async () => {
    let turn = 0;
    let bench: Bench = await openBench(STATES[0]);
    let heeded = 0;
    let asks = 0;
    const property = fc.asyncProperty(requests, async (asked) => {
      const before = bench.path();
      const { status, text } = await answered(bench, asked);
      expect(text).not.toContain(QUERY_SECRET);
      expect(status).toBeGreaterThanOrEqual(200);
      expect(status).toBeLessThan(500);
      if (text.startsWith('{"code"')) expect(text).not.toMatch(/^\{"code":500|INTERNAL_ERROR/);
      if (!asked.mayOrder) expect(bench.path()).toBe(before);
      if (bench.path() !== before) heeded += 1;
      if (bench.path() === before && ++asks % ASKED_IN_A_STATE !== 0) return;
      agent.destroy();
      await closeBenches();
      bench = await openBench(STATES[++turn % STATES.length] ?? 'idle');
    });
    await tryWith(5000, (effort) => fc.assert(property, effort));
    // Some are orders, and the machine heeds them: else nothing was shown.
    expect(heeded).toBeGreaterThan(20);
    expect(Object.keys(Object.prototype)).toEqual([]);
  },
  FUZZ_WITHIN_MS,
);

test(
  'bytes at random that are hardly HTTP leave the server answering',
  async () => {
    const bench = await openBench('downloading.transferring');
    const line = fc.constantFrom(
      'GET / HTTP/1.1',
      'POST /api/v1.0/cancel HTTP/1.1',
      'Host: localhost',
      'Host: x',
      '',
      '{}',
    );
    const lengths = fc.constantFrom(
      'Content-Length: 2',
      'Content-Length: -1',
      'Content-Length: 2, 3',
      'Transfer-Encoding: chunked',
      '2\r\n{}\r\n0',
      'FFFFFFFFFFFFFFFFF',
    );
    const lines = fc.array(fc.oneof(line, lengths, fc.string({ unit: 'binary', maxLength: 50 })), {
      maxLength: 8,
    });
    const property = fc.asyncProperty(lines, async (sent) => {
      const socket = connect(bench.port, '127.0.0.1');
      let answer = '';
      socket.setEncoding('latin1').on('data', (chunk: string) => (answer += chunk));
      socket.on('error', () => undefined);
      socket.end(sent.join('\r\n') + '\r\n\r\n');
      await once(socket, 'close');
      expect(answer).not.toMatch(/HTTP\/1\.1 5/);
    });
    await tryWith(500, (effort) => fc.assert(property, effort));
    expect(await bench.get('/progress')).toMatchObject({ code: 200 });
  },
  FUZZ_WITHIN_MS,
);
