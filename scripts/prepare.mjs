// Makes a checkout ready to run: installs packages if the lockfile asks for others than are there, and builds.
// Plain JavaScript, because nothing is built yet when it runs.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const ROOT = dirname(import.meta.dirname);
const DIST = join(ROOT, 'dist');

/** The packages that a lockfile lists, by their folders; npm leaves one of what it installed, too. */
function packagesOf(lockfile) {
  const { packages } = JSON.parse(readFileSync(join(ROOT, lockfile), 'utf8'));
  delete packages[''];
  return packages;
}

/** Whether node_modules holds what the lockfile asks for. Dates would not tell: a checkout gives files new ones. */
function isInstalled() {
  if (!existsSync(join(ROOT, 'node_modules/.package-lock.json'))) return false;
  const wanted = packagesOf('package-lock.json');
  const installed = packagesOf('node_modules/.package-lock.json');
  const isAsWanted = (path) =>
    // Optional packages are for other platforms where they are not installed.
    installed[path] === undefined
      ? wanted[path].optional === true
      : installed[path].version === wanted[path].version &&
        installed[path].integrity === wanted[path].integrity;
  return Object.keys(wanted).every(isAsWanted) && Object.keys(installed).every((path) => path in wanted);
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: ROOT, stdio: 'inherit' });
  if (error !== undefined) console.error(`${command} could not be run: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

/** Built files whose source is gone would still be run as tests. */
function removeStale() {
  if (!existsSync(DIST)) return;
  for (const entry of readdirSync(DIST, { recursive: true, withFileTypes: true })) {
    const built = join(entry.parentPath, entry.name);
    const source = join(ROOT, relative(DIST, built)).replace(/\.js(\.map)?$/, '');
    const isKnown = ['.ts', '.d.ts'].some((ending) => existsSync(source + ending));
    if (entry.isFile() && /\.js(\.map)?$/.test(built) && !isKnown) rmSync(built);
  }
}

if (!isInstalled()) run('npm', ['ci', '--no-audit', '--no-fund']);
removeStale();
for (const project of [ROOT, join(ROOT, 'pages')])
  run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', project]);
run(process.execPath, [join(DIST, 'scripts/compile-checks.js')]);
for (const name of readdirSync(join(ROOT, 'pages')))
  if (name.endsWith('.css')) copyFileSync(join(ROOT, 'pages', name), join(DIST, 'pages', name));
