import { describe, expect, test } from '@jest/globals';
import { inspectPackage, type PackageExpectations } from '../../services/package/inspect-package.js';
import {
  EXPECTATIONS,
  errorOf,
  manifestEntry,
  MODULE,
  MODULE_FILE,
  writePackage,
} from '../support/sample-package.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import type { EntryDescription } from '../support/zip-writer.js';

async function inspect(
  fields: Record<string, unknown>,
  others: EntryDescription[] = [MODULE_FILE],
  expectations: Partial<PackageExpectations> = {},
) {
  const path = await writePackage(await temporaryFolder(), [manifestEntry(fields), ...others]);
  return await inspectPackage(path, { ...EXPECTATIONS, ...expectations });
}

function withModule(...modules: Record<string, unknown>[]): Record<string, unknown> {
  return { modules: modules.map((module) => ({ ...MODULE, ...module })) };
}

describe('inspectPackage', () => {
  test('tells the manifest, the files that modules bring, their bytes and what is worth saying [P-10]', async () => {
    const inspected = await inspect(
      withModule(
        { mode: '4775' },
        { name: 'web', src: 'web/', dst: '/opt/tope/web' },
        { name: 'none', src: 'none/', dst: '/opt/tope/none' },
      ),
      [
        MODULE_FILE,
        { name: 'web/', mode: 0o040755 },
        { name: 'web/index.html', data: '<p>', mode: 0o100640 },
        { name: 'web/js/', mode: 0o040755 },
        { name: 'web/js/app.js', data: 'x()', method: 8, mode: 0, host: 0 },
        { name: 'none/', mode: 0o040755 },
        { name: 'unnamed', data: 'never written' },
      ],
    );
    expect(inspected.manifest.modules.map((module) => module.name)).toEqual(['api', 'web', 'none']);
    expect(inspected.files.map(({ module, path, mode, size }) => [module.name, path, mode, size])).toEqual([
      ['api', '/opt/tope/api/api', 0o4775, 10],
      ['web', '/opt/tope/web/index.html', 0o640, 3],
      ['web', '/opt/tope/web/js/app.js', null, 3],
    ]);
    expect(inspected.inflatedBytes).toBe(16);
    expect(inspected.signedBy).toBeNull();
    expect(inspected.warnings).toEqual([
      'The package is not signed',
      'Mode bits are dropped (setuid, setgid, sticky or writable by all): /opt/tope/api/api',
      'The folder of module none holds no file',
    ]);
  });

  test('takes one entry to two places', async () => {
    const { files, inflatedBytes } = await inspect(withModule({}, { name: 'twin', dst: '/opt/tope/twin' }));
    expect(files.map((file) => file.path)).toEqual(['/opt/tope/api/api', '/opt/tope/twin']);
    expect(inflatedBytes).toBe(20);
  });

  test('tells INCOMPLETE_DOWNLOAD where the package is gone, with nothing to discard', async () => {
    const error = await errorOf(inspectPackage('/nonexistent/package.zip', EXPECTATIONS));
    expect(error.code).toBe('INCOMPLETE_DOWNLOAD');
    expect(error.facts.discard).toBeUndefined();
  });

  test('refuses a package without a manifest, or with one in a folder only [P-2]', async () => {
    const path = await writePackage(await temporaryFolder(), [{ name: 'a/manifest.json', data: '{}' }]);
    expect((await errorOf(inspectPackage(path, EXPECTATIONS))).line).toBe(
      'INVALID_PACKAGE: there is no manifest.json at the root of the ZIP',
    );
  });

  test('refuses a manifest over 1 MiB before it inflates it [P-43]', async () => {
    const told = { size: 2 ** 31 };
    const path = await writePackage(await temporaryFolder(), [
      { name: 'manifest.json', data: '{}', method: 8, local: told, central: told },
    ]);
    expect((await errorOf(inspectPackage(path, EXPECTATIONS))).line).toBe(
      'INVALID_MANIFEST: manifest.json has 2147483648 bytes; 1048576 are allowed',
    );
  });

  const REFUSED: Record<string, [Record<string, unknown>, EntryDescription[]?]> = {
    'version is "1.2.0": ordered was "1.1.0"': [{ version: '1.2.0' }],
    'modules[0].src is "gone": there is no such entry in the ZIP': [withModule({ src: 'gone' })],
    'modules[0].src is "modules/api/": there is no such entry in the ZIP': [
      withModule({ src: 'modules/api/' }),
    ],
    'modules[0].src is "modules": there is no such entry in the ZIP': [withModule({ src: 'modules' })],
    'modules[0].dst is "/etc/passwd": it must lie inside /opt/tope (TOPE_EXTRA_ROOTS allows more)': [
      withModule({ dst: '/etc/passwd' }),
    ],
    'modules[0].dst is "/opt/topeless": it must lie inside /opt/tope': [withModule({ dst: '/opt/topeless' })],
    'modules[0].dst is "/opt/tope": it is a root itself': [withModule({ dst: '/opt/tope' })],
    'modules[0].dst is "/": it must lie inside /opt/tope': [withModule({ dst: '/' })],
    'modules[0].dst is "/opt/tope/.tope-updater": it lies in the updater’s store': [
      withModule({ dst: '/opt/tope/.tope-updater' }),
    ],
    'modules[0].dst is "/opt/tope/.tope-updater/current": it lies in the updater’s store': [
      withModule({ dst: '/opt/tope/.tope-updater/current' }),
    ],
    'modules[0].dst is "/opt/tope/updater/main.js": it lies in the updater’s own folder /opt/tope/updater': [
      withModule({ dst: '/opt/tope/updater/main.js' }),
    ],
    'modules[0].remove[0] is "/etc/passwd": it must lie inside /opt/tope': [
      withModule({ remove: ['/etc/passwd'] }),
    ],
    'modules[0].remove[0] is "/opt/tope/.tope-updater/current": it lies in the updater’s store': [
      withModule({ remove: ['/opt/tope/.tope-updater/current'] }),
    ],
    'modules[0].remove names "/opt/tope/api/api", which the package brings': [
      withModule({ remove: ['/opt/tope/api/api'] }),
    ],
    'modules[0].post_cmds is ["reboot"]: this device allows no commands (TOPE_ALLOW_POST_CMDS)': [
      withModule({ post_cmds: ['reboot'] }),
    ],
    'modules[0].health.exec is ["/bin/true"]: this device allows no commands (TOPE_ALLOW_POST_CMDS, or TOPE_SIGNATURE=required)':
      [withModule({ health: { exec: ['/bin/true'] } })],
    'module "b" writes "/opt/tope/api/api", which "api" writes': [withModule({}, { name: 'b' })],
    'module "b" writes "/opt/tope/api/api/deep/x" inside the file "/opt/tope/api/api"': [
      withModule({}, { name: 'b', dst: '/opt/tope/api/api/deep/x' }),
    ],
    'module "web" writes "/opt/tope/web/a/b" inside the file "/opt/tope/web/a"': [
      withModule({ name: 'web', src: 'w/', dst: '/opt/tope/web' }),
      [{ name: 'w/a' }, { name: 'w/c' }, { name: 'w/a/b' }],
    ],
  };
  test.each(Object.entries(REFUSED))(
    'refuses with INVALID_MANIFEST: %s [P-4, P-6, P-8, P-10, P-12, P-17, P-22, P-45, D-29, D-100]',
    async (rule, [fields, others]) => {
      const error = await errorOf(inspect(fields, others));
      expect(error.line).toContain(`INVALID_MANIFEST: ${rule}`);
      expect(error.facts.discard).toBe(true);
    },
  );

  test.each([
    ['web//a', 'it would become "/opt/tope/web//a": it must be normalised'],
    ['web/./a', 'it would become "/opt/tope/web/./a": it must be normalised'],
    [`web/${'n'.repeat(256)}`, 'a part of it is longer than 255 bytes'],
  ])('refuses with INVALID_PACKAGE an entry %s of a folder', async (name, rule) => {
    const fields = withModule({ src: 'web/', dst: '/opt/tope/web' });
    const error = await errorOf(inspect(fields, [{ name }]));
    expect(error.code).toBe('INVALID_PACKAGE');
    expect(error.message).toContain(rule);
  });

  test('refuses an entry of a folder that would come into the updater’s own folder', async () => {
    const fields = withModule({ src: 'all/', dst: '/opt/tope/a' });
    const error = await errorOf(inspect(fields, [{ name: 'all/b/x' }], { reserved: ['/opt/tope/a/b'] }));
    expect(error.line).toBe(
      'INVALID_PACKAGE: entry "all/b/x": it would become "/opt/tope/a/b/x": it lies in the updater’s own folder /opt/tope/a/b',
    );
  });

  test('lets in what the configuration allows: more roots, commands [P-12, P-17]', async () => {
    const fields = withModule({
      dst: '/etc/systemd/system/api.service',
      post_cmds: ['true'],
      remove: ['/etc/systemd/system/old.service'],
      health: { exec: ['/bin/true'] },
    });
    const allowed = { roots: ['/opt/tope', '/etc/systemd/system'], allowPostCmds: true };
    expect((await inspect(fields, undefined, allowed)).files).toHaveLength(1);
  });

  test('refuses to remove under another root than dst [P-22]', async () => {
    const fields = withModule({ remove: ['/srv/x'] });
    const error = await errorOf(inspect(fields, undefined, { roots: ['/opt/tope', '/srv'] }));
    expect(error.message).toBe('modules[0].remove[0] is "/srv/x": it must lie inside /opt/tope, as dst does');
  });

  test('does not let modules bring more than 100,000 files between them', async () => {
    const modules = Array.from({ length: 102 }, (_, n) => ({
      name: `m${n}`,
      src: 'all/',
      dst: `/opt/tope/m${n}`,
    }));
    const entries = Array.from({ length: 1000 }, (_, n) => ({ name: `all/${n}` }));
    const error = await errorOf(inspect({ modules }, entries));
    expect(error.line).toBe('INVALID_MANIFEST: modules bring more than 100000 files');
  });
});

