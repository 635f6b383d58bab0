import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../support/until.js';
import { readTree, sha256, type FileFacts } from '../support/file-tree.js';
import { Store } from '../../services/deployment/store.js';
import { SOCKET_NAME } from '../../services/lock/lock-candidate.js';
import { RecordingLog } from '../support/recording-log.js';
import type { CrashDevice } from './crash-device.js';
import type { Order } from './order.js';
import { answerOf, filesOf, SCRIBBLE, SERVICES, USER } from './releases.js';

/** What people see of a file. */
export type Seen = Pick<FileFacts, 'kind' | 'mode' | 'uid' | 'gid' | 'content'>;
export type Tree = Map<string, Seen>;

/** All that stands in the managed root but for the store, folders too. */
export async function treeOf(device: CrashDevice): Promise<Tree> {
  const rows = Object.entries(await readTree(device.root));
  return new Map(
    rows.map(([path, { kind, mode, uid, gid, content }]) => [path, { kind, mode, uid, gid, content }]),
  );
}

/** The files that a version has, as they must be on disk. */
export function treeOfVersion(version: string): Tree {
  const own = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
  return new Map(
    [...filesOf(version)].map(([path, { text, mode, isUsers }]) => [
      path,
      { kind: 'file', mode, content: sha256(text), ...(isUsers ? USER : own) },
    ]),
  );
}

/** How one tree differs from another, in words. `mayBe`: names that may stand there besides. */
function differences(now: Tree, wanted: Tree, mayBe: (path: string, seen: Seen) => boolean): string[] {
  const problems: string[] = [];
  for (const [path, seen] of wanted) {
    const there = now.get(path);
    if (there === undefined) problems.push(`${path} is missing`);
    else if (JSON.stringify(there) !== JSON.stringify(inOrder(seen)))
      problems.push(`${path} is ${JSON.stringify(there)}, not ${JSON.stringify(inOrder(seen))}`);
  }
  for (const [path, seen] of now) {
    if (!wanted.has(path) && !mayBe(path, seen)) problems.push(`${path} should not be there`);
  }
  return problems;
}

function inOrder({ kind, mode, uid, gid, content }: Seen): Seen {
  return { kind, mode, uid, gid, content };
}

/** What the bad version wrote into its configuration, wholly or in part, may have been kept beside. */
export function isScribble(path: string, { content }: Seen): boolean {
  const isBeside = /^alpha\/alpha\.cfg\.local-1\.3\.0(?:\+\d+)?$/.test(path);
  return isBeside && [SCRIBBLE, ''].map(sha256).includes(content);
}

/** Folders that a version has made stay where an update, not a way back, leaves them empty. */
export function mayStay(path: string, seen: Seen): boolean {
  return seen.kind === 'folder' ? seen.mode === 0o755 : isScribble(path, seen);
}

/** What is wrong with the services: each must answer with the version. */
async function servicesProblems({ services }: CrashDevice, version: string): Promise<string[]> {
  const problems: string[] = [];
  for (const service of SERVICES) {
    const answer = await services.ask(service).catch((error: unknown) => String(error));
    if (answer !== answerOf(service, version))
      problems.push(`${service} answers '${answer}', not ${version}`);
  }
  return problems;
}

const STORE_NAMES = ['releases', 'objects', 'current', 'previous', 'factory', 'bad.json'];
const TMP_NAMES = ['reserve', 'state.json', 'state.json.bak'];

const PACKAGE = /^[0-9a-f]{32}-\d+\.zip$/;

/**
 * Waits until the updater has nothing more to do or to tell; what is left lying about or wrong in the store then is a
 * problem. After a failure the package stays.
 */
async function untidiness(
  device: CrashDevice,
  { live, isPackageKept }: { live: string; isPackageKept: boolean },
): Promise<string[]> {
  let problems: string[] = [];
  const look = async () => {
    problems = leftOvers(device, isPackageKept).map((what) => `left over: ${what}`);
    // Reading the whole store makes sense only when the updater leaves it alone.
    if (problems.length === 0) problems = await storeProblems(device, live);
    return problems.length === 0;
  };
  await until('tidy', look, 3000).catch(() => null);
  return problems;
}

