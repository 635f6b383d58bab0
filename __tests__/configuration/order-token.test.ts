import { chmod, chown, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { ConfigurationError } from '../../services/configuration/configuration.js';
import { readOrderToken } from '../../services/configuration/order-token.js';
import { ROOT, testIf } from '../support/requirements.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const TOKEN = '0123456789abcdef';

async function tokenFile(content = TOKEN, mode = 0o600): Promise<string> {
  const path = join(await temporaryFolder(), 'token');
  await writeFile(path, content);
  await chmod(path, mode);
  return path;
}

async function problemOf(path: string): Promise<string> {
  try {
    await readOrderToken(path);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message;
    throw error;
  }
  throw new Error('no error was thrown');
}

describe('the token of orders', () => {
  test('is what stands in the file, without the line’s end', async () => {
    expect(await readOrderToken(await tokenFile(`${TOKEN}\n`))).toBe(TOKEN);
    expect(await readOrderToken(await tokenFile(TOKEN, 0o400))).toBe(TOKEN);
  });

  test('is none where no file is named', async () => {
    expect(await readOrderToken('')).toBeNull();
  });

  test.each([0o644, 0o640, 0o660, 0o604, 0o601, 0o666])(
    'is not read from a file of mode %o',
    async (mode) => {
      const path = await tokenFile(TOKEN, mode);
      expect(await problemOf(path)).toBe(
        `TOPE_TOKEN_FILE is "${path}": expected a file of mode 0600 with one token of 16 or more letters, digits and -._~+/: its mode is 0${mode.toString(8)}`,
      );
    },
  );

  testIf(ROOT, 'is not read from a file that belongs to another user', async () => {
    const path = await tokenFile();
    await chown(path, 1234, 1234);
    expect(await problemOf(path)).toMatch(/: it belongs to user 1234$/);
  });

  test.each(['', 'short', `${TOKEN} ${TOKEN}`, `${TOKEN}\n${TOKEN}`, 'größe-größe-größe', 'x'.repeat(5000)])(
    'is not %j',
    async (content) => {
      const problem = await problemOf(await tokenFile(content));
      expect(problem).toMatch(/: there is no such token in it$/);
      if (content.length > 10) expect(problem).not.toContain(content.slice(0, 10));
    },
  );

  test('is not read from a folder, through a symlink, or from nowhere', async () => {
    const path = await tokenFile();
    await symlink(path, `${path}.link`);
    await mkdir(`${path}.folder`);
    expect(await problemOf(`${path}.link`)).toContain('is not a regular file');
    expect(await problemOf(`${path}.folder`)).toContain('is not a regular file');
    expect(await problemOf(`${path}.gone`)).toContain('ENOENT');
  });
});
