import { createHash } from 'node:crypto';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { toUpdateError } from '../../machines/errors.js';
import { isSystemError } from '../../services/disk.js';
import type { PackageExpectations } from '../../services/package/inspect-package.js';
import { readStaged } from '../../services/deployment/staged-release.js';
import { DeploymentBench } from '../support/deployment-bench.js';
import { makeSigningKey, signBytes } from '../support/minisign-key.js';
import { EXPECTATIONS } from '../support/sample-package.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { sha256, treeOf } from '../support/file-tree.js';
import { writeZip, type EntryDescription } from '../support/zip-writer.js';
import { verdictOn } from './device-verdict.js';
import { FUZZ_WITHIN_MS, tryWith } from './effort.js';
import { entries, manifests } from './hostile-packages.js';
import { mutated, mutations } from './mutations.js';

/** Packages that are staged as well: staging takes the time of some fsyncs. */
const MOST_STAGED = 60;

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await temporaryFolder();
  path = join(folder, 'package.zip');
});

/** A signed package of two files, stored and deflated, with what else an archive may have. */
async function signedPackage() {
  const key = makeSigningKey();
  await writeFile(join(folder, 'key.pub'), key.publicFile);
  const contents = { 'm/a': '#!/bin/sh\necho a\n', 'm/b': 'b'.repeat(500) };
  const modules = Object.entries(contents).map(([src, data]) => ({
    name: src,
    src,
    dst: `/opt/tope/${src}`,
    sha256: sha256(data),
    mode: '0755',
  }));
  const manifest = Buffer.from(JSON.stringify({ version: '1.1.0', modules }));
  const parts = [
    { name: 'manifest.json', data: manifest, method: 8 },
    { name: 'manifest.json.minisig', data: signBytes(key, manifest), descriptor: 'signed' },
    { name: 'm/a', data: Buffer.from(contents['m/a']), mode: 0o100755 },
    { name: 'm/b', data: Buffer.from(contents['m/b']), method: 8, zip64: true },
    { name: 'unnamed', data: Buffer.from('never written') },
  ] satisfies EntryDescription[];
  const files = Object.fromEntries(modules.map(({ dst, sha256: digest }) => [dst, digest]));
  const expectations: PackageExpectations = { ...EXPECTATIONS, signature: 'required', keysDir: folder };
  return { parts, files, expectations };
}

describe('whatever a package is, a device', () => {
  test(
    'takes a signed package that was changed at random only where it brings the very same bytes',
    async () => {
      const { parts, files, expectations } = await signedPackage();
      const zipOf = (entries: EntryDescription[]) => writeZip({ entries, zip64End: true });
      expect(await verdictOn(zipOf(parts), path, expectations)).toEqual({ files });
      const outcomes = new Map<string, number>();
      // Changed within one file and packed honestly, changed in the archive's bytes, or both.
      const change = fc.tuple(fc.nat(parts.length), mutations, fc.oneof(fc.constant([]), mutations));
      const property = fc.asyncProperty(change, async ([which, inside, outside]) => {
        const changed = parts.map((part, at) =>
          at === which ? { ...part, data: mutated(part.data, inside) } : part,
        );
        const verdict = await verdictOn(mutated(zipOf(changed), outside), path, expectations);
        const outcome = 'files' in verdict ? 'taken' : verdict.refused;
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        if ('files' in verdict) expect(verdict.files).toEqual(files);
      });
      await tryWith(2500, (effort) => fc.assert(property, effort));
      // Random changes that all end alike would try little.
      for (const outcome of ['taken', 'INVALID_PACKAGE', 'SIGNATURE_INVALID', 'SHA256_MISMATCH'])
        expect([outcome, (outcomes.get(outcome) ?? 0) > 0]).toEqual([outcome, true]);
    },
    FUZZ_WITHIN_MS,
  );

  test(
    'refuses an archive of random entries by a rule, or takes what the manifest names alone',
    async () => {
      const modules = [
        { name: 'a', src: 'm/a', dst: '/opt/tope/a' },
        { name: 'd', src: 'm/d/', dst: '/opt/tope/d' },
      ];
      const property = fc.asyncProperty(
        entries,
        fc.subarray(modules, { minLength: 1 }),
        async (more, some) => {
          const manifest = {
            name: 'manifest.json',
            data: JSON.stringify({ version: '1.1.0', modules: some }),
          };
          const verdict = await verdictOn(writeZip({ entries: [manifest, ...more] }), path, EXPECTATIONS);
          if ('files' in verdict)
            for (const file of Object.keys(verdict.files)) expect(file).toMatch(/^\/opt\/tope\/(a$|d\/)/);
        },
      );
      await tryWith(1500, (effort) => fc.assert(property, effort));
    },
    FUZZ_WITHIN_MS,
  );

  test(
    'stages a random manifest within its roots and nowhere else, and changes nothing that is live',
    async () => {
      const bench = await DeploymentBench.make();
      const outside = join(bench.home, 'outside');
      await mkdir(outside);
      await bench.put(join(bench.root, 'a'), 'live');
      await symlink(outside, join(bench.root, 'out'));
      await symlink(join(bench.root, 'b'), join(bench.root, 'in'));
      await symlink('loop', join(bench.root, 'loop'));
      const before = [await bench.tree(), await treeOf([outside])];
      const brought = ['m/a', 'm/b', 'm/d/e'].map((name) => ({ name, data: name }));
      let staged = 0;
      const property = fc.asyncProperty(manifests(bench.root), async (manifest) => {
        const archive = writeZip({
          entries: [{ name: 'manifest.json', data: JSON.stringify(manifest) }, ...brought],
        });
        const verdict = await verdictOn(archive, path, { ...EXPECTATIONS, roots: [...bench.roots] });
        if ('refused' in verdict) return;
        for (const file of Object.keys(verdict.files)) expect(file.startsWith(`${bench.root}/`)).toBe(true);
        if (++staged > MOST_STAGED) return;
        await expectStagedInside(bench, archive);
        expect([await bench.tree(), await treeOf([outside])]).toEqual(before);
      });
      await tryWith(1500, (effort) => fc.assert(property, effort));
      expect(staged).toBeGreaterThan(20);
    },
    FUZZ_WITHIN_MS,
  );
});

/** Stages a package as a device does: refused for what stands on the disk, or every path is a real one in the root. */
async function expectStagedInside(bench: DeploymentBench, archive: Buffer): Promise<void> {
  const md5 = createHash('md5').update(archive).digest('hex');
  const identity = { version: '1.1.0', md5, size: archive.length };
  await writeFile(bench.parts.packagePath(identity), archive);
  try {
    await bench.stage(identity);
  } catch (error) {
    // A refusal of the operating system (a symlink in a ring) becomes DEPLOYMENT_FAILED in the machine.
    if (isSystemError(error)) return;
    expect(['DEPLOYMENT_FAILED', 'INVALID_MANIFEST']).toContain(toUpdateError(error).code);
    return;
  }
  const { operations } = await readStaged(bench.store);
  for (const { path, newAt } of operations) {
    expect(path.startsWith(`${bench.root}/`)).toBe(true);
    expect(path.startsWith(`${bench.root}/out/`) || path.startsWith(bench.store.root)).toBe(false);
    if (newAt !== null) expect(await readFile(newAt, 'utf8')).toMatch(/^m\//);
  }
}
