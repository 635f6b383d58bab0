/** Random numbers that a seed repeats: the generator mulberry32. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 to just below 1. */
  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** From 0 to just below a limit. */
  below(limit: number): number {
    return this.fraction() * limit;
  }

  /** A whole number from `least` to `most`, both included. */
  whole(least: number, most: number): number {
    return least + Math.floor(this.fraction() * (most - least + 1));
  }

  /** True so often, of a whole of 1. */
  chance(of: number): boolean {
    return this.fraction() < of;
  }

  /** One of several. Throws where there is none. */
  oneOf<Thing>(things: readonly Thing[]): Thing {
    const [thing] = things.slice(this.whole(0, things.length - 1));
    if (thing === undefined) throw new Error('there is nothing to choose from');
    return thing;
  }
}
