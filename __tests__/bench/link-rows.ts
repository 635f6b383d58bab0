import { cutsAndKills, slowLink, type Finding } from '../slow-link/measurements.js';
import type { BenchRun } from './bench-run.js';
import { MB, type Row } from './figures.js';

/** Rows that need a link of a known speed. One run of each: a link is as slow each time. */

export async function cutRows({ program }: BenchRun): Promise<Row[]> {
  const command = 'npm run bench -- --only cuts';
  return (await cutsAndKills(program, 100 * MB, 100, 20)).map((finding) => ({ ...finding, command }));
}

export async function slowLinkRows({ program }: BenchRun): Promise<Row[]> {
  const isTold = ({ what }: Finding) => what.includes('order to toInstall');
  const findings = await slowLink(program, 100 * MB, 10);
  return findings.filter(isTold).map((finding) => ({ ...finding, command: 'npm run bench -- --only slow' }));
}
