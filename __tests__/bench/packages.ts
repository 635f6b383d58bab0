import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { buildPackage, type BuiltPackage, type ModuleSketch, type Source } from '../support/build-package.js';
import { nodeProgram, realLibraries } from '../support/real-files.js';
import { MB } from './figures.js';

/** A package that is measured, with what its files have together. */
export interface MeasuredPackage extends BuiltPackage {
  contentBytes: number;
}

/** What a package is made of. Its name stands in the tables. */
export type Kind = '1 MB' | '27 MB' | '27 MB, 3000 files' | '270 MB' | '270 MB, incompressible';

const FILE_BYTES = 9000;
const LARGE_BYTES = 90 * MB;

/** Makes the packages, each when it is first asked for; `root` is the managed root that they are for. */
export class Packages {
  readonly #folder: string;
  readonly #root: string;
  readonly #made = new Map<string, MeasuredPackage>();

  constructor(folder: string, root: string) {
    this.#folder = folder;
    this.#root = root;
  }

  of(kind: Kind): MeasuredPackage {
    return this.#once(kind, () => this.#build('1.0.0', [this.#module('app', contentOf(kind))]));
  }

  /** A package of some random bytes, with a version of its own each time. */
  small(version: number, bytes: number): MeasuredPackage {
    const brings = new Map([['app', { bytes: randomBytes(bytes) }]]);
    return this.#build(`1.2.${version}`, [this.#module('app', brings)]);
  }

  /** A package of one file that nothing makes smaller. */
  noise(version: string, bytes: number): MeasuredPackage {
    return this.#build(version, [this.#module('noise', new Map([['noise', { bytes: randomBytes(bytes) }]]))]);
  }

  /** Ten modules of 2.7 MB with their digests; `changed` of them have other bytes than in version 1.0.0. */
  ofTen(version: string, changed: number): MeasuredPackage {
    return this.#once(`ten ${version} ${changed}`, () => {
      const modules = Array.from({ length: 10 }, (_, at): ModuleSketch => {
        const bytes = Buffer.alloc(2.7 * MB, `module ${at} ${at < changed ? version : '1.0.0'};`);
        const sha256 = createHash('sha256').update(bytes).digest('hex');
        return {
          name: `m${at}`,
          dst: join(this.#root, 'ten', `m${at}`),
          brings: { bytes },
          also: { sha256 },
        };
      });
      return this.#build(version, modules);
    });
  }

  #once(name: string, make: () => MeasuredPackage): MeasuredPackage {
    const known = this.#made.get(name);
    if (known !== undefined) return known;
    const made = make();
    this.#made.set(name, made);
    return made;
  }

  #module(name: string, brings: ReadonlyMap<string, Source>): ModuleSketch {
    return { name, dst: join(this.#root, name), brings };
  }

  #build(version: string, modules: readonly ModuleSketch[]): MeasuredPackage {
    const sources = modules.flatMap(({ brings }) => (isFolder(brings) ? [...brings.values()] : [brings]));
    const contentBytes = sources.reduce((sum, source) => sum + bytesOf(source), 0);
    return { ...buildPackage(this.#folder, { version, modules }), contentBytes };
  }
}

function isFolder(brings: ModuleSketch['brings']): brings is ReadonlyMap<string, Source> {
  return brings instanceof Map;
}

function bytesOf({ from, bytes = '' }: Source): number {
  return from === undefined ? Buffer.byteLength(bytes) : statSync(from).size;
}

function contentOf(kind: Kind): ReadonlyMap<string, Source> {
  if (kind === '270 MB, incompressible')
    return new Map([0, 1, 2].map((at) => [`noise-${at}`, { bytes: randomBytes(LARGE_BYTES) }]));
  if (kind === '270 MB') return filesOf(270 * MB);
  const program = readFileSync(nodeProgram().path);
  const pieces = (count: number, bytes: number) =>
    new Map(
      Array.from({ length: count }, (_, at): [string, Source] => [
        `part-${at}`,
        { bytes: program.subarray(at * bytes, (at + 1) * bytes), deflated: true },
      ]),
    );
  if (kind === '27 MB, 3000 files') return pieces(3000, FILE_BYTES);
  return kind === '27 MB' ? pieces(3, 9 * MB) : pieces(1, MB);
}

/** Real programs and libraries: node, and what else this machine has, once more where that is not enough. */
function filesOf(bytes: number): ReadonlyMap<string, Source> {
  const known = [nodeProgram(), ...realLibraries(bytes - nodeProgram().size)];
  const taken = new Map<string, Source>();
  for (let sum = 0; sum < 0.97 * bytes;) {
    for (const { path, size } of known) {
      if (sum >= 0.97 * bytes) break;
      taken.set(`${taken.size}-${basename(path)}`, { from: path, deflated: true, mode: 0o755 });
      sum += size;
    }
  }
  return taken;
}
