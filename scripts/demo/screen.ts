/** What is printed on: a terminal, a pipe or a test. */
export interface Paper {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

const CELLS = 24;
const ERASE_LINE = '\r\u001b[2K';
/** Where nothing can be drawn anew, a bar is printed each time it has grown by so many percent. */
const PRINTED_STEP = 25;

interface Bar {
  stage: string;
  percent: number;
  message: string;
}

/** Prints lines, each with the seconds since the start, and one progress bar below them that grows in place. */
export class Screen {
  readonly #paper: Paper;
  readonly #startMs = performance.now();
  #bar: Bar | null = null;
  #printed = -1;

  constructor(paper: Paper) {
    this.#paper = paper;
  }

  title(text: string): void {
    this.text(`\n== ${text} ==`);
  }

  /** Text as it is, below all that was drawn. */
  text(text: string): void {
    this.endBar();
    this.#paper.write(`${text}\n`);
  }

  /** One thing that happened; `who` stands in a column of its own. */
  line(who: string, text: string): void {
    if (this.#bar !== null && this.#paper.isTTY === true) this.#paper.write(ERASE_LINE);
    const seconds = ((performance.now() - this.#startMs) / 1000).toFixed(1).padStart(5);
    this.#paper.write(`${seconds} s  ${who.padEnd(11)} ${text}\n`);
    this.#draw();
  }

  /** Draws how far a stage is; another stage than before begins a new bar. */
  bar(stage: string, percent: number, message: string): void {
    if (this.#bar !== null && this.#bar.stage !== stage) this.endBar();
    this.#bar = { stage, percent, message };
    if (this.#paper.isTTY === true) this.#draw();
    else if (percent >= this.#printed + PRINTED_STEP || this.#printed === -1) this.#print();
  }

  /** The bar stays as it is, and is not drawn any more. */
  endBar(): void {
    if (this.#bar === null) return;
    if (this.#paper.isTTY === true) this.#paper.write('\n');
    else if (this.#bar.percent !== this.#printed) this.#print();
    this.#bar = null;
    this.#printed = -1;
  }

  #draw(): void {
    if (this.#bar === null || this.#paper.isTTY !== true) return;
    const room = (this.#paper.columns ?? 80) - 1;
    this.#paper.write(`${ERASE_LINE}${inCells(this.#bar).slice(0, room)}`);
  }

  #print(): void {
    if (this.#bar === null) return;
    this.#printed = this.#bar.percent;
    this.#paper.write(`${inCells(this.#bar)}\n`);
  }
}

function inCells({ stage, percent, message }: Bar): string {
  const full = Math.round((percent * CELLS) / 100);
  const cells = '#'.repeat(full) + '.'.repeat(CELLS - full);
  return `         ${stage.padEnd(11)} [${cells}] ${String(percent).padStart(3)} %  ${message}`;
}
