import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buildPackage, type BuiltPackage, type ModuleSketch, type Source } from '../support/build-package.js';
import { sha256 } from '../support/file-tree.js';

/** A file as it shall be on the device. */
export interface ExpectedFile {
  sha256: string;
  mode: number;
}

/** What is on the device while a version is live: paths below the managed root. */
export interface Content {
  version: string;
  files: ReadonlyMap<string, ExpectedFile>;
}

type Files = ReadonlyMap<string, Required<Pick<Source, 'bytes' | 'mode'>>>;

/** Several times what a download may lose. */
const FILLER_BYTES = 20 * 1024 * 1024;
const FILLER_PATH = 'filler/filler.bin';
/** What no package brings: it is the owner's, and stays as it is. */
const OWN_PATH = 'alpha/own-settings.json';
const OWN = { bytes: Buffer.from('{ "volume": 7 }\n'), mode: 0o600 };

/** A program that crashes at its start may look healthy on a busy machine: it has not come to its crash yet. */
const UNHEALTHY = { health: { http: 'http://127.0.0.1:9/', timeout_s: 1 } };

/** The services, in the order of their start; each is a folder with its program in `run.sh`. */
export const SERVICES = ['alpha', 'beta'] as const;

/**
 * The versions that a campaign installs. `alpha` is a folder that a module owns, with a file and a folder of each
 * version's own; of `beta` single files are brought. Each service ends at once where its program and its library are not
 * of one version, and tells which it runs in a file of its name in the folder RUNNING.
 */
export class Releases {
  readonly #packages: string;
  readonly #root: string;
  readonly #filler = randomBytes(FILLER_BYTES);
  #newest = 0;

  constructor(packages: string, root: string) {
    this.#packages = packages;
    this.#root = root;
  }

  /** Puts a version where it runs from, as if it had always been there. */
  placeAsFound(): Content {
    const files = commonFilesOf('0.0.0', 'good');
    for (const [path, { bytes, mode }] of [...files, [OWN_PATH, OWN] as const]) {
      const at = join(this.#root, path);
      mkdirSync(dirname(at), { recursive: true });
      writeFileSync(at, bytes);
      chmodSync(at, mode);
    }
    return contentOf('0.0.0', files, null);
  }

  /**
   * Packs the next version. `bad`: a service of it does not start. `isBig`: it brings a large file, too, which is the same
   * each time, so that it is installed once.
   */
  next(quality: 'good' | 'bad', { isBig = false } = {}): { built: BuiltPackage; content: Content } {
    const version = `1.0.${++this.#newest}`;
    const files = filesOf(version, quality);
    const modules: ModuleSketch[] = [
      {
        name: 'alpha',
        dst: join(this.#root, 'alpha'),
        brings: below('alpha', files),
        also: { process_name: 'alpha', restart_order: 1 },
      },
      ...[...below('beta', files)].map(([name, brings]) => ({
        name: `beta-${name}`,
        dst: join(this.#root, 'beta', name),
        brings,
        also: { process_name: 'beta', restart_order: 2, ...(quality === 'bad' ? UNHEALTHY : {}) },
      })),
    ];
    if (isBig) {
      const brings = { bytes: this.#filler };
      modules.push({
        name: 'filler',
        dst: join(this.#root, FILLER_PATH),
        brings,
        also: { sha256: sha256(this.#filler) },
      });
    }
    const built = buildPackage(this.#packages, { version, modules });
    return { built, content: contentOf(version, files, this.#filler) };
  }
}

function filesOf(version: string, quality: 'good' | 'bad'): Files {
  const ofTwo = Number(version.split('.')[2]) % 2;
  return new Map([
    ...commonFilesOf(version, quality),
    [`alpha/only-${version}.txt`, { bytes: Buffer.from(`only in ${version}\n`), mode: 0o644 }],
    [`alpha/of-${ofTwo}/part.txt`, { bytes: Buffer.alloc(4097, version), mode: 0o644 }],
  ]);
}

/** Sizes that fill no block, so that a truncated file shows. */
function commonFilesOf(version: string, quality: 'good' | 'bad'): Files {
  const files = new Map<string, { bytes: Buffer; mode: number }>();
  for (const service of SERVICES) {
    const isBad = quality === 'bad' && service === 'beta';
    const program = [
      '#!/bin/sh',
      '. "${0%/*}/lib.sh"',
      isBad ? 'exit 1' : `[ "$of" = ${version} ] || exit 3`,
      `printf ${version} >"$RUNNING/${service}"`,
      'while :; do sleep 600; done',
    ];
    files.set(`${service}/run.sh`, { bytes: Buffer.from(`${program.join('\n')}\n`), mode: 0o755 });
    files.set(`${service}/lib.sh`, { bytes: Buffer.from(`of=${version}\n`), mode: 0o644 });
    files.set(`${service}/data.bin`, { bytes: Buffer.alloc(61_001, `${service} ${version}\n`), mode: 0o640 });
  }
  return files;
}

function below(folder: string, files: Files): ReadonlyMap<string, Source> {
  const inside = [...files].filter(([path]) => path.startsWith(`${folder}/`));
  return new Map(inside.map(([path, file]) => [path.slice(folder.length + 1), file]));
}

function contentOf(version: string, files: Files, filler: Buffer | null): Content {
  const expected = new Map(
    [...files, [OWN_PATH, OWN] as const].map(([path, { bytes, mode }]) => [
      path,
      { sha256: sha256(bytes), mode },
    ]),
  );
  if (filler !== null) expected.set(FILLER_PATH, { sha256: sha256(filler), mode: 0o644 });
  return { version, files: expected };
}
