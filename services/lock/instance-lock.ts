import { constants } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder, makeFolders, removeFile, syncFolder } from '../disk.js';
import { HIDDEN_SOCKET_NAME, SOCKET_NAME, stand } from './lock-candidate.js';
import { awaitHolder, findHolder } from './lock-holder.js';

/** That nobody else is the updater of a managed root, until it is unlocked or the process ends, however it ends. */
export interface InstanceLock {
  unlock(): Promise<void>;
}

/** A beginning that the holder of the lock tidies away is made again. */
const MOST_ATTEMPTS = 8;

/**
 * Takes the lock of a managed root: a unix socket in the store, whose folder (0700, made where it is missing) keeps other
 * users out, and which refuses connections as soon as its process has ended (unix(7)). Rejects with a sentence that
 * names the holder where there is one, else with node's error.
 *
 * Each starter brings a socket with a name of its own, and then looks for others. It gives way to those whose names sort
 * before its own, and waits for the end of those that sort behind: they give way to it, or hold the lock already. Of two
 * the one that came second sees the first, so that both never hold it; and of all that come the first in order does,
 * unless there is a holder. A dead one's socket can be removed by anyone, as nobody makes its name anew.
 */
export async function takeInstanceLock(storeDir: string): Promise<InstanceLock> {
  await makeStore(storeDir);
  const folder = await open(storeDir, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  const shortly = (name: string) => `/proc/self/fd/${folder.fd}/${name}`;
  try {
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
      const candidate = await stand(storeDir, shortly);
      if (candidate === null) continue;
      const rival = await rivalOf(candidate.name, storeDir, shortly).catch(async (error: unknown) => {
        await candidate.goAway();
        throw error;
      });
      if (rival !== null) {
        // Not before it has gone: the rival may be waiting for that.
        await candidate.goAway();
        throw new Error(await refusal(shortly(rival), storeDir));
      }
      candidate.hold();
      await removeLeftOvers(storeDir);
      return { unlock: () => candidate.goAway() };
    }
  } finally {
    await folder.close();
  }
  throw new Error(`the names of sockets in ${storeDir} vanish all the time: no lock can be taken`);
}

async function makeStore(storeDir: string): Promise<void> {
  await makeFolders('store.make', dirname(storeDir), 0o755);
  if (await makeFolder('store.make', storeDir, 0o700)) await syncFolder('store.make', dirname(storeDir));
}

/** The name of a socket whose owner holds the lock or is to have it; those of the dead are removed. */
async function rivalOf(
  mine: string,
  storeDir: string,
  shortly: (name: string) => string,
): Promise<string | null> {
  for (const name of (await readdir(storeDir)).filter((one) => SOCKET_NAME.test(one)).sort()) {
    if (name === mine) continue;
    const holder = await (name < mine ? findHolder : awaitHolder)(shortly(name));
    if (holder === 'dead') await removeFile('store.lock', join(storeDir, name));
    else if (holder !== 'gone') return name;
  }
  return null;
}

async function refusal(rival: string, storeDir: string): Promise<string> {
  const holder = await awaitHolder(rival);
  const who =
    typeof holder === 'string' || holder.pid === null
      ? 'another updater'
      : `another updater (pid ${holder.pid})`;
  return `${who} holds the lock of ${storeDir}: only one may run for a managed root`;
}

/** What starts that were cut have left before their sockets could be seen. */
async function removeLeftOvers(storeDir: string): Promise<void> {
  for (const name of await readdir(storeDir)) {
    if (HIDDEN_SOCKET_NAME.test(name)) await removeFile('store.lock', join(storeDir, name));
  }
}
