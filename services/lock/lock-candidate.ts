import { randomBytes } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { isSystemError, removeFile, renameFile } from '../disk.js';
import { step } from '../steps.js';

/** One that stands for a lock. Whoever connects is told the pid as soon as it holds the lock, or nothing where it goes. */
export interface Candidate {
  /** Of its socket in the store; nobody else has or had the same. */
  name: string;
  hold(): void;
  /** Ends what it holds or stands for, and takes its socket away. */
  goAway(): Promise<void>;
}

/** The names of sockets in the store, and of those that are not listened on yet. */
export const SOCKET_NAME = /^lock\.[0-9a-f]{32}$/;
export const HIDDEN_SOCKET_NAME = /^\.lock\.[0-9a-f]{32}$/;

/**
 * Listens in the store under a new name; `shortly` gives a path of less than 108 bytes (unix(7)). Null where somebody has
 * tidied the name away before it could be seen.
 */
export async function stand(storeDir: string, shortly: (name: string) => string): Promise<Candidate | null> {
  const name = `lock.${randomBytes(16).toString('hex')}`;
  const asking = new Set<Socket>();
  let holds = false;
  const tell = (socket: Socket) => socket.end(String(process.pid), () => socket.destroy());
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('close', () => asking.delete(socket));
    asking.add(socket);
    if (holds) tell(socket);
  });
  const hold = () => {
    holds = true;
    for (const socket of asking) tell(socket);
  };
  const goAway = async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of asking) socket.destroy();
    await removeFile('store.lock', join(storeDir, name));
    await closed;
  };
  await step('store.lock', () => listen(server, shortly(`.${name}`)));
  server.unref();
  try {
    // Shown only now: between bind(2) and listen(2) it refuses connections, as those of the dead do.
    await renameFile('store.lock', join(storeDir, `.${name}`), join(storeDir, name));
  } catch (error) {
    await goAway();
    if (isSystemError(error, 'ENOENT')) return null;
    throw error;
  }
  return { name, hold, goAway };
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
