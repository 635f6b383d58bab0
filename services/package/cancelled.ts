import { UpdateError } from '../../machines/errors.js';

/** Throws CANCELLED once the signal was given, so that work on a long file ends at its next chunk. */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new UpdateError('CANCELLED', 'the work on the package was called off');
}
