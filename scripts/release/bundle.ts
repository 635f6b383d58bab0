import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { build } from 'esbuild';
import { withoutTables } from './without-tables.js';

export interface Bundled {
  /** The packages of which something got into the bundle, as folders from the checkout on: `node_modules/got`. */
  packages: ReadonlySet<string>;
}

/** Where the bundle lies below the program's folder: as deep as in a built checkout, since files look from there for others. */
const BUNDLE = join('dist', 'scripts', 'tope-updater.js');

/** Some packages call require, which modules do not have. */
const REQUIRE =
  "import { createRequire as bundledRequire } from 'node:module'; const require = bundledRequire(import.meta.url);";

/** No error shows more than one line of source, so that lines are short. */
const LINE_CHARACTERS = 200;

/**
 * Puts the built command with all that it imports into one file below `program`, and a source map beside it, which node
 * reads only with --enable-source-maps. The same input gives the same bytes.
 */
export async function bundleProgram(checkout: string, program: string): Promise<Bundled> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: checkout,
    entryPoints: [BUNDLE],
    outfile: BUNDLE,
    // Written below: the map tells paths from here on, wherever the bundle is put.
    write: false,
    allowOverwrite: true,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.15',
    banner: { js: REQUIRE },
    // Names stay whole, for stacks. Short ones with the whole ones kept beside (keepNames) take 3 MiB at rest.
    minifyWhitespace: true,
    minifySyntax: true,
    plugins: [withoutTables],
    lineLimit: LINE_CHARACTERS,
    legalComments: 'none',
    sourcemap: 'linked',
    sourcesContent: false,
    metafile: true,
    logLevel: 'error',
  });
  for (const { path, contents } of outputFiles) {
    const to = join(program, relative(checkout, path));
    await mkdir(dirname(to), { recursive: true });
    await writeFile(to, contents);
  }
  return { packages: new Set(Object.keys(metafile.inputs).flatMap(packageOf)) };
}

function packageOf(input: string): string[] {
  const [folder] = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input) ?? [];
  return folder === undefined ? [] : [folder];
}
