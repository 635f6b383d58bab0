import { printable } from '../../services/log/log-line.js';
import type { Status } from './answers.js';
import type { Sight } from './follow.js';

/** What is printed on: a terminal, a pipe or a file. */
export interface Paper {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

/** Shows what is seen of an updater. */
export interface ProgressView {
  show(sight: Sight): void;
  /** Leaves what was shown as it is. */
  end(): void;
}

/** Without room for so many columns a bar stands alone, without words. */
const WORDS_FROM_COLUMNS = 60;
const STAGE_COLUMNS = 12;
const PERCENT_COLUMNS = 6;
const MOST_CELLS = 24;
const FEWEST_CELLS = 12;
/** What the longest usual message takes. */
const WORDS_COLUMNS = 47;
/** Where nothing can be drawn anew, a line is printed each time a stage has got on by so many percent. */
const PRINTED_STEP = 10;
const WITH_BAR = ['downloading', 'verifying', 'installing', 'rebooting'];

/** The view that fits: JSON for programs, bars on a terminal, lines elsewhere. */
export function viewOn(paper: Paper, asJson: boolean): ProgressView {
  if (asJson) return jsonView(paper);
  return paper.isTTY === true && process.env['TERM'] !== 'dumb' ? barView(paper) : lineView(paper);
}

/** Each sight as one line of JSON: the data of /progress, or `{"away": why}`. */
function jsonView(paper: Paper): ProgressView {
  return {
    show: (sight) => paper.write(`${JSON.stringify('status' in sight ? sight.status : sight)}\n`),
    end: () => undefined,
  };
}

/** A line with its time for each stage, each tenth of it, and each thing that is wrong. */
function lineView(paper: Paper): ProgressView {
  let stage = '';
  let printed = 0;
  return {
    show: (sight) => {
      const time = new Date().toISOString();
      if ('away' in sight) {
        stage = '';
        paper.write(`${time} ${printable(sight.away)}; waiting for it\n`);
        return;
      }
      const { status } = sight;
      if (status.stage === stage && status.progress < Math.min(100, printed + PRINTED_STEP)) return;
      if (status.stage === stage && status.progress === printed) return;
      stage = status.stage;
      printed = status.progress;
      paper.write(`${time} ${inWords(status)}\n`);
    },
    end: () => undefined,
  };
}

/** A status in words: one line, and another one for an error. */
export function inWords({ stage, progress, message, error }: Status): string {
  const line = `${stage} ${progress} %: ${printable(message)}`;
  return error === null ? line : `${line}\nerror: ${printable(error)}`;
}

/** A bar for each stage, drawn anew in place while the stage goes on; those that are over stay above it. */
function barView(paper: Paper): ProgressView {
  let drawn: Status | null = null;
  const finishLine = () => {
    if (drawn !== null) paper.write('\n');
    drawn = null;
  };
  const draw = (status: Status) => paper.write(`\r\u001b[2K${lineOf(status, (paper.columns ?? 80) - 1)}`);
  const say = (words: string) => {
    finishLine();
    for (const line of wrapped(words, (paper.columns ?? 80) - 1)) paper.write(`${line}\n`);
  };
  const fits = ({ message }: Status) => STAGE_COLUMNS + columnsOf(printable(message)) < (paper.columns ?? 80);
  return {
    show: (sight) => {
      if ('away' in sight) {
        say(`${printable(sight.away)}; waiting for it (systemctl status tope-updater tells more)`);
        return;
      }
      const { status } = sight;
      // The last steps of a restart may be too quick to be told one by one.
      if (drawn?.stage === 'rebooting' && status.stage === 'success') draw({ ...drawn, progress: 100 });
      if (status.stage !== drawn?.stage) finishLine();
      draw(status);
      drawn = status;
      if (status.error !== null) say(status.error);
      else if (status.stage === 'success' && !fits(status)) say(status.message);
    },
    end: finishLine,
  };
}

function lineOf({ stage, progress, message }: Status, columns: number): string {
  const name = stage.padEnd(STAGE_COLUMNS);
  const words = printable(message);
  if (!WITH_BAR.includes(stage)) return fitted(`${name}${words}`, columns);
  const hasWords = columns >= WORDS_FROM_COLUMNS;
  const most = Math.max(
    FEWEST_CELLS,
    hasWords ? columns - STAGE_COLUMNS - PERCENT_COLUMNS - WORDS_COLUMNS : MOST_CELLS,
  );
  const room = columns - STAGE_COLUMNS - PERCENT_COLUMNS - 2;
  const cells = Math.max(4, Math.min(most, MOST_CELLS, room));
  const filled = Math.floor((cells * progress) / 100);
  const bar = `[${'#'.repeat(filled)}${'.'.repeat(cells - filled)}]`;
  const line = `${name}${bar}${String(progress).padStart(4)} %`;
  return fitted(hasWords ? `${line}  ${words}` : line, columns);
}

/** A line cut to so many columns, with a dot where something was cut. */
function fitted(line: string, columns: number): string {
  if (columnsOf(line) <= columns) return line;
  let kept = '';
  for (const character of line) {
    if (columnsOf(kept) + columnsOf(character) > columns - 1) break;
    kept += character;
  }
  return `${kept}…`;
}

// Unicode Standard Annex 11: what is wide takes two columns.
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/gu;

function columnsOf(text: string): number {
  return Array.from(text.replace(/\p{M}/gu, '')).length + (text.match(WIDE)?.length ?? 0);
}

function wrapped(words: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of printable(words).split(' ')) {
    if (line !== '' && columnsOf(line) + 1 + columnsOf(word) > columns) {
      lines.push(line);
      line = `  ${word}`;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
