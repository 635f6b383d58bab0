import { join } from 'node:path';
import type { BuiltPackage, ModuleSketch, PackageSketch, Source } from '../support/build-package.js';
import { buildPackage } from '../support/build-package.js';

/**
 * The releases that the campaigns switch between. Each brings or removes every path, so that a version alone tells what
 * must stand on the device.
 */
export const AS_FOUND = '0.0.0';
/** Its program writes into its configuration, and ends. */
export const BAD = '1.3.0';
export const GOOD = ['1.0.0', '1.1.0', '1.2.0', '1.4.0'] as const;

/** Brings a file that was found on the device, and that no version before has brought. */
export const LATE = '1.5.0';
/** The update that shows that a device is as good as before. */
export const NEXT = '1.6.0';

/** A file of a release. */
export interface ReleaseFile {
  text: string;
  mode: number;
  /** Whether it was found with an owner of its own, whom every later version keeps. */
  isUsers: boolean;
}

export const SERVICES = ['alpha', 'beta'] as const;
export type Service = (typeof SERVICES)[number];

/** Whom the files belong to that were found so: somebody else where this runs as root. */
export const USER =
  process.geteuid?.() === 0
    ? { uid: 1000, gid: 1000 }
    : { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };

const OLD = 'alpha/old.txt';
const LATE_FILE = 'beta/late.cfg';
const DEEP = 'extra/deep/only';

/** What the bad version writes into its configuration. */
export const SCRIBBLE = 'config-1.3.0\nscribbled by the service\n';

/** All files of a version by their path in the managed root. */
export function filesOf(version: string): Map<string, ReleaseFile> {
  const file = (text: string, mode = 0o644, isUsers = false): ReleaseFile => ({ text, mode, isUsers });
  const files = new Map([
    ['alpha/alpha', file(programOf('alpha', version), 0o755)],
    ['alpha/alpha.cfg', file(`config-${version}\n`, 0o640, true)],
    ['beta/beta', file(programOf('beta', version), 0o755)],
    ['beta/beta.cfg', file(`config-${version}\n`)],
    [LATE_FILE, version < LATE ? file('found', 0o600, true) : file(`late ${version}`, 0o600, true)],
  ]);
  if (version === AS_FOUND) return files;
  files.set('beta/shared.bin', file('x'.repeat(4096)));
  if (version === '1.0.0') files.set('alpha/plugins/a', file('a'));
  files.set('alpha/plugins/b', file(`b ${version}`, 0o755));
  if (version !== '1.0.0') files.set('alpha/plugins/in/c', file('c', version === '1.1.0' ? 0o644 : 0o600));
  if (version < '1.2.0') files.set(OLD, file('old'));
  if (['1.2.0', BAD, LATE].includes(version)) files.set(DEEP, file(`deep ${version}`));
  return files;
}

/** What a service answers that was started from the files of a version. */
export function answerOf(service: Service, version: string): string {
  return `${service} ${version} config-${version}`;
}

/**
 * A service in a few lines of shell: whoever writes a path into its FIFO gets its answer there. Descriptor 3 closes with
 * the supervisor; then it ends.
 */
function programOf(service: Service, version: string): string {
  const last =
    service === 'alpha' && version === BAD
      ? [`printf '${SCRIBBLE.replaceAll('\n', '\\n')}' > "$folder/alpha.cfg"`, 'exit 3']
      : [
          '(cat <&3 >/dev/null; kill $$) 2>/dev/null &',
          `read -r config < "$folder/${service}.cfg"`,
          'while read -r asked; do',
          `  echo "${service} ${version} $config" > "$asked"`,
          `done <> "$RUN/${service}.fifo"`,
        ];
  return [
    '#!/bin/sh',
    'folder=${0%/*}',
    `if [ -e "$RUN/broken-${service}-${version}" ]; then exit 3; fi`,
    `if [ -e "$RUN/stubborn-${service}" ]; then trap '' TERM; fi`,
    ...last,
    '',
  ].join('\n');
}

export interface PackagePlace {
  /** Where the package is written. */
  folder: string;
  /** The managed root of the device it is for. */
  root: string;
  /** Where the device's services have their FIFOs. */
  run: string;
  /** Where the health of a service is asked. */
  healthUrl: (service: Service) => string;
}

/** The package of a version. */
export function packageOf(version: string, { folder, root, run, healthUrl }: PackagePlace): BuiltPackage {
  const files = filesOf(version);
  const source = (path: string): Source => ({
    bytes: files.get(path)?.text ?? '',
    mode: files.get(path)?.mode ?? 0o644,
  });
  const single = (name: string, path: string, also: ModuleSketch['also'] = {}): ModuleSketch => ({
    name,
    dst: join(root, path),
    brings: source(path),
    also,
  });
  const unit = (service: Service, order: number) => ({
    process_name: service,
    restart_order: order,
    health: { http: healthUrl(service), timeout_s: 3 },
  });
  const plugins = [...files.keys()].filter((path) => path.startsWith('alpha/plugins/'));
  const optional = [OLD, DEEP];
  const sketch: PackageSketch = {
    version,
    modules: [
      single('alpha', 'alpha/alpha', {
        ...unit('alpha', 2),
        post_cmds: [`echo ${version} >> '${run}/post-commands'`],
        remove: optional.filter((path) => !files.has(path)).map((path) => join(root, path)),
      }),
      single('alpha-config', 'alpha/alpha.cfg', { process_name: 'alpha' }),
      single('beta', 'beta/beta', unit('beta', 1)),
      single('beta-config', 'beta/beta.cfg', { process_name: 'beta' }),
      single('shared', 'beta/shared.bin'),
      ...(version < LATE ? [] : [single('late', LATE_FILE, { process_name: 'beta' })]),
      {
        name: 'plugins',
        dst: `${root}/alpha/plugins/`,
        brings: new Map(plugins.map((path) => [path.replace('alpha/plugins/', ''), source(path)])),
        also: { process_name: 'alpha' },
      },
      ...optional.filter((path) => files.has(path)).map((path) => single(path.replaceAll('/', '-'), path)),
    ],
  };
  return buildPackage(folder, sketch);
}
