import { basename, dirname, join } from 'node:path';
import { UpdateError } from '../../machines/errors.js';
import { aFewAtOnce } from '../a-few-at-once.js';
import { removeFile, syncFileAt, syncFolder } from '../disk.js';
import type { Log } from '../log/log.js';
import { readAttributes } from './attributes.js';
import { giveAttributes, hold } from './held-file.js';
import { withKeptBeside } from './kept-beside.js';
import { isUntouched, recordFile, statFile, type FileStat } from './live-file.js';
import type { Operation } from './operation.js';
import { pathsThere } from './paths-there.js';
import type { Store } from './store.js';

/**
 * What the services wrote last is theirs: once they are stopped, every live file that is not the one that is held any
 * more is held and hashed again, durably, and edited files get the name under which they will be kept beside. An
 * operation for which nothing had to be done comes back as the same object. Throws DEPLOYMENT_FAILED where a staged file
 * is gone, or what stands there is no regular file.
 */
export async function holdAsLeft(
  operations: readonly Operation[],
  versionLeft: string,
  store: Store,
  log: Log,
): Promise<Operation[]> {
  const there = await pathsThere(operations.flatMap(({ newAt, oldAt }) => [newAt, oldAt]));
  const held = [...operations];
  await aFewAtOnce(operations.entries(), async ([at, operation]) => {
    held[at] = await heldAsLeft(operation, there, store);
  });
  const recorded = await withAttributes(held, operations, log);
  const anew = recorded.flatMap(({ oldAt }, at) => (held[at] === operations[at] ? [] : [oldAt]));
  const files = anew.filter((oldAt) => oldAt !== null);
  await aFewAtOnce(files, (oldAt) => syncFileAt('staging.sync', oldAt));
  for (const folder of new Set(files.map((oldAt) => dirname(oldAt))))
    await syncFolder('staging.sync', folder);
  return withKeptBeside(recorded, versionLeft);
}

async function heldAsLeft(
  operation: Operation,
  there: ReadonlySet<string>,
  store: Store,
): Promise<Operation> {
  const { path, old, newAt } = operation;
  if (newAt !== null && !there.has(newAt))
    throw new UpdateError('DEPLOYMENT_FAILED', `the staged file ${newAt} of ${path} is gone`);
  const stat = await statFile(path);
  if (stat === null && old === null) return operation;
  if (stat !== null && isHeld(operation, stat, there)) return operation;
  const oldAt = operation.oldAt ?? oldNameOf(operation, store);
  await removeFile('staging.remove', oldAt);
  if (stat === null) return { ...operation, old: null, oldAt: null };
  // Its links are counted now that the held one is gone: another name may have come since it was staged.
  const oldIsCopy = ((await statFile(path))?.links ?? 1) > 1;
  await hold(path, oldAt, oldIsCopy);
  const now = await statFile(path);
  if (now === null)
    throw new UpdateError('DEPLOYMENT_FAILED', `${path} vanished while its services were stopped`);
  return { ...operation, oldAt, oldIsCopy, old: await recordFile(path, now, {}) };
}

/** Whether what is held is the live file, as it was recorded. A power cut while stopping may have lost the held name. */
function isHeld({ old, oldAt }: Operation, stat: FileStat, there: ReadonlySet<string>): boolean {
  return old !== null && oldAt !== null && isUntouched(old, stat) && there.has(oldAt);
}

/** The place for the old file of an operation that found none when it was staged. */
function oldNameOf({ newAt, path }: Operation, { staging }: Store): string {
  if (newAt === null)
    throw new UpdateError('DEPLOYMENT_FAILED', `${path} came into being while services were stopped`);
  return newAt.startsWith(join(staging, 'new/'))
    ? join(staging, 'old', basename(newAt))
    : newAt.replace(/\.new$/, '.old');
}

/** The attributes of what was held again. */
async function withAttributes(
  held: readonly Operation[],
  before: readonly Operation[],
  log: Log,
): Promise<Operation[]> {
  const changed = held.filter((operation, at) => operation.old !== before[at]?.old);
  const attributes = await readAttributes(
    changed.map(({ path }) => path),
    log,
  );
  const copies = new Map(
    changed.flatMap(({ oldIsCopy, oldAt, old, path }) =>
      oldIsCopy && oldAt !== null && old !== null
        ? [[oldAt, { ...old, xattrs: attributes.get(path) ?? {} }] as const]
        : [],
    ),
  );
  await giveAttributes(copies, log);
  return held.map((operation) => {
    const xattrs = attributes.get(operation.path);
    return operation.old === null || xattrs === undefined
      ? operation
      : { ...operation, old: { ...operation.old, xattrs } };
  });
}
