/** Enough to be quick, too few to hold up other reads or to hold much in memory. */
const AT_ONCE = 8;

/**
 * Does the same with each of many things, a few at a time. Rejects with the first error, as soon as nothing is being
 * worked on any more; what was not begun until then is not begun.
 */
export async function aFewAtOnce<Thing>(
  things: Iterable<Thing>,
  work: (thing: Thing) => Promise<void>,
): Promise<void> {
  const left = things[Symbol.iterator]();
  const failures: unknown[] = [];
  const worker = async () => {
    for (let next = left.next(); next.done !== true && failures.length === 0; next = left.next()) {
      try {
        await work(next.value);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  if (failures.length > 0) throw failures[0];
}
