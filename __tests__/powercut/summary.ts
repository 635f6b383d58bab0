import { KINDS } from './known-device.js';
import type { RoundReport } from './round.js';

/** The figures of a campaign, one line for each kind of order and one for all. */
export function summaryOf(reports: readonly RoundReport[]): string[] {
  const rows = KINDS.map((kind) =>
    rowOf(
      kind,
      reports.filter((report) => report.kind === kind),
    ),
  );
  const most = reports.reduce((bytes, { refetched }) => Math.max(bytes, refetched), 0);
  return [
    'order         rounds  cuts  good  failed  never taken  broken',
    ...rows,
    rowOf('all', reports),
    `most bytes of a download fetched again after a cut: ${most}`,
  ];
}

function rowOf(name: string, reports: readonly RoundReport[]): string {
  const ended = (...ends: string[]) => reports.filter(({ end }) => ends.includes(end)).length;
  const cuts = reports.reduce((sum, report) => sum + report.cuts.length, 0);
  const broken = reports.filter(({ problems }) => problems.length > 0).length;
  const cells = [
    name.padEnd(12),
    String(reports.length).padStart(7),
    String(cuts).padStart(5),
    String(ended('good')).padStart(5),
    String(ended('failed')).padStart(7),
    String(ended('never taken', 'none')).padStart(12),
    String(broken).padStart(7),
  ];
  return cells.join(' ');
}
