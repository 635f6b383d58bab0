import { expect, test } from '@jest/globals';
import { ConfigurationError } from '../../services/configuration/configuration.js';
import { DIRECT, openConnections } from '../../services/download/connections.js';
import { trustedAuthorities } from '../../services/download/trusted-authorities.js';
import { EXPIRED, NOT_YET_VALID } from '../support/certificate.js';
import { DownloadBench } from '../support/download-bench.js';
import { FaultServer, file } from '../support/fault-server.js';
import { ProxyServer } from '../support/proxy-server.js';
import { authorityFile, trusting } from '../support/trusting.js';

test('a certificate of an unknown authority is refused before anything is asked', async () => {
  const bench = await DownloadBench.make();
  const server = await FaultServer.startTls(file(bench.content));
  const error = await bench.failure(server.url());
  expect(error.line).toBe(
    `DOWNLOAD_FAILED: ${server.url()}: certificate not accepted (UNABLE_TO_VERIFY_LEAF_SIGNATURE)`,
  );
  expect(error.facts.retry).toBe('final');
  expect(server.seen).toEqual([]);
});

test('the same is accepted where TOPE_CA_FILE names its authority, and resumed', async () => {
  const bench = await DownloadBench.make();
  const connections = await trusting();
  const server = await FaultServer.startTls(file(bench.content, { cutAfter: 400_000 }), file(bench.content));
  await bench.failure(server.url(), { connections });
  expect(await bench.request(server.url(), { connections })).toEqual({ resumed: true });
  expect(server.seen[1]?.headers.range).toBe('bytes=400000-');
  await bench.expectPackage();
});

test('a good certificate of another server is refused', async () => {
  const bench = await DownloadBench.make();
  const server = await FaultServer.startTls(file(bench.content));
  const proxy = await ProxyServer.start();
  const connections = await trusting({ httpsProxy: proxy.url() });
  const error = await bench.failure(server.url('/package.zip', 'other.test'), { connections });
  expect(error.message).toContain('certificate not accepted (ERR_TLS_CERT_ALTNAME_INVALID)');
  expect(server.seen).toEqual([]);
});

test.each([
  ['expired', EXPIRED, 'CERT_HAS_EXPIRED'],
  ['not valid yet', NOT_YET_VALID, 'CERT_NOT_YET_VALID'],
])('a certificate that is %s is refused for good where the clock is right', async (_, pem, code) => {
  const bench = await DownloadBench.make();
  const server = await FaultServer.startTlsWith(pem, file(bench.content));
  const error = await bench.failure(server.url(), { connections: await trusting() });
  expect(error.line).toBe(`DOWNLOAD_FAILED: ${server.url()}: certificate not accepted (${code})`);
  expect(error.facts.retry).toBe('final');
});

test('one that is not valid by a clock that is not set yet names the clock, and is worth asking again', async () => {
  const bench = await DownloadBench.make();
  bench.now = { ...bench.now, wallMs: 5000, wallIsPlausible: false };
  const server = await FaultServer.startTlsWith(NOT_YET_VALID, file(bench.content));
  const error = await bench.failure(server.url(), { connections: await trusting() });
  expect(error.line).toBe(
    `DOWNLOAD_FAILED: ${server.url()}: certificate not accepted (CERT_NOT_YET_VALID); device clock is 1970-01-01`,
  );
  expect(error.facts.retry).toBe('retry');
});

test('many authorities may stand in one file, with words between them', async () => {
  const several = await authorityFile(`# ours\n${EXPIRED}\n# theirs\n${NOT_YET_VALID}`);
  expect(openConnections({ ...DIRECT, trust: await trustedAuthorities(several) })).toBeDefined();
});

test.each([
  ['empty', '', /there is no certificate in it/],
  [
    'a key',
    '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n',
    /there is no certificate in it/,
  ],
  ['torn', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', /expected a readable PEM file/],
])('a file of authorities that is %s is refused at the start, by its name', async (_, content, why) => {
  const path = await authorityFile(content);
  const refused = expect(trustedAuthorities(path)).rejects;
  await refused.toThrow(ConfigurationError);
  await expect(trustedAuthorities(path)).rejects.toThrow(`TOPE_CA_FILE is "${path}"`);
  await expect(trustedAuthorities(path)).rejects.toThrow(why);
});

test('a file of authorities that is not there is refused at the start', async () => {
  await expect(trustedAuthorities('/nonexistent/ca.pem')).rejects.toThrow(/\/nonexistent\/ca\.pem.*ENOENT/);
});
