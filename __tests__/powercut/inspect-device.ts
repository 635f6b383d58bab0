import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRelease, type Release } from '../../services/deployment/release.js';
import { SOCKET_NAME } from '../../services/lock/lock-candidate.js';
import { storeFolder } from '../../services/deployment/store.js';
import { factsOf, readTree, type FileFacts } from '../support/file-tree.js';
import type { Content } from './releases.js';

/** What a device shall be like. */
export interface Expectation {
  root: string;
  workDir: string;
  live: Content;
  /** Versions that the pointers shall name; null where it does not matter. */
  previous: string | null;
  /** Nothing is left of anything that was cut, temporaries of single writes included. */
  isTidy: boolean;
}

const POINTERS = ['current', 'previous', 'factory'] as const;
const STORE_NAMES = ['releases', 'objects', 'bad.json', ...POINTERS];
const TMP_NAMES = ['state.json', 'state.json.bak', 'reserve'];
const PACKAGE = /^[0-9a-f]{32}-\d+\.zip$/;
/** Temporaries of single writes that were cut: the next write of the same file takes them away. */
const TEMPORARY = /^\..+\.tmp$|^state\.json\.bak\.tmp$|\.tope-copy$/;

/**
 * All in which the contents of a device are not as they shall be, in words: files, pointers, lists and objects. Empty where
 * all is well.
 */
export async function problemsOf(expected: Expectation): Promise<string[]> {
  const live = await readTree(expected.root);
  const store = storeFolder(expected.root);
  const releases = readReleases(store);
  return [
    ...liveProblems(live, expected.live),
    ...pointerProblems(store, releases, expected),
    ...(await contentProblems(store, releases, new Map(Object.entries(live)), expected.root)),
  ];
}

/** What keeps the files from being wholly one of two contents, in words; empty where they are. */
export async function mixtureOf(root: string, contents: readonly Content[]): Promise<string[]> {
  const tree = await readTree(root);
  const problems = contents.map((content) => liveProblems(tree, content));
  return problems.some(({ length }) => length === 0) ? [] : problems.flat();
}

function liveProblems(tree: Record<string, FileFacts>, live: Content): string[] {
  const found = Object.entries(tree).filter(([, { kind }]) => kind !== 'folder');
  const facts = new Map(found);
  const wrong = [...live.files].flatMap(([path, { sha256, mode }]) => {
    const file = facts.get(path);
    if (file === undefined) return [`${path} of ${live.version} is missing`];
    if (file.content !== sha256) return [`${path} is not what ${live.version} has there`];
    return file.mode === mode ? [] : [`${path} has mode ${file.mode.toString(8)}, not ${mode.toString(8)}`];
  });
  const foreign = found
    .filter(([path]) => !live.files.has(path))
    .map(([path]) => `${path} should not be there`);
  return [...wrong, ...foreign];
}

/** By file name; null for one that cannot be read as a list. */
function readReleases(store: string): Map<string, Release | null> {
  const folder = join(store, 'releases');
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return new Map(names.map((name) => [name.slice(0, -'.json'.length), readRelease(join(folder, name))]));
}

function readRelease(path: string): Release | null {
  try {
    const parsed: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return isRelease(parsed) ? parsed : null;
  } catch {
    // Told by the caller as a list that is damaged.
    return null;
  }
}

function pointerProblems(
  store: string,
  releases: ReadonlyMap<string, Release | null>,
  { live, previous }: Expectation,
): string[] {
  const damaged = [...releases]
    .filter(([id, list]) => list?.id !== id)
    .map(([id]) => `the list ${id} is damaged`);
  const wanted = { current: live.version, previous, factory: null };
  const wrong = POINTERS.flatMap((pointer) => {
    const path = join(store, pointer);
    if (!existsSync(path)) return [`there is no ${pointer}`];
    const id = readFileSync(path, 'utf8').trim();
    const list = releases.get(id);
    if (!list) return [`${pointer} names '${id}', which is no list`];
    const version = wanted[pointer];
    return version === null || list.version === version
      ? []
      : [`${pointer} is ${list.version}, not ${version}`];
  });
  return [...damaged, ...wrong];
}

/** Every content that a list needs is there: live, or among the objects; and nothing else is among them. */
async function contentProblems(
  store: string,
  releases: ReadonlyMap<string, Release | null>,
  live: ReadonlyMap<string, FileFacts>,
  root: string,
): Promise<string[]> {
  const objects = join(store, 'objects');
  const problems: string[] = [];
  const kept = new Set<string>();
  for (const name of readdirSync(objects).filter((name) => !TEMPORARY.test(name))) {
    const { content } = await factsOf(join(objects, name));
    const { nlink } = lstatSync(join(objects, name));
    if (content !== name) problems.push(`the object ${name} has another content`);
    if (nlink !== 1) problems.push(`the object ${name} has ${nlink} names`);
    kept.add(name);
  }
  const needed = new Set<string>();
  for (const [id, list] of releases) {
    const isLive = readFileSync(join(store, 'current'), 'utf8').trim() === id;
    for (const [path, record] of Object.entries(list?.files ?? {})) {
      const now = live.get(path.slice(root.length + 1));
      if (record !== null) needed.add(record.sha256);
      if (isLive && now?.content !== record?.sha256) problems.push(`${path} is not what the live list says`);
      if (record !== null && now?.content !== record.sha256 && !kept.has(record.sha256))
        problems.push(`the content of ${path} in ${id} is lost`);
    }
  }
  const unneeded = [...kept].filter((name) => !needed.has(name));
  return [...problems, ...unneeded.map((name) => `the object ${name} is needed by no list`)];
}

/** What is left of something that is over, in words. */
export function leftOversOf({ root, workDir, isTidy }: Expectation): string[] {
  const store = storeFolder(root);
  const tmp = join(workDir, 'tmp');
  const foreign = [
    ...readdirSync(store).filter((name) => !STORE_NAMES.includes(name) && !SOCKET_NAME.test(name)),
    ...readdirSync(join(store, 'releases')).filter((name) => !name.endsWith('.json') || name.startsWith('.')),
    ...readdirSync(join(store, 'objects')).filter((name) => !/^[0-9a-f]{64}$/.test(name)),
    ...readdirSync(tmp).filter((name) => !TMP_NAMES.includes(name) && (isTidy || !PACKAGE.test(name))),
  ];
  return foreign.filter((name) => isTidy || !TEMPORARY.test(name)).map((name) => `${name} is left over`);
}
