import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Configuration } from '../../services/configuration/configuration.js';
import { look } from '../../services/disk.js';
import { readKeyFolder } from '../../services/package/signature-keys.js';
import { fault, note, ok, type Finding } from './finding.js';

const WRITABLE_BY_OTHERS = 0o022;

/** Whether signatures can be checked, and nobody but root can bring a key of their own. */
export async function checkKeys({ signature, keysDir }: Configuration): Promise<Finding[]> {
  const policy = `signatures are ${signature}`;
  if (signature === 'off')
    return [note('keys', `${policy}: whoever can order an update installs what they like`)];
  const { keys, revoked, unreadable } = await readKeyFolder(keysDir);
  const known = keys.filter(({ id }) => !revoked.includes(id));
  const count = `${policy}, ${known.length} keys in ${keysDir}, ${revoked.length} revoked`;
  const remedy = `put the .pub file of whoever signs your packages into ${keysDir}`;
  const none = signature === 'required' ? fault('keys', count, remedy) : note('keys', count, remedy);
  return [
    known.length === 0 ? none : ok('keys', count),
    ...unreadable.map(({ path, reason }) => fault('keys', reason, `replace or remove ${path}`)),
    ...(await modes(keysDir)),
  ];
}

async function modes(keysDir: string): Promise<Finding[]> {
  if ((await look(keysDir)) === null) return [];
  const names = (await readdir(keysDir)).filter((name) => name.endsWith('.pub') || name === 'revoked');
  const findings = [];
  for (const path of [keysDir, ...names.map((name) => join(keysDir, name))]) {
    const { mode, uid } = await stat(path);
    const bits = mode & 0o7777;
    if ((bits & WRITABLE_BY_OTHERS) !== 0)
      findings.push(
        fault(
          'keys',
          `${path} has mode 0${bits.toString(8)}`,
          `chmod 0${(bits & ~WRITABLE_BY_OTHERS).toString(8)} ${path}`,
        ),
      );
    if (uid !== 0 && uid !== process.geteuid?.())
      findings.push(fault('keys', `${path} belongs to user ${uid}`, `chown root ${path}`));
  }
  return findings;
}
