import { ConfigurationError } from './configuration.js';
import { isSystemError } from '../disk.js';
import { NotARegularFile, openRegularFile } from '../package/open-regular-file.js';

/** RFC 6750, section 2.1; shorter ones can be guessed. */
const TOKEN = /^[\w.~+/-]{16,}=*$/;
const MOST_BYTES = 4096;
const OTHERS = 0o077;

/**
 * The bearer token that orders must carry, from a file that nobody but its owner (root, or who runs the updater) may
 * read; null where no file is named. Throws a ConfigurationError where the file cannot be read, is somebody else's, is
 * open to others, or holds no token of at least 16 characters.
 */
export async function readOrderToken(tokenFile: string): Promise<string | null> {
  if (tokenFile === '') return null;
  try {
    const { file, size } = await openRegularFile(tokenFile);
    try {
      const { mode, uid } = await file.stat();
      if ((mode & OTHERS) !== 0) throw unusable(tokenFile, `its mode is 0${(mode & 0o7777).toString(8)}`);
      if (uid !== 0 && uid !== process.geteuid?.()) throw unusable(tokenFile, `it belongs to user ${uid}`);
      const token = size > MOST_BYTES ? '' : (await file.readFile('utf8')).trim();
      if (!TOKEN.test(token)) throw unusable(tokenFile, 'there is no such token in it');
      return token;
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof NotARegularFile || isSystemError(error)) throw unusable(tokenFile, error.message);
    throw error;
  }
}

function unusable(tokenFile: string, why: string): ConfigurationError {
  return new ConfigurationError([
    `TOPE_TOKEN_FILE is "${tokenFile}": expected a file of mode 0600 with one token of 16 or more letters, digits and -._~+/: ${why}`,
  ]);
}
