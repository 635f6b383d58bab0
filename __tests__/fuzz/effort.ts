/** The same cases in every run of the suite; `npm run fuzz` takes others. */
const USUAL_SEED = 20_261_123;
/** A case that takes longer hangs. */
const CASE_WITHIN_MS = 10_000;

const minutes = Number(process.env['FUZZ_MINUTES'] ?? 0);

/** How long a property may take, in ms; for jest. */
export const FUZZ_WITHIN_MS = (minutes + 2) * 60_000;

/** What fast-check is told. */
export interface Effort {
  numRuns: number;
  seed: number;
  timeout: number;
}

/**
 * Tries a property with so many cases: once in the suite; again and again, each round with the next seed, as long as
 * there is time in `npm run fuzz`.
 */
export async function tryWith(cases: number, check: (effort: Effort) => Promise<void>): Promise<void> {
  const deadline = Date.now() + minutes * 60_000;
  let seed = Number(process.env['FUZZ_SEED'] ?? USUAL_SEED);
  do await check({ numRuns: cases, seed: seed++, timeout: CASE_WITHIN_MS });
  while (Date.now() < deadline);
}
