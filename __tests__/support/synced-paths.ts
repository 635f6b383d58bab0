import { readlinkSync } from 'node:fs';
import { open } from 'node:fs/promises';

/** The paths of what is synced (fsync or fdatasync by a file handle) while work is done, in order. */
export async function pathsSyncedBy(work: () => Promise<unknown>): Promise<string[]> {
  const paths: string[] = [];
  const probe = await open('/dev/null');
  const prototype: unknown = Object.getPrototypeOf(probe);
  await probe.close();
  if (typeof prototype !== 'object' || prototype === null) throw new Error('a file handle has no prototype');
  const restores: (() => void)[] = [];
  for (const call of ['sync', 'datasync']) {
    const real: unknown = Reflect.get(prototype, call);
    if (typeof real !== 'function') throw new Error(`a file handle cannot ${call}`);
    restores.push(() => Reflect.set(prototype, call, real));
    Reflect.set(prototype, call, function (this: { fd: number }): Promise<unknown> {
      paths.push(readlinkSync(`/proc/self/fd/${this.fd}`));
      return Promise.resolve(Reflect.apply(real, this, []));
    });
  }
  try {
    await work();
  } finally {
    for (const restore of restores) restore();
  }
  return paths;
}
