/** Enough to be quick, too few to hold up other reads or to hold much in memory. */
const AT_ONCE = 8;

/** Looks at each of many processes, a few at a time. Rejects with the first error. */
export async function aFewAtOnce<Thing>(
  things: readonly Thing[],
  look: (thing: Thing) => Promise<void>,
): Promise<void> {
  const left = things.values();
  const work = async () => {
    for (const thing of left) await look(thing);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}
