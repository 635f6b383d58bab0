import type { Instant } from './clock.js';
import type { ErrorCode } from './errors.js';
import type { PackageOrder, ReleaseName } from './package-order.js';

/** The phases of the switch journal, as the machine needs them. */
export type JournalPhase = 'stopping' | 'switching' | 'switched' | 'undoing' | 'undone';

/** What the journal says of a deployment that was cut; it outranks the saved state. */
export interface JournalFacts {
  phase: JournalPhase;
  /** `factory` is the last resort after a failed way back: finished forward, never undone. */
  purpose: 'update' | 'rollback' | 'factory';
  from: ReleaseName | null;
  to: ReleaseName;
  cause: { code: ErrorCode; message: string } | null;
}

/** The orders that HTTP gives. */
export type OrderEvent =
  | { type: 'DOWNLOAD'; order: PackageOrder }
  | { type: 'UPDATE'; version: string; at: Instant }
  | { type: 'CANCEL' }
  | { type: 'ROLLBACK'; to: ReleaseName; from: ReleaseName | null };

/** What the service itself tells the machine. */
export type ServiceEvent =
  | { type: 'REPORT_DELIVERED'; id: number }
  | {
      /** Sent once, right after a start: what was found on disk. */
      type: 'RESTORED';
      at: Instant;
      journal: JournalFacts | null | 'unreadable';
      /** How often in a row this state was restored without getting on; 0 for a first start. */
      restores: number;
      packageOnDisk: boolean;
      /** The id in the store's `current`. */
      current: string | null;
      /** What the newest commit had to tell, where its end may not have been saved. */
      notices: readonly string[];
    };

export type UpdateEvent = OrderEvent | ServiceEvent;
