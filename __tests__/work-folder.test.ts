import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { Kept } from '../machines/update-context.js';
import { watchSteps } from '../services/steps.js';
import {
  makeWorkFolder,
  packagePath,
  partialNotesPath,
  partialPath,
  tidyPackages,
  tmpDirOf,
} from '../services/work-folder.js';
import { pathsSyncedBy } from './support/synced-paths.js';
import { temporaryFolder } from './support/temporary-folder.js';

const identity = { version: '1.2.3', md5: '0123456789abcdef0123456789abcdef', size: 7 };
const WHOLE = '0123456789abcdef0123456789abcdef-7.zip';
const OTHER = 'ffffffffffffffffffffffffffffffff-7.zip';

/** What a tidy work folder never loses: the saved state in all its forms, the reserve, and what is not ours. */
const NOT_PACKAGES = [
  '.reserve.tmp',
  '.state.json.tmp',
  'notes.zip',
  'reserve',
  'state.json',
  'state.json.bak',
  'state.json.corrupt-2026-12-24',
];

const EVERYTHING = [
  ...NOT_PACKAGES,
  ...[WHOLE, OTHER].flatMap((name) => [name, `${name}.part`, `${name}.part.json`, `.${name}.part.json.tmp`]),
];

async function cluttered(): Promise<string> {
  const tmpDir = await temporaryFolder();
  for (const name of EVERYTHING) await writeFile(join(tmpDir, name), name);
  return tmpDir;
}

test('the names in the work folder are made of digest and size [W-26]', () => {
  expect(tmpDirOf('/w')).toBe('/w/tmp');
  expect(packagePath('/w/tmp', identity)).toBe(`/w/tmp/${WHOLE}`);
  expect(partialPath('/w/tmp', identity)).toBe(`/w/tmp/${WHOLE}.part`);
  expect(partialNotesPath('/w/tmp', identity)).toBe(`/w/tmp/${WHOLE}.part.json`);
});

test('the work folder that is made is durable in the folder above, and so are its folders in it', async () => {
  const above = await temporaryFolder();
  const workDir = join(above, 'a', 'work');
  const synced = await pathsSyncedBy(() => makeWorkFolder(workDir));
  expect(synced).toEqual([above, join(above, 'a'), workDir]);
  expect(await pathsSyncedBy(() => makeWorkFolder(workDir))).toEqual([]);
});

test('the work folder is made with its folders, mode 0755 whatever the umask', async () => {
  const workDir = join(await temporaryFolder(), 'a', 'work');
  const before = process.umask(0o077);
  try {
    await makeWorkFolder(workDir);
  } finally {
    process.umask(before);
  }
  expect((await readdir(workDir)).toSorted()).toEqual(['logs', 'tmp']);
  for (const folder of ['', 'tmp', 'logs']) {
    expect((await stat(join(workDir, folder))).mode & 0o777).toBe(0o755);
  }
});

test('a work folder that is there stays as it is', async () => {
  const workDir = await temporaryFolder();
  await mkdir(join(workDir, 'tmp'), { mode: 0o700 });
  await writeFile(join(workDir, 'tmp', 'state.json'), 'mine');
  await makeWorkFolder(workDir);
  await makeWorkFolder(workDir);
  expect(await readFile(join(workDir, 'tmp', 'state.json'), 'utf8')).toBe('mine');
  expect((await stat(join(workDir, 'tmp'))).mode & 0o777).toBe(0o700);
});

test('a file where a folder of the work folder should be is not taken for one', async () => {
  const workDir = await temporaryFolder();
  await writeFile(join(workDir, 'logs'), '');
  await expect(makeWorkFolder(workDir)).rejects.toMatchObject({ code: 'EEXIST' });
});

test.each<[Kept, string[]]>([
  ['nothing', []],
  ['package', [WHOLE]],
  ['partial', [WHOLE, `${WHOLE}.part`, `${WHOLE}.part.json`]],
])('where %s is kept, no more than that of the package stays [W-40]', async (kept, expected) => {
  const tmpDir = await cluttered();
  await tidyPackages(tmpDir, kept, identity);
  expect((await readdir(tmpDir)).toSorted()).toEqual([...NOT_PACKAGES, ...expected].toSorted());
});

test('without an identity no package stays', async () => {
  const tmpDir = await cluttered();
  await tidyPackages(tmpDir, 'package', null);
  expect((await readdir(tmpDir)).toSorted()).toEqual(NOT_PACKAGES);
});

test('a folder that is tidy, or not there, is not touched', async () => {
  const tmpDir = await temporaryFolder();
  const steps: string[] = [];
  watchSteps((name) => steps.push(name));
  try {
    await tidyPackages(tmpDir, 'nothing', null);
    await tidyPackages(join(tmpDir, 'nowhere'), 'nothing', null);
  } finally {
    watchSteps(null);
  }
  expect(steps).toEqual([]);
});

test('what is in the way of reading the folder is told', async () => {
  const tmpDir = await temporaryFolder();
  await writeFile(join(tmpDir, 'file'), '');
  await expect(tidyPackages(join(tmpDir, 'file'), 'nothing', null)).rejects.toMatchObject({
    code: 'ENOTDIR',
  });
});
