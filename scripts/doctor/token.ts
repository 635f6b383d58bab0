import { stat } from 'node:fs/promises';
import { isSystemError } from '../../services/disk.js';
import { ConfigurationError } from '../../services/configuration/configuration.js';
import { readOrderToken } from '../../services/configuration/order-token.js';
import { fault, ok, type Finding } from './finding.js';

const OPEN_TO_OTHERS = 0o077;
const WRITE_ANOTHER = 'write a new one: (umask 077; head -c 24 /dev/urandom | base64 > FILE)';

/** Whether the updater would take the file of the token, and nobody else can read it; nothing where none is named. */
export async function checkToken(tokenFile: string): Promise<Finding[]> {
  if (tokenFile === '') return [];
  try {
    const { mode, uid } = await stat(tokenFile);
    const bits = mode & 0o7777;
    if ((bits & OPEN_TO_OTHERS) !== 0)
      return [fault('token', `${tokenFile} has mode 0${bits.toString(8)}`, `chmod 0600 ${tokenFile}`)];
    if (uid !== 0 && uid !== process.geteuid?.())
      return [fault('token', `${tokenFile} belongs to user ${uid}`, `chown root ${tokenFile}`)];
    await readOrderToken(tokenFile);
    return [ok('token', `${tokenFile} has mode 0${bits.toString(8)} and holds a token`)];
  } catch (error) {
    if (error instanceof ConfigurationError)
      return [
        fault('token', `${tokenFile} holds no usable token: ${lastClause(error.message)}`, WRITE_ANOTHER),
      ];
    if (isSystemError(error))
      return [fault('token', `${tokenFile} cannot be read: ${error.message}`, WRITE_ANOTHER)];
    throw error;
  }
}

/** What is wrong, without what was expected. */
function lastClause(message: string): string {
  return message.slice(message.lastIndexOf(': ') + 2);
}
