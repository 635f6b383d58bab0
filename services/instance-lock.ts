import { createHash, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import {
  isSystemError,
  linkFile,
  makeFolder,
  makeFolders,
  readText,
  removeFile,
  syncFolder,
  writeDurably,
} from './disk.js';
import { askHolder } from './lock-holder.js';

/** That nobody else is the updater of a managed root, until it is released or the process ends, however it ends. */
export interface InstanceLock {
  release(): Promise<void>;
}

const NAME = /^[0-9a-f]{32}$/;
const LEFT_OVER = /^\.?lock-name\.(?:[0-9a-f]{32}(?:\.tmp)?|tmp)$/;
/** Making the name, replacing a damaged one and taking the lock need three. */
const MOST_ATTEMPTS = 8;

/**
 * Takes the lock of a managed root: an abstract unix socket (unix(7)), which the kernel frees with its process. Its name
 * holds 128 random bits that only root can read in the store, so that nobody else can take it. Makes the store (0700)
 * and the name (`lock-name`, 0600) where they are missing. Processes only meet within one network namespace. Rejects
 * with a sentence that names the holder where there is one, else with node's error.
 */
export async function takeInstanceLock(storeDir: string): Promise<InstanceLock> {
  await makeStore(storeDir);
  const nameFile = join(storeDir, 'lock-name');
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const text = await readText(nameFile);
    if (text === null) {
      await createNameFile(nameFile);
      continue;
    }
    const lock = await bind(storeDir, socketName(text));
    if ((await readText(nameFile)) === text) {
      if (NAME.test(text)) {
        await removeLeftOvers(storeDir);
        return lock;
      }
      // Damaged, and so perhaps known to others. Whoever finds it so binds this same name first: it can be replaced.
      await writeDurably('store.lockName', nameFile, newName(), 0o600);
    }
    await lock.release();
  }
  throw new Error(`${nameFile} changes all the time: no lock can be taken`);
}

async function makeStore(storeDir: string): Promise<void> {
  await makeFolders('store.make', dirname(storeDir), 0o755);
  if (await makeFolder('store.make', storeDir, 0o700)) await syncFolder('store.make', dirname(storeDir));
}

function newName(): string {
  return randomBytes(16).toString('hex');
}

/** Of two first starts one makes the name: link(2) refuses a second one, and both then read what is there. */
async function createNameFile(nameFile: string): Promise<void> {
  const mine = `${nameFile}.${newName()}`;
  try {
    await writeDurably('store.lockName', mine, newName(), 0o600);
    await linkFile('store.lockName', mine, nameFile);
  } catch (error) {
    // ENOENT: the other one has the lock already, and has removed ours.
    if (!isSystemError(error, 'EEXIST', 'ENOENT')) throw error;
  } finally {
    await removeFile('store.lockName', mine);
  }
  await syncFolder('store.lockName', dirname(nameFile));
}

/** What first starts that were cut have left beside the name. */
async function removeLeftOvers(storeDir: string): Promise<void> {
  for (const name of await readdir(storeDir)) {
    if (LEFT_OVER.test(name)) await removeFile('store.lockName', join(storeDir, name));
  }
}

function socketName(text: string): string {
  const bits = NAME.test(text) ? text : createHash('sha256').update(text).digest('hex').slice(0, 32);
  return `\0tope-updater-${bits}`;
}

/** Listens on the name; whoever connects is told the pid. */
async function bind(storeDir: string, name: string): Promise<InstanceLock> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.end(String(process.pid), () => socket.destroy());
  });
  try {
    await listen(server, name);
  } catch (error) {
    if (!isSystemError(error, 'EADDRINUSE')) throw error;
    const pid = await askHolder(name);
    const who = pid === null ? 'another updater' : `another updater (pid ${pid})`;
    throw new Error(`${who} holds the lock of ${storeDir}: only one may run for a managed root`, {
      cause: error,
    });
  }
  server.unref();
  return {
    release: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path, exclusive: true }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
