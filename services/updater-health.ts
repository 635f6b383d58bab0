import { toUpdateError } from '../machines/errors.js';
import type { Health } from '../machines/views.js';
import type { Store } from './deployment/store.js';
import { freeBytes, RESERVE_BYTES } from './free-room.js';

/** Whether the process can do its work: the state can be saved, and the disk is not nearly full. */
export async function updaterHealth(store: Store, saved: () => Promise<void>): Promise<Health> {
  const checks: Record<string, string> = { state: 'ok', disk: 'ok' };
  await saved().catch((error: unknown) => (checks['state'] = toUpdateError(error).line));
  const free = await freeBytes(store.root);
  if (free < RESERVE_BYTES)
    checks['disk'] = `${free} bytes are free in ${store.root}, ${RESERVE_BYTES} should be`;
  return { ok: Object.values(checks).every((answer) => answer === 'ok'), checks };
}
