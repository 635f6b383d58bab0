/**
 * What keeps the updater small in memory; what each is worth stands in docs/operations.md, "Memory". The packed launcher,
 * the demo and the tests have it from here.
 */

/** Flags of node; some of them are not taken from NODE_OPTIONS. */
export const NODE_FLAGS = [
  // What is read and thrown away goes in a small young generation, collected often.
  '--max-semi-space-size=1',
  // Dead buffers are collected as soon as a MiB of them is told of: services/package/dead-buffers.ts.
  '--expose-gc',
  // Nearly all processor time goes into zlib and OpenSSL: an optimizing compiler costs more memory than it saves time.
  '--no-opt',
  // Nor is the code worth its memory that V8 compiles first.
  '--no-sparkplug',
  // The heap is collected, in small steps, when it has grown by a few MiB; else no cycle is long enough for that.
  '--optimize-for-size',
  '--initial-old-space-size=8',
] as const;

/** Variables of its environment: see mallopt(3). */
export const NODE_ENVIRONMENT = {
  // Else each thread that reads, hashes or inflates keeps free memory of its own.
  MALLOC_ARENA_MAX: '1',
  // Buffers of 128 KiB and more, and what is free at the end of the heap, go back to the system at once.
  MALLOC_MMAP_THRESHOLD_: '131072',
  MALLOC_TRIM_THRESHOLD_: '131072',
  MALLOC_TOP_PAD_: '65536',
} as const;
