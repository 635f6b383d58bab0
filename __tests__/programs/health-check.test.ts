import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { checkHealth } from '../../services/programs/health-check.js';
import type { HealthCheck } from '../../services/package/manifest.js';
import { closedOrigin, serve } from '../support/small-server.js';
import { temporaryFolder } from '../support/temporary-folder.js';

function check(probe: HealthCheck, signal = new AbortController().signal): Promise<void> {
  return checkHealth(probe, { name: 'voice-app', manager: 'none', signal, pollMs: 20 });
}

describe('health by http', () => {
  test('asks with GET until the answer is 2xx [D-73]', async () => {
    const asked: string[] = [];
    const origin = await serve((request, response) => {
      asked.push(`${String(request.method)} ${String(request.url)}`);
      response.writeHead(asked.length < 3 ? 503 : 204).end();
    });
    await check({ kind: 'http', url: `${origin}/health?deep=1`, timeoutS: 5 });
    expect(asked).toEqual(Array.from({ length: 3 }, () => 'GET /health?deep=1'));
  });

  test('waits for a service that does not listen yet', async () => {
    const origin = await closedOrigin();
    await expect(check({ kind: 'http', url: `${origin}/health`, timeoutS: 0.2 })).rejects.toMatchObject({
      code: 'HEALTH_CHECK_FAILED',
      message: expect.stringMatching(
        /^voice-app: GET http:.*\/health: connect ECONNREFUSED 127.*, for 0.2 s$/,
      ),
    });
  });

  test('fails with the last answer when the time is over; a redirect is no 2xx', async () => {
    const origin = await serve((_, response) => response.writeHead(302, { location: '/fine' }).end());
    await expect(check({ kind: 'http', url: origin, timeoutS: 0.1 })).rejects.toMatchObject({
      code: 'HEALTH_CHECK_FAILED',
      message: `voice-app: GET ${origin}/ answered 302, for 0.1 s`,
    });
  });

  test('waits for a service that takes the question and does not answer only as long as it may', async () => {
    const origin = await serve(() => undefined);
    const began = performance.now();
    await expect(check({ kind: 'http', url: origin, timeoutS: 0.3 })).rejects.toMatchObject({
      message: expect.stringContaining('no answer within'),
    });
    expect(performance.now() - began).toBeLessThan(2500);
  });

  test.each([
    'http://192.168.1.7/',
    'http://127.0.0.1.example.org/',
    'https://127.0.0.1/',
    'file:///etc/passwd',
    'x',
  ])('does not ask %s [D-101]', async (http) => {
    await expect(check({ kind: 'http', url: http, timeoutS: 60 })).rejects.toMatchObject({
      code: 'HEALTH_CHECK_FAILED',
      message: expect.stringContaining('expected http:// and a loopback address'),
    });
  });

  test('is given up when the signal is aborted', async () => {
    const origin = await closedOrigin();
    const checking = check({ kind: 'http', url: origin, timeoutS: 60 }, AbortSignal.timeout(50));
    await expect(checking).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});

describe('health by a program', () => {
  test('runs it until it exits 0 [D-73]', async () => {
    const folder = await temporaryFolder();
    const program = join(folder, 'probe');
    await writeFile(program, `#!/bin/sh\ntest -e ${folder}/once && exit 0\ntouch ${folder}/once; exit 1\n`);
    await chmod(program, 0o755);
    await check({ kind: 'exec', command: [program], timeoutS: 5 });
  });

  test('fails with its exit status and words, and ends one that hangs', async () => {
    const failing = check({
      kind: 'exec',
      command: ['/bin/sh', '-c', 'echo not yet; exit 4'],
      timeoutS: 0.2,
    });
    await expect(failing).rejects.toMatchObject({
      code: 'HEALTH_CHECK_FAILED',
      message: 'voice-app: /bin/sh exited 4 (not yet), for 0.2 s',
    });
    const hanging = check({ kind: 'exec', command: ['/bin/sleep', '1000'], timeoutS: 0.2 });
    await expect(hanging).rejects.toMatchObject({ message: expect.stringContaining('did not end in time') });
  });
});
