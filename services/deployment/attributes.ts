import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { UpdateError } from '../../machines/errors.js';
import { isSystemError } from '../disk.js';
import type { Log } from '../log/log.js';
import { step } from '../steps.js';

export type Attributes = Readonly<Record<string, string>>;

/** File capabilities: a program that was replaced must be given them anew, never inherit them (capabilities(7)). */
export const CAPABILITY = 'security.capability';

const PATHS_A_CALL = 200;
const run = promisify(execFile);
/** Complaints are read, so they must be in the language of the program. */
const ENVIRONMENT = { ...process.env, LC_ALL: 'C' };
let hasToldMissing = false;

/**
 * Extended attributes, ACLs among them (they are `system.posix_acl_*`, acl(5)), of each path that has any: name → value
 * in hex. Where getfattr is not installed the map is empty, and the log says so once.
 */
export async function readAttributes(paths: readonly string[], log: Log): Promise<Map<string, Attributes>> {
  const found = new Map<string, Attributes>();
  for (let at = 0; at < paths.length; at += PATHS_A_CALL) {
    const args = [
      '-h',
      '-d',
      '-m',
      '-',
      '-e',
      'hex',
      '--absolute-names',
      '--',
      ...paths.slice(at, at + PATHS_A_CALL),
    ];
    try {
      const { stdout } = await run('getfattr', args, { maxBuffer: 64 * 1024 * 1024, env: ENVIRONMENT });
      parseDump(stdout, found);
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) {
        tellMissing(log);
        return found;
      }
      parseDump(dumpOfOthers(error), found);
    }
  }
  return found;
}

/** getfattr ends with 1 for a file that is gone by now, or on a file system without attributes; the others it dumps. */
function dumpOfOthers(error: unknown): string {
  if (!(error instanceof Error) || !('stdout' in error) || !('stderr' in error)) throw error;
  const complaints = String(error.stderr)
    .split('\n')
    .filter((line) => line !== '');
  if (!complaints.every((line) => /: (?:No such file or directory|Operation not supported)$/.test(line)))
    throw error;
  return String(error.stdout);
}

/** Sets attributes of files, all in one call. Throws DEPLOYMENT_FAILED where setfattr is there and says no. */
export async function writeAttributes(files: ReadonlyMap<string, Attributes>, log: Log): Promise<void> {
  const blocks = [...files].filter(([, attributes]) => Object.keys(attributes).length > 0);
  if (blocks.length === 0) return;
  const dump = blocks.map(([path, attributes]) => {
    const lines = Object.entries(attributes).map(([name, value]) => `${name}=${value}`);
    return `# file: ${escaped(path)}\n${lines.join('\n')}\n\n`;
  });
  await step('staging.attributes', () => restore(dump.join(''), log));
}

function restore(dump: string, log: Log): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('setfattr', ['-h', '--restore=-'], { stdio: ['pipe', 'ignore', 'pipe'] });
    let words = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (words += chunk));
    // A child that is gone before it has read everything tells why by its exit code.
    child.stdin.on('error', () => undefined);
    child.on('error', (error) => {
      if (!isSystemError(error, 'ENOENT')) {
        reject(error);
        return;
      }
      tellMissing(log);
      resolve();
    });
    child.on('close', (code) => {
      if (code === 0) resolve();
      else
        reject(
          new UpdateError('DEPLOYMENT_FAILED', `setfattr ended with ${code}: ${words.trim().slice(0, 300)}`),
        );
    });
    child.stdin.end(dump);
  });
}

function tellMissing(log: Log): void {
  if (hasToldMissing) return;
  hasToldMissing = true;
  log.warn('getfattr and setfattr are not installed: ACLs and extended attributes are not carried over');
}

function parseDump(dump: string, found: Map<string, Attributes>): void {
  for (const block of dump.split('\n\n')) {
    const [head = '', ...lines] = block.trim().split('\n');
    if (!head.startsWith('# file: ')) continue;
    const rows = lines.map((line): [string, string] => {
      const at = line.indexOf('=');
      return at < 0 ? [line, '0x'] : [line.slice(0, at), line.slice(at + 1)];
    });
    found.set(unescaped(head.slice('# file: '.length)), Object.fromEntries(rows));
  }
}

/** getfattr(1) and setfattr(1) write backslash, control characters and line ends in a name as three octal digits. */
function unescaped(name: string): string {
  if (!name.includes('\\')) return name;
  const bytes = [
    ...Buffer.from(name)
      .toString('latin1')
      .matchAll(/\\([0-7]{3})|([\s\S])/g),
  ].map(([, octal, plain]) => (octal === undefined ? (plain ?? '').charCodeAt(0) : parseInt(octal, 8)));
  return Buffer.from(bytes).toString('utf8');
}

function escaped(name: string): string {
  return name.replace(
    /[\\\n\r=]/g,
    (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`,
  );
}
