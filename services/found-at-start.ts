import type { TopState } from '../machines/stage.js';
import type { PackageOrder } from '../machines/package-order.js';
import type { UpdateEvent } from '../machines/update-events.js';
import type { Clock } from './clock.js';
import { deploymentFacts } from './deployment/journal-facts.js';
import type { Store } from './deployment/store.js';
import { look } from './disk.js';
import type { Log } from './log/log.js';
import { NO_RESTORES, restoredOnce, type Restores } from './saved-state/saved-state.js';
import { packagePath, partialPath } from './work-folder.js';

/** What a start finds on disk. */
export interface FoundAtStart {
  /** What the machine is told once, right after it has started. */
  event: UpdateEvent;
  restores: Restores;
}

/** What the machine has come from; null: it starts anew. */
export interface RestoredMachine {
  state: TopState;
  order: PackageOrder | null;
  /** The count as it was saved. */
  restores: Restores;
}

/** Looks for the package of the order and for the journal. Rejects with node's errors where it cannot. */
export async function foundAtStart(
  restored: RestoredMachine | null,
  { store, tmpDir, clock, log }: { store: Store; tmpDir: string; clock: Clock; log: Log },
): Promise<FoundAtStart> {
  const order = restored?.order ?? null;
  const whole = order === null ? null : await look(packagePath(tmpDir, order));
  const partial = order === null ? null : await look(partialPath(tmpDir, order));
  const bytes = whole?.size ?? partial?.size ?? 0;
  const restores = restored === null ? NO_RESTORES : restoredOnce(restored.restores, restored.state, bytes);
  return {
    restores,
    event: {
      type: 'RESTORED',
      at: clock(),
      ...(await deploymentFacts(store, log)),
      restores: restores.count,
      packageOnDisk: whole !== null,
    },
  };
}
