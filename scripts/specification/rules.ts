/** A line of docs/specification.md. */
export interface Rule {
  /** A letter for its part of the page and a number: `W-12`. */
  id: string;
  text: string;
  /** What shows it where it takes a long run, `npm run bench -- --only cpu`; null where the suite alone does. */
  command: string | null;
}

/** The rules of the page, in its order: list items that begin with an id in bold. */
export function rulesIn(page: string): Rule[] {
  return page.split('\n').flatMap((line) => {
    const [, id, text] = /^- \*\*([A-Z]-\d+)\*\* (.+)$/.exec(line) ?? [];
    if (id === undefined || text === undefined) return [];
    return [{ id, text, command: /\bShown .*`(npm run [^`]+)`\.$/.exec(text)?.[1] ?? null }];
  });
}
