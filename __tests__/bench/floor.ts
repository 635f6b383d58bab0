import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import type { PackageServer } from '../support/package-server.js';
import type { BuiltPackage } from '../support/build-package.js';

/** What the same work costs without an updater, in ms. */
export interface Bare {
  cpuMs: number;
  wallMs: number;
}

/** The least that has to be done, by programs in C; each file is synced, as the updater's are. */
const SHELL = `
curl --silent --show-error --output package.zip "$1"
md5sum package.zip >/dev/null
unzip -q package.zip -d out
sync package.zip
find out -type f -exec sync {} +`;

/** As an updater in Python does it. */
const PYTHON = `
import hashlib, sys, urllib.request, zipfile
with urllib.request.urlopen(sys.argv[1]) as answer, open("package.zip", "wb") as package:
    while piece := answer.read(65536):
        package.write(piece)
md5 = hashlib.md5()
with open("package.zip", "rb") as package:
    while piece := package.read(65536):
        md5.update(piece)
zipfile.ZipFile("package.zip").extractall("out")`;

/** Python's own program: a shim before it would cost time of its own. */
const PYTHON_PROGRAM = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], {
  encoding: 'utf8',
}).trim();

/** curl, md5sum and unzip in one shell. */
export function floor(server: PackageServer, built: BuiltPackage, folder: string): Promise<Bare> {
  return timed(['bash', '-euc', SHELL, 'floor', server.urlOf(built)], folder);
}

/** hashlib and zipfile. */
export function python(server: PackageServer, built: BuiltPackage, folder: string): Promise<Bare> {
  return timed([PYTHON_PROGRAM, '-c', PYTHON, server.urlOf(built)], folder);
}

/** Runs a command in a new folder; bash adds up the processor time of it and all that it starts. */
async function timed(command: readonly string[], folder: string): Promise<Bare> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const script = 'TIMEFORMAT=\'%U %S %R\'; time "$@"';
  const child = spawn('bash', ['-c', script, 'timed', ...command], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, LC_ALL: 'C' },
  });
  const [words] = await Promise.all([text(child.stderr), once(child, 'close')]);
  rmSync(folder, { recursive: true, force: true });
  const [user, system, real] = words.trim().split(' ').map(Number);
  if (child.exitCode !== 0 || real === undefined || Number.isNaN(real))
    throw new Error(`${command[0] ?? ''}: ${words}`);
  return { cpuMs: 1000 * ((user ?? NaN) + (system ?? NaN)), wallMs: 1000 * real };
}
