import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';

const DIST = fileURLToPath(new URL('..', import.meta.url));

/** Coverage counts what was loaded: with these tests a file that no other test touches counts as well, as not run. */
describe.each(['machines', 'services', 'http'])('every file of %s', (folder) => {
  const files = readdirSync(join(DIST, folder), { recursive: true, encoding: 'utf8' });

  test.each(files.filter((file) => file.endsWith('.js')))('can be loaded by itself: %s', async (file) => {
    await expect(import(join(DIST, folder, file))).resolves.toBeDefined();
  });
});
