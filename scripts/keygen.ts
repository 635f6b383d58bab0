import { writeFile } from 'node:fs/promises';
import { isSystemError } from '../services/disk.js';
import { EXIT, parseOptions, printHelp, UsageError } from './command.js';
import { makeKeyFiles } from './pack/minisign-secret.js';

const HELP = `Usage: tope-updater keygen -s FILE -p FILE

Makes a key that packages are signed with, on a workstation, and prints its id. Both
files are in minisign's format. A file that is there is never overwritten.

  -s, --secret FILE  the secret half, for pack --sign or minisign -S. It is not encrypted:
                     keep it where only you can read it (it is made with mode 0600)
  -p, --public FILE  the public half, for the key folder of devices; its name must end in .pub
  --help             print this

Exit codes: 0 done, 1 failed, 2 wrong usage
`;

/** Makes a key pair. Throws where one of the files is there already. */
export async function keygenCommand(args: string[]): Promise<number> {
  const { help, ...files } = parseOptions(args, {
    secret: { type: 'string', short: 's' },
    public: { type: 'string', short: 'p' },
  });
  if (help === true) return printHelp(HELP);
  if (files.secret === undefined || files.public === undefined)
    throw new UsageError('-s FILE and -p FILE are both needed');
  if (!files.public.endsWith('.pub'))
    throw new UsageError(`-p is ${files.public}: expected a name that ends in .pub, others are not read`);
  const { id, secretFile, publicFile } = makeKeyFiles();
  await writeNew(files.secret, secretFile, 0o600);
  await writeNew(files.public, publicFile, 0o644);
  process.stdout.write(`${id}\n`);
  return EXIT.done;
}

async function writeNew(path: string, contents: string, mode: number): Promise<void> {
  try {
    await writeFile(path, contents, { flag: 'wx', mode });
  } catch (error) {
    if (isSystemError(error, 'EEXIST'))
      throw new Error(`${path} is there already; a key is never overwritten`, { cause: error });
    throw error;
  }
}
