import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { wordsOf } from '../machines/errors.js';
import { parseOptions, UsageError } from './command.js';
import { buildRelease } from './release/build-release.js';
import { ARCHITECTURES } from './release/runtime.js';

const HELP = `Usage: npm run release -- [--node arm64|x64]

Packs release/tope-updater-X.Y.Z.tar.gz: unpack it on a device and call ./install.

Options:
  --node ARCH  bring a node along, for devices without one
  --help       print this
`;

const CHECKOUT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

async function release(args: string[]): Promise<void> {
  const { help, node } = parseOptions(args, { node: { type: 'string' } });
  if (help === true) {
    process.stdout.write(HELP);
    return;
  }
  const architecture = ARCHITECTURES.find((one) => one === node);
  if (node !== undefined && architecture === undefined)
    throw new UsageError(`--node is ${node}: expected ${ARCHITECTURES.join(' or ')}`);
  const request = { checkout: CHECKOUT, into: join(CHECKOUT, 'release') };
  const { path, bytes } = await buildRelease(
    architecture === undefined ? request : { ...request, node: architecture },
  );
  process.stdout.write(`${path} (${bytes} bytes)\n`);
}

try {
  await release(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`release: ${wordsOf(error)}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