function leftOvers(device: CrashDevice, isPackageKept: boolean): string[] {
  const isFine = (name: string) => TMP_NAMES.includes(name) || (isPackageKept && PACKAGE.test(name));
  return [
    ...namesIn(join(device.workDir, 'tmp')).filter((name) => !isFine(name)),
    ...namesIn(device.storeDir).filter((name) => !STORE_NAMES.includes(name) && !SOCKET_NAME.test(name)),
    ...namesIn(join(device.storeDir, 'releases')).filter((name) => !/^[^.].*\.json$/.test(name)),
    ...device.unacknowledged().map((stage) => `an unacknowledged report of ${stage}`),
  ];
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

/** What is wrong with lists, pointers and objects: every content that a list needs, and no other, once. */
async function storeProblems(device: CrashDevice, live: string): Promise<string[]> {
  const log = new RecordingLog();
  const store = new Store(device.storeDir, log);
  const problems: string[] = [];
  const ids = await store.releaseIds();
  const [current, factory] = [await store.pointer('current'), await store.pointer('factory')];
  for (const name of ['current', 'previous', 'factory'] as const) {
    const id = await store.pointer(name);
    if (id !== null && !ids.includes(id)) problems.push(`${name} names ${id}, which is not there`);
  }
  const lists = (await Promise.all(ids.map((id) => store.releaseIfThere(id)))).filter(
    (list) => list !== null,
  );
  const liveList = lists.find(({ id }) => id === current);
  const liveVersion = liveList?.version ?? '0.0.0';
  if (liveVersion !== live) problems.push(`current is ${liveVersion}, not ${live}`);
  const needed = new Map<string, number>();
  for (const { id, files } of lists) {
    for (const [path, record] of Object.entries(files)) {
      if (record === null || (id !== factory && liveList?.files[path]?.sha256 === record.sha256)) continue;
      needed.set(record.sha256, record.size);
    }
  }
  const objects = await store.objectNames();
  for (const name of objects) if (!needed.has(name)) problems.push(`object ${name} is needed by no list`);
  for (const name of needed.keys()) {
    const path = store.objectPath(name);
    if (!objects.includes(name)) problems.push(`object ${name} is missing`);
    else if (sha256(readFileSync(path)) !== name) problems.push(`object ${name} has another content`);
    else if (lstatSync(path).nlink !== 1) problems.push(`object ${name} has ${lstatSync(path).nlink} links`);
  }
  return problems;
}

/** How an order must have left the device. */
export interface Sound {
  /** The version that runs. */
  live: string;
  /** All files. */
  tree: Tree;
  /** Whether a path that the tree does not name may be there. */
  mayBe: (path: string, seen: Seen) => boolean;
}

/** Everything that is not as an order that has ended must have left it; each in a line, `mixed: ` for a mixed version. */
export async function problemsAfter(
  device: CrashDevice,
  order: Order,
  { live, tree, mayBe }: Sound,
): Promise<string[]> {
  const [final] = order.finals;
  if (final === undefined) return ['lost: no final report'];
  const isPackageKept = final.stage === 'failed' && 'update' in order.wish;
  const untidy = await untidiness(device, { live, isPackageKept });
  const mixed = [
    ...differences(await treeOf(device), tree, mayBe),
    ...(await servicesProblems(device, live)),
  ];
  return [
    ...untidy,
    ...order.problems(),
    ...mixed.map((problem) => `mixed: ${problem}`),
    ...(await machineProblems(device, final.stage, live)),
  ];
}

/** What is wrong with the machine: it must be where the final report says. */
async function machineProblems(device: CrashDevice, final: string, live: string): Promise<string[]> {
  const { stage } = await device.progress();
  const { current } = await device.versions();
  const problems = stage === final ? [] : [`the stage is ${stage}, not ${final}`];
  const tells = typeof current === 'string' ? current : '0.0.0';
  if (tells !== live) problems.push(`/versions tells ${tells}, not ${live}`);
  return problems;
}
