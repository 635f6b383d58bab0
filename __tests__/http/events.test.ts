import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { COMMENT_EVERY_MS, MAX_STREAMS } from '../../http/event-streams.js';
import type { StreamItem } from '../../machines/views.js';
import { closeBenches, openBench, type Bench } from '../support/http-bench.js';
import { until } from '../support/until.js';

const clients: ClientRequest[] = [];

afterEach(async () => {
  jest.useRealTimers();
  for (const client of clients.splice(0)) client.destroy();
  await closeBenches();
});

interface Listening {
  response: IncomingMessage;
  /** All that has come so far. */
  text: () => string;
  hangUp: () => void;
}

async function listen(bench: Bench, headers: Record<string, string> = {}): Promise<Listening> {
  const client = request({
    host: '127.0.0.1',
    port: bench.port,
    path: '/api/v1.0/events',
    headers,
    agent: false,
  });
  clients.push(client);
  client.on('error', () => undefined);
  const response = await new Promise<IncomingMessage>((resolve) => client.on('response', resolve).end());
  let text = '';
  response.setEncoding('utf8').on('data', (part: string) => (text += part));
  response.on('error', () => undefined);
  return { response, text: () => text, hangUp: () => client.destroy() };
}

function transition(id: number, words = 'DOWNLOAD'): StreamItem {
  const step = { edge: null, about: null, refused: [], changes: [], afterMs: 1 };
  const data = { id, time: 'T', event: words, from: 'idle', to: 'downloading.transferring' };
  return { id, type: 'transition', data: { ...data, ...step } };
}

const PROGRESS: StreamItem = {
  id: 2,
  type: 'progress',
  data: {
    stage: 'downloading',
    progress: 5,
    message: 'of https://h/x.zip?X-Signature=SECRET\n\ndata: forged',
  },
};

describe('GET /events', () => {
  test('tells each item as a server-sent event with id, type and one line of JSON [W-73]', async () => {
    const bench = await openBench();
    const { response, text } = await listen(bench);
    expect(response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    bench.updater.tell(transition(1));
    bench.updater.tell(PROGRESS);
    await until('event 2 has come', () => text().includes('id: 2'));
    expect(text()).toContain(
      'id: 1\nevent: transition\ndata: {"id":1,"time":"T","event":"DOWNLOAD","from":"idle","to":"downloading.transferring","edge":null,"about":null,"refused":[],"changes":[],"afterMs":1}\n\n' +
        'id: 2\nevent: progress\ndata: {"stage":"downloading","progress":5,"message":"of https://h/x.zip\\n\\ndata: forged"}\n\n',
    );
    expect(text()).not.toContain('SECRET');
  });

  test('resumes after the Last-Event-ID [W-73]', async () => {
    const bench = await openBench();
    for (const id of [1, 2, 3]) bench.updater.tell(transition(id));
    const { text } = await listen(bench, { 'Last-Event-ID': '1' });
    await until('event 3 has come', () => text().includes('id: 3\n'));
    expect(text()).toContain('id: 2\n');
    expect(text()).not.toContain('id: 1\n');
  });

  test.each(['', 'x', '-1', '1.5', '9'.repeat(40)])(
    'begins with what comes next for the Last-Event-ID %j',
    async (id) => {
      const bench = await openBench();
      bench.updater.tell(transition(1));
      const { text } = await listen(bench, { 'Last-Event-ID': id });
      bench.updater.tell(transition(2));
      await until('event 2 has come', () => text().includes('id: 2\n'));
      expect(text()).not.toContain('id: 1\n');
    },
  );

  test('sends a comment every 15 s', async () => {
    jest.useFakeTimers({
      doNotFake: [
        'setTimeout',
        'setImmediate',
        'nextTick',
        'queueMicrotask',
        'Date',
        'performance',
        'hrtime',
      ],
    });
    const bench = await openBench();
    const { text } = await listen(bench);
    await until('the stream is served', () => bench.updater.listeners() === 1);
    jest.advanceTimersByTime(COMMENT_EVERY_MS - 1);
    await bench.get('/progress');
    expect(text()).not.toContain('still here');
    jest.advanceTimersByTime(1);
    await until('a comment has come', () => text().endsWith(': still here\n\n'));
    jest.advanceTimersByTime(COMMENT_EVERY_MS);
    await until('a second comment has come', () => text().endsWith(': still here\n\n: still here\n\n'));
  });

  test('drops a client that does not read, and goes on serving the others', async () => {
    const bench = await openBench();
    const deaf = await listen(bench);
    deaf.response.pause();
    const { text } = await listen(bench);
    const words = 'x'.repeat(512 * 1024);
    let id = 0;
    // The kernel's own buffers take some megabytes before the server's begin to fill.
    while (bench.updater.listeners() === 2 && id < 200) {
      bench.updater.tell(transition(++id, words));
      await until(`event ${id} has come`, () => text().includes(`id: ${id}\n`) && text().endsWith('\n\n'));
    }
    expect(bench.updater.listeners()).toBe(1);
    bench.updater.tell(transition(++id));
    await until(`event ${id} has come`, () => text().includes(`id: ${id}\n`));
  });

  test('forgets a client that hangs up', async () => {
    const bench = await openBench();
    const { hangUp } = await listen(bench);
    await until('the stream is served', () => bench.updater.listeners() === 1);
    hangUp();
    await until('the stream has ended', () => bench.updater.listeners() === 0);
  });

  test(`serves ${MAX_STREAMS} clients and refuses one more with 429 until one leaves [W-74]`, async () => {
    const bench = await openBench();
    const served: Listening[] = [];
    for (let i = 0; i < MAX_STREAMS; i++) served.push(await listen(bench));
    expect(await bench.call({ path: '/api/v1.0/events' })).toMatchObject({
      status: 429,
      json: { code: 429, msg: 'OPERATION_IN_PROGRESS: 10 event streams are open; no more are served' },
    });
    served[0]?.hangUp();
    await until('one stream has ended', () => bench.updater.listeners() === MAX_STREAMS - 1);
    expect((await listen(bench)).response.statusCode).toBe(200);
  });

  test('answers HEAD at once and keeps no stream for it', async () => {
    const bench = await openBench();
    const { status, headers } = await bench.call({ method: 'HEAD', path: '/api/v1.0/events' });
    expect(status).toBe(200);
    expect(headers['content-type']).toContain('text/event-stream');
    expect(bench.updater.listeners()).toBe(0);
  });

  test('ends when the server closes, which does not wait for it', async () => {
    const bench = await openBench();
    const { response } = await listen(bench);
    const ended = new Promise((resolve) => response.on('end', resolve));
    const before = Date.now();
    await bench.server.close();
    await ended;
    expect(Date.now() - before).toBeLessThan(1900);
    expect(bench.updater.listeners()).toBe(0);
  });
});
