import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Row } from './figures.js';

const CHECKOUT = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
const FILE = join(CHECKOUT, 'docs', 'benchmarks.md');
/** What stands behind this line is written by hand and stays. */
const BY_HAND = '<!-- What follows is written by hand: npm run bench leaves it. -->';

export interface Measured {
  /** By the name of the measurement. */
  rows: ReadonlyMap<string, readonly Row[]>;
  /** The table of whole cycles; null where it was not asked for. */
  comparison: string | null;
  runs: number;
  /** The load of the machine when it began: loadavg(5). */
  loadBefore: number;
  command: string;
}

/** Writes docs/benchmarks.md anew, but for what stands there by hand. */
export function writeBenchmarks(measured: Measured): void {
  const old = existsSync(FILE) ? readFileSync(FILE, 'utf8') : '';
  const kept = old.includes(BY_HAND) ? old.slice(old.indexOf(BY_HAND)) : `${BY_HAND}\n`;
  writeFileSync(FILE, `${pageOf(measured)}\n${kept}`);
  execFileSync(process.execPath, [join(CHECKOUT, 'node_modules/prettier/bin/prettier.cjs'), '--write', FILE]);
}

function pageOf({ rows, comparison, runs, loadBefore, command }: Measured): string {
  const table = [
    '| what | seen | target | | command |',
    '| --- | --- | --- | --- | --- |',
    ...[...rows.values()].flat().map((row) => `| ${cellsOf(row).join(' | ')} |`),
  ];
  return [
    '# Benchmarks',
    `\`${command}\` measures the packed release, started by its own launcher with the flags that a device has, and writes this page: medians with their ranges over ${runs} runs. Times are processor times (user and system) unless they are told as waited for; the floor is curl, md5sum, unzip and sync in one shell, Python is its urllib, hashlib and zipfile without any sync, each right beside the updater on the same package.`,
    machine(loadBefore),
    '## Targets',
    table.join('\n'),
    ...(comparison === null ? [] : ['## Whole cycles', comparison]),
    '',
  ].join('\n\n');
}

function cellsOf({ what, seen, target, met, command }: Row): string[] {
  return [what, seen, target, met === null ? '' : met ? 'met' : '**missed**', `\`${command}\``];
}

function machine(loadBefore: number): string {
  const model = cpus()[0]?.model ?? 'unknown';
  const facts = [
    `${cpus().length} × ${model}`,
    `${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
    `Linux ${release()}`,
    `Node ${process.version}`,
    versionOf('python3', ['--version']),
    versionOf('curl', ['--version']),
    versionOf('unzip', ['-v']),
    `commit ${versionOf('git', ['-C', CHECKOUT, 'describe', '--always', '--dirty'])}`,
  ];
  const load = `${loadBefore.toFixed(1)} before, ${(loadavg()[0] ?? 0).toFixed(1)} after`;
  return `Machine: ${facts.join('; ')}. Its load (loadavg, one minute) was ${load}: what is more than its processors is work of others, which makes every waited-for time longer. Ratios are of figures taken side by side.`;
}

function versionOf(program: string, args: readonly string[]): string {
  const words = execFileSync(program, args, { encoding: 'utf8' }).split('\n')[0] ?? '';
  return words.split(' ').slice(0, 2).join(' ');
}
