import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createHttpServer } from '../../http/server.js';
import { closeBenches, openBench } from '../support/http-bench.js';
import { until } from '../support/until.js';

const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await closeBenches();
});

function dial(port: number): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  sockets.push(socket);
  return socket;
}

/** All that the server sends until it closes the connection. */
async function sendRaw(port: number, text: string): Promise<string> {
  const socket = dial(port);
  let answer = '';
  socket.setEncoding('utf8').on('data', (part: string) => (answer += part));
  socket.write(text);
  await once(socket, 'close');
  return answer;
}

describe('the server', () => {
  test('says which port is taken, and tries no other [W-2]', async () => {
    const bench = await openBench();
    const second = createHttpServer(bench.updater.port, {
      host: '127.0.0.1',
      port: bench.port,
      allowedHosts: [],
    });
    await expect(second.listen()).rejects.toThrow(`port ${bench.port} on 127.0.0.1 is already in use`);
    await second.close();
    expect(await bench.get('/progress')).toMatchObject({ code: 200 });
  });

  test('says why it cannot listen at an address that is not the device’s', async () => {
    const bench = await openBench();
    const server = createHttpServer(bench.updater.port, { host: '192.0.2.1', port: 0, allowedHosts: [] });
    await expect(server.listen()).rejects.toThrow(
      /^cannot listen on port 0 of 192\.0\.2\.1: .*EADDRNOTAVAIL/,
    );
  });

  test('does not listen before it is told to', async () => {
    const bench = await openBench();
    await bench.server.close();
    createHttpServer(bench.updater.port, { host: '127.0.0.1', port: bench.port, allowedHosts: [] });
    const refused = once(connect(bench.port, '127.0.0.1'), 'connect');
    await expect(refused).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('finishes an answer that is going on when it closes [M-63]', async () => {
    const bench = await openBench();
    bench.updater.saves.close();
    const answer = bench.post('/cancel', {});
    await until('the save has begun', () => bench.updater.saves.waiting === 1);
    const closed = bench.server.close();
    bench.updater.saves.open();
    expect(await answer).toMatchObject({ code: 200 });
    await closed;
  });

  test('closes within 2 s although an answer never comes [M-63]', async () => {
    const bench = await openBench();
    bench.updater.saves.close();
    const answer = bench.post('/cancel', {});
    const refused = expect(answer).rejects.toThrow('socket hang up');
    await until('the save has begun', () => bench.updater.saves.waiting === 1);
    const before = Date.now();
    await bench.server.close();
    expect(Date.now() - before).toBeLessThan(10_000);
    await refused;
  });

  test('answers what is not HTTP in the same envelope, and closes [W-9]', async () => {
    const bench = await openBench();
    expect(await sendRaw(bench.port, 'HELLO\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 400 Bad Request\r\n.*"code":400,"msg":"VALIDATION_ERROR: the request is not HTTP\/1\.1"}$/s,
    );
    const long = `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`;
    expect(await sendRaw(bench.port, long)).toMatch(/^HTTP\/1\.1 431 .*"code":431,/s);
  });

  test('puts nothing into an answer that has begun when the client sends rubbish', async () => {
    const bench = await openBench();
    const ask = 'GET /api/v1.0/events HTTP/1.1\r\nHost: localhost\r\n\r\n';
    const socket = dial(bench.port);
    let answer = '';
    socket.setEncoding('utf8').on('data', (part: string) => (answer += part));
    socket.write(ask);
    await until('the stream is served', () => bench.updater.listeners() === 1);
    socket.write('RUBBISH\r\n\r\n');
    await once(socket, 'close');
    expect(answer).not.toContain('HTTP/1.1 400');
    await until('the stream has ended', () => bench.updater.listeners() === 0);
  });
});
