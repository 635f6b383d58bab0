import { ERRORS } from '../../machines/errors.js';
import { markdownTable } from './markdown-table.js';

const HEAD = ['code', 'answer', 'what happened', 'what to do'];

/** docs/errors.md: every code that the wire, the log and the reports may show, in the order of the table. */
export function errorsPage(): string {
  const rows = Object.entries(ERRORS).map(([code, { answer, means, remedy }]) => [
    `\`${code}\``,
    String(answer),
    means,
    remedy,
  ]);
  return `# Errors

Made from \`machines/errors.ts\` by \`npm run docs\`; do not edit.

An error is told as \`CODE: what happened, with the values that matter\`: in \`msg\` of an answer, in \`error\` of
\`/progress\` and of a report, and in the log. _Answer_ is the integer \`code\` of an answer that carries it. After a
rollback the message also tells how that ended: \`HEALTH_CHECK_FAILED: voice-app exited 1; rolled back to 1.1.0\`.

${markdownTable([HEAD, ...rows])}
`;
}
