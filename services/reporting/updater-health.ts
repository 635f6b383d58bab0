import { access, constants } from 'node:fs/promises';
import { toUpdateError } from '../../machines/errors.js';
import type { Health } from '../../machines/views.js';
import type { Store } from '../deployment/store.js';
import { freeBytes, RESERVE_BYTES } from '../free-room.js';

/** What is asked: the store, the folder that the state is saved in, and whether its last save went well. */
export interface HealthSources {
  store: Store;
  tmpDir: string;
  saved: () => Promise<void>;
}

/** Whether the process can do its work: the state can be saved, and no disk of its own is nearly full. */
export async function updaterHealth({ store, tmpDir, saved }: HealthSources): Promise<Health> {
  const checks: Record<string, string> = { state: 'ok', disk: 'ok' };
  try {
    // access(2) tells a disk that became read-only, to root too, before there is anything to save.
    await access(tmpDir, constants.W_OK);
    await saved();
  } catch (error) {
    checks['state'] = toUpdateError(error).line;
  }
  for (const folder of [store.root, tmpDir]) {
    const free = await freeBytes(folder);
    if (free < RESERVE_BYTES)
      checks['disk'] = `${free} bytes are free in ${folder}, ${RESERVE_BYTES} should be`;
  }
  return { ok: Object.values(checks).every((answer) => answer === 'ok'), checks };
}
