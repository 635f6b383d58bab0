import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Row } from './figures.js';

const CHECKOUT = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));

/** What only units, their limits and systemd's own timestamps show: measured in a booted lab, which jest starts and ends. */
export async function systemdRows(runs: number): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'tope-bench-lab-'));
  const into = join(folder, 'rows.json');
  try {
    const jest = spawn(
      process.execPath,
      [
        '--experimental-vm-modules',
        '--disable-warning=ExperimentalWarning',
        join(CHECKOUT, 'node_modules/jest/bin/jest.js'),
        ...['--testMatch', '**/bench/under-systemd.lab.js'],
      ],
      {
        cwd: CHECKOUT,
        env: { ...process.env, BENCH_ROWS: into, BENCH_RUNS: String(runs) },
        stdio: ['ignore', 'ignore', 'inherit'],
      },
    );
    await once(jest, 'close');
    if (jest.exitCode !== 0) throw new Error(`the lab ended with ${String(jest.exitCode)}`);
    const rows: unknown = JSON.parse(await readFile(into, 'utf8'));
    return Array.isArray(rows) ? rows.filter(isRow) : [];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && 'what' in value && 'seen' in value && 'met' in value;
}
