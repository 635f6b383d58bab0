import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { packCommand } from '../../scripts/pack.js';
import { temporaryFolder } from './temporary-folder.js';

/** The files of a folder that is to be packed. */
export const FILES: Record<string, { contents: string | Buffer; mode: number }> = {
  'bin/api': { contents: Buffer.concat([Buffer.from('\x7fELF'), Buffer.alloc(300_000, 7)]), mode: 0o755 },
  'etc/api.json': { contents: '{}', mode: 0o640 },
  'web/index.html': { contents: '<p>', mode: 0o644 },
  'web/js/größe.js': { contents: 'x()', mode: 0o644 },
  'web/empty': { contents: '', mode: 0o600 },
  'not-named': { contents: 'stays out', mode: 0o644 },
};
/** Modules that bring all of them but one. */
export const MODULES = [
  {
    name: 'api',
    src: 'bin/api',
    dst: '/opt/tope/api/api',
    process_name: 'api',
    restart_order: 1,
    future: [1],
  },
  { name: 'config', src: 'etc/api.json', dst: '/opt/tope/api/api.json' },
  { name: 'web', src: 'web/', dst: '/opt/tope/web' },
];

/** A folder with these files and a manifest; null: none. */
export async function folderToPack(manifest: unknown = { modules: MODULES }): Promise<string> {
  const folder = await temporaryFolder();
  for (const [name, { contents, mode }] of Object.entries(FILES)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), contents);
    await chmod(join(folder, name), mode);
  }
  if (manifest !== null) await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
  return folder;
}

/** Runs the command; `$DIR` and `$OUT` stand for the folder and the package. */
export async function pack(dir: string, ...args: string[]) {
  const said = { out: '', err: '' };
  const path = join(await temporaryFolder(), 'p.zip');
  const exitCode = await packCommand(
    args.map((arg) => arg.replace('$DIR', dir).replace('$OUT', path)),
    { out: (text) => (said.out += text), err: (text) => (said.err += text) },
  );
  return { exitCode, path, ...said };
}

/** The words of the usual command. */
export const USUAL = ['$DIR', '--version', '1.1.0', '-o', '$OUT'];
