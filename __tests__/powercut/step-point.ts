/** A moment of a run: the nth time that a step reaches a moment, or (`*`) the nth moment of any step. */
export interface StepPoint {
  /** `journal.mark/after`, or `*`. */
  moment: string;
  /** From 1 on. */
  nth: number;
}

export function encodePoint({ moment, nth }: StepPoint): string {
  return `${moment}#${nth}`;
}

/** Throws for a text that encodePoint has not made. */
export function decodePoint(text: string): StepPoint {
  const [, moment, nth] = /^(.+)#(\d+)$/.exec(text) ?? [];
  if (moment === undefined) throw new Error(`'${text}' is no point of a run: expected STEP/MOMENT#N`);
  return { moment, nth: Number(nth) };
}

/** Counts the moments of a run as they come; tells at each whether it is the point. */
export function pointFinder(point: StepPoint): (moment: string) => boolean {
  let seen = 0;
  return (moment) => {
    if (point.moment !== '*' && point.moment !== moment) return false;
    seen += 1;
    return seen === point.nth;
  };
}
