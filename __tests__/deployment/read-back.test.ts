import { readFileSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { watchSteps } from '../../services/steps.js';
import { DeploymentBench } from '../support/deployment-bench.js';
import { makeSigningKey, signBytes } from '../support/minisign-key.js';
import { errorOf } from '../support/sample-package.js';
import { sha256 } from '../support/file-tree.js';

afterEach(() => watchSteps(null));

/** A device that demands signatures, and a signed package for it that brings one file. */
async function signedUpdate() {
  const bench = await DeploymentBench.make();
  const key = makeSigningKey();
  await writeFile(join(bench.home, 'key.pub'), key.publicFile);
  const { expectations } = bench.parts;
  bench.parts.expectations = async (version) => ({
    ...(await expectations(version)),
    signature: 'required',
    keysDir: bench.home,
  });
  const dst = join(bench.root, 'app');
  const fields = { sha256: sha256('new') };
  const modules = [{ name: 'files/0', src: 'files/0', dst, ...fields }];
  const manifest = Buffer.from(JSON.stringify({ version: '1.0.0', modules }));
  const signature = { name: 'manifest.json.minisig', data: signBytes(key, manifest) };
  const update = await bench.package('1.0.0', { [dst]: { data: 'new', fields } }, [signature]);
  return { bench, dst, update };
}

test('a signed file is installed where it reads back from the disk as it was signed', async () => {
  const { bench, dst, update } = await signedUpdate();
  await bench.deploy(update);
  expect(readFileSync(dst, 'utf8')).toBe('new');
});

test('a signed file that lies on the disk otherwise than it was written is refused, with nothing touched', async () => {
  const { bench, dst, update } = await signedUpdate();
  await bench.put(dst, 'old');
  const before = await bench.tree();
  watchSteps((name, moment) => {
    if (name === 'staging.sync' && moment === 'before')
      writeFileSync(join(bench.store.staging, 'new/0'), 'bad');
  });
  const error = await errorOf(bench.stage(update));
  expect(error.line).toContain('SHA256_MISMATCH: ');
  expect(error.message).toContain(`and reads back as ${sha256('bad')}`);
  expect(await bench.tree()).toEqual(before);
});
