import { execFileSync } from 'node:child_process';
import { statfsSync, writeFileSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { watchSteps } from '../../services/steps.js';
import { CAUSE, DeploymentBench } from '../support/deployment-bench.js';
import { cutAt } from '../support/cut.js';
import { describeIf, ROOT } from '../support/requirements.js';
import { errorOf } from '../support/sample-package.js';
import { fillDisk, smallDisk } from '../support/small-disk.js';

const dotFiles = async (folder: string) =>
  (await readdir(folder)).filter((name) => name.startsWith('.tope')).sort();

/** A device whose extra root is a mount of its own, with a unit's settings on it. */
async function device() {
  const extra = await smallDisk('1m');
  const bench = await DeploymentBench.make({ extra });
  const conf = join(extra, 'app.conf');
  await bench.put(conf, 'old', { mode: 0o600 });
  await bench.put(join(bench.root, 'app'), 'old');
  const update = await bench.package('1.0.0', {
    [conf]: 'new',
    [join(extra, 'app.d/deep/more.conf')]: 'more',
    [join(bench.root, 'app')]: 'new',
  });
  return { bench, extra, conf, update };
}

describeIf(ROOT, 'a target on another mount', () => {
  test('is staged beside itself, switched by rename, and leaves nothing beside after the commit [D-38]', async () => {
    const { bench, extra, conf, update } = await device();
    const outsideAt: string[] = [];
    watchSteps((name, moment) => {
      if (name === 'staging.outside' && moment === 'before') outsideAt.push('names');
      if (name === 'staging.write' && moment === 'before') outsideAt.push('file');
    });
    await bench.stop(update).finally(() => {
      watchSteps(null);
    });
    expect(outsideAt[0]).toBe('names');
    expect(await dotFiles(extra)).toEqual([
      '.tope-updater-0.new',
      '.tope-updater-0.old',
      '.tope-updater-1.new',
    ]);
    const { operations } = (await bench.journal()).body;
    expect(JSON.parse((await bench.store.stagedText('outside')) ?? '')).toEqual(
      expect.arrayContaining([operations[0]?.newAt, operations[0]?.oldAt, operations[1]?.newAt]),
    );
    await bench.effects.switchFiles();
    await bench.effects.commitRelease();
    await bench.close();
    expect(await readFile(conf, 'utf8')).toBe('new');
    expect(await dotFiles(extra)).toEqual([]);
    expect(await bench.faults()).toEqual([]);
    await bench.deploy('as-found');
    expect(await readFile(conf, 'utf8')).toBe('old');
    expect(await readdir(extra)).toEqual(['app.conf']);
  });

  test('is undone wherever it was cut [D-38, D-60]', async () => {
    const { bench, extra, update } = await device();
    const before = await bench.tree();
    for (let k = 0; ; k++) {
      await bench.stop(update);
      const { wasCut } = await cutAt(k, () => bench.effects.switchFiles());
      await bench.effects.goBack({ cause: CAUSE }, bench.signal);
      await bench.close();
      expect(await bench.tree()).toEqual(before);
      expect(await dotFiles(extra)).toEqual([]);
      if (!wasCut) break;
    }
    expect(await bench.faults()).toEqual([]);
  });

  test('loses what a cut staging left beside it as soon as staging is emptied [D-44]', async () => {
    const { bench, extra, update } = await device();
    const before = await bench.tree();
    await cutAt(0, () => bench.stage(update), 'staging.link');
    expect(await dotFiles(extra)).not.toEqual([]);
    await bench.close();
    expect(await bench.tree()).toEqual(before);
    expect(await bench.faults()).toEqual([]);
  });

  test('that is itself a mount point is refused [D-24]', async () => {
    const { bench, conf } = await device();
    const target = join(bench.root, 'app');
    execFileSync('mount', ['--bind', conf, target]);
    try {
      const error = await errorOf(bench.stage(await bench.package('1.0.0', { [target]: 'new' })));
      expect(error.line).toBe(`DEPLOYMENT_FAILED: ${target} is a mount point, a regular file was expected`);
    } finally {
      execFileSync('umount', [target]);
    }
  });
});

describeIf(ROOT, 'room', () => {
  test('that lacks on the store’s file system is told with both figures before anything is written [P-42, D-40]', async () => {
    const disk = await smallDisk('4m');
    const bench = await DeploymentBench.make({ managed: disk });
    const update = await bench.package('1.0.0', { [join(disk, 'big')]: 'x'.repeat(2_000_000) });
    await fillDisk(disk, 1_000_000);
    const error = await errorOf(bench.stage(update));
    expect(error.line).toMatch(/^DISK_FULL: 2000000 bytes are needed in .*, 9\d{5} are available$/);
  });

  test('that lacks on the other mount is told so too [P-42, D-40]', async () => {
    const { bench, extra } = await device();
    const update = await bench.package('1.0.0', { [join(extra, 'big')]: 'x'.repeat(2_000_000) });
    const error = await errorOf(bench.stage(update));
    expect(error.line).toMatch(
      new RegExp(`^DISK_FULL: 2000000 bytes are needed in ${extra}, \\d{6,7} are available$`),
    );
    expect(await dotFiles(extra)).toEqual([]);
  });

  test('is asked only for what really has to be written [D-40]', async () => {
    const disk = await smallDisk('4m');
    const bench = await DeploymentBench.make({ managed: disk });
    const big = { data: 'x'.repeat(2_000_000), fields: {} };
    await bench.deploy(await bench.package('1.0.0', { [join(disk, 'big')]: big }));
    const list = await bench.store.release('000001-1.0.0');
    const digest = list.files[join(disk, 'big')]?.sha256;
    await fillDisk(disk, 500_000);
    const same = { ...big, fields: { sha256: digest } };
    await bench.deploy(
      await bench.package('1.1.0', { [join(disk, 'big')]: same, [join(disk, 'small')]: 'x' }),
    );
    expect(await readFile(join(disk, 'small'), 'utf8')).toBe('x');
  });

  test('is made by dropping older releases first [D-36]', async () => {
    const disk = await smallDisk('8m');
    const bench = await DeploymentBench.make({ managed: disk });
    const big = (letter: string) => ({ [join(disk, 'big')]: letter.repeat(1_500_000) });
    for (const [n, letter] of ['a', 'b', 'c'].entries())
      await bench.deploy(await bench.package(`1.${n}.0`, big(letter)));
    expect(await bench.store.releaseIds()).toContain('000001-1.0.0');
    await fillDisk(disk, 1_000_000);
    await bench.deploy(await bench.package('1.3.0', big('d')));
    expect(await bench.store.releaseIds()).not.toContain('000001-1.0.0');
    expect(await bench.faults()).toEqual([]);
  });

  test('that runs out while files are staged is DISK_FULL too, and the live files stay', async () => {
    const disk = await smallDisk('4m');
    const bench = await DeploymentBench.make({ managed: disk });
    const update = await bench.package('1.0.0', { [join(disk, 'big')]: 'x'.repeat(2_000_000) });
    watchSteps((name, moment) => {
      if (name !== 'staging.write' || moment !== 'after') return;
      watchSteps(null);
      const { bavail, bsize } = statfsSync(disk);
      writeFileSync(join(disk, 'ballast'), Buffer.alloc(bavail * bsize));
    });
    const error = await errorOf(bench.stage(update));
    expect(error.line).toMatch(/^DISK_FULL: 2000000 bytes are needed in .*, \d+ are available$/);
    expect(await bench.tree()).toEqual({ [join(disk, 'ballast')]: expect.anything() });
  });
});
