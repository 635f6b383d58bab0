import { readFile, stat, writeFile } from 'node:fs/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import { watchSteps } from '../../services/steps.js';
import { ApiDevice } from '../support/api-device.js';
import { pathsSyncedBy } from '../support/synced-paths.js';

afterEach(() => watchSteps(null));

/** A device on which so many files, and a service, are staged to be replaced. */
async function staged(count: number): Promise<ApiDevice> {
  const device = await ApiDevice.make();
  const files = (version: string) =>
    Object.fromEntries(
      Array.from({ length: count }, (_, at) => [device.at(`data/${at}`), `${version} ${at}`] as const),
    );
  await device.install('1.0.0', files('1.0.0'));
  await device.bench.stage(await device.package('1.1.0', files('1.1.0')));
  return device;
}

/** What is synced from the making of the journal to the mark that all files are switched, below the device's folder. */
async function syncsOf(device: ApiDevice): Promise<string[]> {
  const { bench } = device;
  const synced = await pathsSyncedBy(async () => {
    await bench.effects.stopServices(bench.signal);
    await bench.effects.switchFiles();
  });
  return synced.map((path) => path.slice(bench.root.length));
}

describe('while services are down', () => {
  test('as much is synced for sixty files as for six: each folder once, and the marks in the journal', async () => {
    const few = await syncsOf(await staged(6));
    const journal = '/.tope-updater/journal';
    expect(few.slice(0, 3)).toEqual(['/.tope-updater/.journal.tmp', '/.tope-updater', journal]);
    expect(few.slice(3, -1).sort()).toEqual(['/.tope-updater/staging/new', '/api', '/data']);
    expect(few.at(-1)).toBe(journal);
    // The folders are synced a few at a time, in no order.
    expect((await syncsOf(await staged(60))).sort()).toEqual(few.sort());
  });

  test('what a service wrote last is synced, it alone, and the journal is written anew for it', async () => {
    const device = await staged(6);
    const written = device.at('data/3');
    device.bench.services.onStop = () => writeFile(written, 'last words');
    const synced = await syncsOf(device);
    const operations = (await device.bench.journal()).body.operations;
    const held = operations.find(({ path }) => path === written)?.oldAt ?? '';
    const inOld = synced.filter((path) => path.startsWith('/.tope-updater/staging/old'));
    expect(inOld).toEqual([held.slice(device.bench.root.length), '/.tope-updater/staging/old']);
    // Two for the body and its mark, one each for switching and switched.
    expect(synced.filter((path) => path === '/.tope-updater/journal')).toHaveLength(4);
  });

  test('the journal is not read again: what this process knows of it is enough to start them', async () => {
    const device = await staged(6);
    const { bench } = device;
    await bench.effects.stopServices(bench.signal);
    await writeFile(bench.store.journalPath, Buffer.alloc((await stat(bench.store.journalPath)).size));
    await bench.effects.switchFiles();
    await bench.effects.startServices(bench.signal);
    expect(await readFile(device.at('data/3'), 'utf8')).toBe('1.1.0 3');
  });

  test('the held files and their names are synced already: the services still ran', async () => {
    const device = await ApiDevice.make();
    await device.install('1.0.0');
    const update = await device.package('1.1.0');
    const synced = await pathsSyncedBy(() => device.bench.stage(update));
    const { staging } = device.bench.store;
    for (const path of ['new/0', 'old/0', 'new', 'old', ''])
      expect(synced).toContain(`${staging}/${path}`.replace(/\/$/, ''));
  });

  test('the journal has room for each changed file in 400 bytes', async () => {
    const sizeFor = async (count: number) => {
      const { bench } = await staged(count);
      await bench.effects.stopServices(bench.signal);
      return (await stat(bench.store.journalPath)).size;
    };
    expect((await sizeFor(60)) - (await sizeFor(10))).toBeLessThan(50 * 400);
  });
});
