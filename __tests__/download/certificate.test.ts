import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { expect, test } from '@jest/globals';
import { CERTIFICATE } from '../support/certificate.js';
import { DownloadBench } from '../support/download-bench.js';
import { FaultServer, file } from '../support/fault-server.js';

test('a certificate of an unknown authority is refused', async () => {
  const bench = await DownloadBench.make();
  const server = await FaultServer.startTls(file(bench.content));
  const error = await bench.failure(server.url());
  expect(error.line).toBe(
    `DOWNLOAD_FAILED: ${server.url()}: certificate not accepted (DEPTH_ZERO_SELF_SIGNED_CERT)`,
  );
  expect(error.facts.retry).toBe('final');
  expect(server.seen).toEqual([]);
});

test('a certificate that fails while the clock is not set says so, and is worth asking again', async () => {
  const bench = await DownloadBench.make();
  bench.now = { ...bench.now, wallMs: 5000, wallIsPlausible: false };
  const server = await FaultServer.startTls(file(bench.content));
  const error = await bench.failure(server.url());
  expect(error.message).toContain('; device clock is 1970-01-01');
  expect(error.facts.retry).toBe('retry');
});

test('agents that know the authority accept it', async () => {
  const bench = await DownloadBench.make();
  const server = await FaultServer.startTls(file(bench.content));
  const agents = { http: new HttpAgent(), https: new HttpsAgent({ ca: CERTIFICATE }) };
  expect(await bench.request(server.url(), { agents })).toEqual({ resumed: false });
  await bench.expectPackage();
});

test('a certificate for another name is refused', async () => {
  const bench = await DownloadBench.make();
  const server = await FaultServer.startTls(file(bench.content));
  const agents = { http: new HttpAgent(), https: new HttpsAgent({ ca: CERTIFICATE, servername: 'other' }) };
  const error = await bench.failure(server.url(), { agents });
  expect(error.message).toContain('certificate not accepted (ERR_TLS_CERT_ALTNAME_INVALID)');
});
