import { execFileSync } from 'node:child_process';
import { link, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { PackageIdentity } from '../../machines/package-order.js';
import { Journal } from '../../services/deployment/journal.js';
import { cutAt } from '../support/cut.js';
import { CAUSE, DeploymentBench } from '../support/deployment-bench.js';

/**
 * A device that runs 1.0.0, with an edited file, a service's own data and a file with a second name; and a package that
 * replaces, creates (in new folders), removes, and leaves alone.
 */
async function device(): Promise<{ bench: DeploymentBench; update: PackageIdentity }> {
  const bench = await DeploymentBench.make();
  const at = (name: string) => join(bench.root, name);
  const first = {
    [at('app/bin')]: { data: '#!/bin/sh\necho 1', mode: 0o755 },
    [at('app/conf')]: 'speed=1',
    [at('app/gone')]: 'only in 1.0.0',
    [at('app/linked')]: 'one file, two names',
    [at('app/same')]: 'the same in both',
    [join(bench.extra, 'app.conf')]: 'extra 1',
  };
  await bench.put(at('app/bin'), '#!/bin/sh\necho 0', { mode: 0o700, uid: 4711 });
  await bench.deploy(await bench.package('1.0.0', first));
  await writeFile(at('app/conf'), 'speed=1 # mine');
  await bench.put(at('app/data/log'), 'a service wrote this', { mode: 0o600 });
  const update = await bench.package('1.1.0', {
    [at('app/bin')]: {
      data: '#!/bin/sh\necho 2',
      mode: 0o755,
      fields: { remove: [at('app/gone')] },
    },
    [at('app/conf')]: 'speed=2',
    [at('app/linked')]: 'a new file',
    [at('app/same')]: 'the same in both',
    [at('app/new/deep/file')]: 'new',
    [join(bench.extra, 'app.conf')]: 'extra 2',
  });
  return { bench, update };
}

/** Stages and stops; the old content of one file is held as a copy, since the file has a second name. */
async function stop(bench: DeploymentBench, update: PackageIdentity): Promise<void> {
  const second = join(bench.root, 'second-name');
  await rm(second, { force: true });
  await link(join(bench.root, 'app/linked'), second);
  await bench.stop(update);
}

const switchAll = async (bench: DeploymentBench) => bench.effects.switchFiles();
const goBack = (bench: DeploymentBench) => bench.effects.goBack({ cause: CAUSE }, bench.signal);

async function lookOf(bench: DeploymentBench) {
  const tree = Object.entries(await bench.tree()).filter(([path]) => !path.endsWith('/second-name'));
  return { tree, lists: await bench.lists() };
}

describe('a deployment that is cut [D-12]', () => {
  test('while switching, wherever, is undone to what was there, byte for byte [D-1, D-59, D-60, D-62]', async () => {
    const { bench, update } = await device();
    const before = await lookOf(bench);
    let cuts = 0;
    for (let k = 0; ; k++) {
      await stop(bench, update);
      const { wasCut } = await cutAt(k, () => switchAll(bench));
      await goBack(bench);
      expect((await bench.journal()).head.phase).toBe('undone');
      await bench.close();
      expect(await lookOf(bench)).toEqual(before);
      if (!wasCut) break;
      cuts++;
    }
    expect(cuts).toBeGreaterThan(10);
    expect(await bench.faults()).toEqual([]);
  });

  test.each([
    ['a whole switch', 1000],
    ['half a switch', 8],
  ])('while undoing %s, wherever, is undone when it is called again [M-35, M-49]', async (_, switched) => {
    const { bench, update } = await device();
    const before = await lookOf(bench);
    let cuts = 0;
    for (let k = 0; ; k++) {
      await stop(bench, update);
      await cutAt(switched, () => switchAll(bench));
      const { wasCut } = await cutAt(k, () => goBack(bench));
      await goBack(bench);
      await bench.close();
      expect(await lookOf(bench)).toEqual(before);
      if (!wasCut) break;
      cuts++;
    }
    expect(cuts).toBeGreaterThan(10);
    expect(await bench.faults()).toEqual([]);
  });

  test('while committing, wherever, is undone to what was there: no list, no object, no copy is left over [D-9, D-75]', async () => {
    const { bench, update } = await device();
    const before = await lookOf(bench);
    const objects = await bench.store.objectNames();
    let cuts = 0;
    for (let k = 0; ; k++) {
      await stop(bench, update);
      await switchAll(bench);
      await cutAt(k, () => bench.effects.commitRelease());
      // Without the journal it is committed, and there is no way back.
      if ((await Journal.read(bench.store.journalPath)) === null) break;
      await goBack(bench);
      // Before anything is tidied: whoever writes into a live file must not write into an object.
      for (const name of await bench.store.objectNames())
        expect((await stat(bench.store.objectPath(name))).nlink).toBe(1);
      await bench.close();
      expect(await lookOf(bench)).toEqual(before);
      expect(await bench.faults()).toEqual([]);
      cuts++;
    }
    expect(cuts).toBeGreaterThan(10);
    expect(objects.length).toBeGreaterThan(0);
  });

  test('while committing, wherever, is committed as if it had not been when it is called again [D-8, D-75]', async () => {
    const { bench, update } = await device();
    await stop(bench, update);
    await switchAll(bench);
    // Inodes of files count no more once all is switched: a copy in the same roots is as good as the device.
    execFileSync('cp', ['-a', bench.home, `${bench.home}.switched`]);
    try {
      const uncut = await committed(bench, 1000);
      let cuts = 0;
      for (let k = 0; ; k++) {
        const { wasCut, result } = await committed(bench, k);
        expect(result).toEqual(uncut.result);
        if (!wasCut) break;
        cuts++;
      }
      expect(cuts).toBeGreaterThan(10);
    } finally {
      await rm(`${bench.home}.switched`, { recursive: true });
    }
  });
});

/** The device as it was when all was switched, with a commit that is cut at its n-th moment and called again. */
async function committed(bench: DeploymentBench, n: number) {
  for (const root of bench.roots) {
    for (const name of await readdir(root)) await rm(join(root, name), { recursive: true });
    execFileSync('cp', ['-a', `${bench.home}.switched/${relative(bench.home, root)}/.`, root]);
  }
  const { wasCut } = await cutAt(n, () => bench.effects.commitRelease());
  // The commit is over when the journal is gone; the machine then finds `current` to be what it wanted.
  if ((await Journal.read(bench.store.journalPath)) !== null) await bench.effects.commitRelease();
  await bench.close();
  const objects = (await bench.store.objectNames()).sort();
  return { wasCut, result: { ...(await lookOf(bench)), objects, faults: await bench.faults() } };
}
