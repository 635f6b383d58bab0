const COLLECT_AFTER_BYTES = 1024 * 1024;

let dead = 0;

/**
 * Tells of bytes in buffers that nothing holds any more. V8 hears late of memory outside its heap: inflating or
 * fetching would leave some 35 MiB of dead buffers behind. Where node runs with --expose-gc, the young ones are collected after each MiB
 * (well below 1 ms); elsewhere this does nothing.
 */
export function noteDeadBuffer(bytes: number): void {
  dead += bytes;
  if (dead < COLLECT_AFTER_BYTES) return;
  dead = 0;
  globalThis.gc?.({ type: 'minor' });
}
