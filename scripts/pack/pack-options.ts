import { isVersion } from '../../machines/version.js';
import { parseWord, UsageError } from '../command.js';
import type { PackRequest } from './pack-folder.js';

/** What the command line of `pack` asks for. */
export interface PackOrder {
  request: PackRequest;
  /** The file of the key to sign with. */
  keyFile: string | null;
}

export const PACK_USAGE = `Usage: tope-updater pack DIR --version X.Y.Z -o FILE [--manifest FILE] [--sign KEY]
       tope-updater pack DIR --version X.Y.Z -o FILE --module KEY=VALUE,… [--module …] [--sign KEY]

Builds a package from the files in DIR and a manifest (DIR/manifest.json), fills in
the sha256 and mode of each module, and prints the body for POST /download as JSON.
The same input gives the same bytes.

  --version X.Y.Z   version of the package; the manifest may leave it out
  -o, --out FILE    the package to write
  --manifest FILE   a manifest elsewhere than DIR/manifest.json
  --module LIST     in place of a manifest: name=…,src=…,dst=…[,process=…][,order=N][,mode=0755]
                    src is relative to DIR; one that ends in / is a folder
  --sign KEY        sign the manifest with this secret key (of keygen, or of minisign; the
                    password of one that is encrypted is taken from MINISIGN_PASSWORD)
  --help            this text

Exit codes: 0 done, 1 failed, 2 wrong usage.
`;

const OPTIONS = {
  version: { type: 'string' },
  out: { type: 'string', short: 'o' },
  manifest: { type: 'string' },
  module: { type: 'string', multiple: true },
  sign: { type: 'string' },
} as const;

const FIELDS = new Map([
  ['name', 'name'],
  ['src', 'src'],
  ['dst', 'dst'],
  ['process', 'process_name'],
  ['order', 'restart_order'],
  ['mode', 'mode'],
]);

/** The command line of `pack`, read; null where help was asked for. Throws UsageError. */
export function readPackOptions(args: string[]): PackOrder | null {
  const { values, word: dir } = parseWord(args, OPTIONS, 'DIR');
  if (values.help === true) return null;
  if (dir === undefined) throw new UsageError('DIR is missing');
  const { version, out, manifest, module, sign = null } = values;
  if (version === undefined) throw new UsageError('--version is missing');
  if (!isVersion(version)) throw new UsageError(`--version is ${version}; it must be of the form 1.2.3`);
  if (out === undefined || out === '') throw new UsageError('-o FILE is missing');
  if (manifest !== undefined && module !== undefined)
    throw new UsageError('--manifest and --module exclude each other');
  return {
    request: {
      dir,
      version,
      out,
      ...(manifest === undefined ? {} : { manifestPath: manifest }),
      ...(module === undefined ? {} : { modules: module.map(readModule) }),
    },
    keyFile: sign,
  };
}

function readModule(text: string): Record<string, unknown> {
  const module: Record<string, unknown> = {};
  for (const pair of text.split(',')) {
    const at = pair.indexOf('=');
    const key = pair.slice(0, Math.max(at, 0));
    const value = pair.slice(at + 1);
    const field = FIELDS.get(key);
    if (field === undefined)
      throw new UsageError(
        `--module ${text}: ${pair} must be KEY=VALUE, with ${[...FIELDS.keys()].join(', ')}`,
      );
    if (field in module) throw new UsageError(`--module ${text}: ${key} stands there twice`);
    module[field] = field === 'restart_order' ? readOrder(text, value) : value;
  }
  for (const field of ['name', 'src', 'dst'])
    if (!(field in module)) throw new UsageError(`--module ${text}: ${field} is missing`);
  return module;
}

function readOrder(text: string, value: string): number {
  if (!/^-?\d{1,9}$/.test(value))
    throw new UsageError(`--module ${text}: order is ${value}; it must be an integer`);
  return Number(value);
}