test('a package of very many files that lie very deep is inspected with others getting their turn', async () => {
  const entries = Array.from({ length: 20_000 }, (_, n) => ({ name: `all/${n}/${'a/'.repeat(90)}f` }));
  let turns = 0;
  const counting = setInterval(() => (turns += 1), 1);
  const { files } = await inspect(withModule({ src: 'all/', dst: '/opt/tope/all' }), entries);
  clearInterval(counting);
  expect(files).toHaveLength(20_000);
  expect(turns).toBeGreaterThan(20);
});

describe('the device’s version and product', () => {
  test.each([
    [
      'compatible names another product',
      { compatible: ['b', 'c'] },
      { product: 'a' },
      'INCOMPATIBLE_DEVICE: the package is for b, c; this device is a',
    ],
    [
      'min_version is above what is installed',
      { min_version: '1.0.1' },
      {},
      'VERSION_NOT_ALLOWED: 1.1.0 needs at least 1.0.1, installed is 1.0.0',
    ],
    [
      'min_version is compared by number',
      { min_version: '1.0.1' },
      { installedVersion: '1.0.0' },
      'VERSION_NOT_ALLOWED',
    ],
    [
      'min_version where only as-found is there',
      { min_version: '1.0.0' },
      { installedVersion: '0.0.0' },
      'tope-updater install --factory VERSION',
    ],
    [
      'min_version where nothing is there',
      { min_version: '1.0.0' },
      { installedVersion: null },
      'tope-updater install --factory VERSION',
    ],
  ])('refuse: %s [P-24, P-25, P-28]', async (_, fields, expectations, words) => {
    const error = await errorOf(inspect(fields, undefined, expectations));
    expect(error.line).toContain(words);
    expect(error.facts.discard).toBe(true);
  });

  test.each([
    ['compatible names this product', { compatible: ['a', 'b'] }, { product: 'a' }],
    ['the device has no product configured', { compatible: ['b'] }, { product: '' }],
    ['the package names none', {}, { product: 'a' }],
    ['min_version is met by number', { min_version: '1.9.0' }, { installedVersion: '1.10.0' }],
    ['a lower version where signatures are not required', {}, { installedVersion: '2.0.0' }],
  ])('accept: %s [P-24, P-27, P-28]', async (_, fields, expectations) => {
    expect((await inspect(fields, undefined, expectations)).files).toHaveLength(1);
  });
});
