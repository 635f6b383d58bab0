// Part of the build: makes dist/*/compiled-checks.js, the validators of every schema that a device needs.
import { readFileSync, existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { _, Ajv, type AnySchema, type Options } from 'ajv';
import standalone from 'ajv/dist/standalone/index.js';
import ORDER_FORMATS from '../http/orders/order-formats.js';
import * as orders from '../http/orders/order-schemas.js';
import { CONFIGURATION_SCHEMA } from '../services/configuration/configuration-schema.js';
import { JOURNAL_BODY_SCHEMA, JOURNAL_MARK_SCHEMA } from '../services/deployment/journal-schema.js';
import {
  ADDED_PATHS_SCHEMA,
  RELEASE_SCHEMA,
  STAGED_RELEASE_SCHEMA,
} from '../services/deployment/release-schema.js';
import { MANIFEST_SCHEMA } from '../services/package/manifest-schema.js';
import { ACTOR_INPUT_SCHEMA, CONTEXT_SCHEMA } from '../services/saved-state/context-schema.js';
import { PERSISTED_SNAPSHOT_SCHEMA, SAVED_STATE_SCHEMA } from '../services/saved-state/saved-state-schema.js';
import { STORY_SCHEMA } from '../services/history/story-schema.js';
import * as answers from './calling/answer-schemas.js';

interface Check {
  schema: AnySchema;
  options?: Options;
}

/** Tells all that is wrong rather than the first of it. */
const ALL: Options = { allErrors: true };
/** Complaints quote the value. */
const QUOTING: Options = { verbose: true };

/** By the folder whose compiled-checks.js they are put into, and the name that compiled-checks.d.ts declares there. */
const CHECKS: Readonly<Record<string, Readonly<Record<string, Check>>>> = {
  services: {
    configuration: { schema: CONFIGURATION_SCHEMA, options: ALL },
    story: { schema: STORY_SCHEMA },
    manifest: { schema: MANIFEST_SCHEMA, options: { ...QUOTING, ...ALL } },
    longManifest: { schema: MANIFEST_SCHEMA, options: QUOTING },
    savedState: { schema: SAVED_STATE_SCHEMA },
    persistedSnapshot: { schema: PERSISTED_SNAPSHOT_SCHEMA },
    context: { schema: CONTEXT_SCHEMA },
    actorInput: { schema: ACTOR_INPUT_SCHEMA },
    release: { schema: RELEASE_SCHEMA },
    stagedRelease: { schema: STAGED_RELEASE_SCHEMA },
    addedPaths: { schema: ADDED_PATHS_SCHEMA },
    journalMark: { schema: JOURNAL_MARK_SCHEMA },
    journalBody: { schema: JOURNAL_BODY_SCHEMA },
  },
  http: {
    downloadBody: { schema: orders.DOWNLOAD_BODY, options: ALL },
    updateBody: { schema: orders.UPDATE_BODY, options: ALL },
    cancelBody: { schema: orders.CANCEL_BODY, options: ALL },
    rollbackBody: { schema: orders.ROLLBACK_BODY, options: ALL },
  },
  'scripts/calling': {
    status: { schema: answers.STATUS_SCHEMA },
    versions: { schema: answers.VERSIONS_SCHEMA },
    history: { schema: answers.HISTORY_SCHEMA },
    transition: { schema: answers.TRANSITION_SCHEMA },
    progress: { schema: answers.PROGRESS_SCHEMA },
  },
};

/** The module of a folder's checks. Each has a scope of its own: ajv counts its names from one on in each. */
function moduleOf(checks: Readonly<Record<string, Check>>): string {
  const imported = new Map<string, string>();
  const parts = Object.entries(checks).map(([name, check]) => {
    // What ajv makes for modules, too, calls require.
    const code = codeOf(check).replace(/\brequire\("([^"]+)"\)/g, (_call, path: string) => {
      const known = imported.get(path) ?? `imported${imported.size}`;
      imported.set(path, known);
      return known;
    });
    return `export const ${name} = ((module) => {${code}\nreturn module.exports;})({});\n`;
  });
  const imports = [...imported].map(
    ([path, name]) => `import ${name} from '${path.replace(/(\.js)?$/, '.js')}';\n`,
  );
  return [...imports, ...parts].join('\n');
}

function codeOf({ schema, options }: Check): string {
  const formats = _`require("./orders/order-formats.js")`;
  const ajv = new Ajv({
    allowUnionTypes: true,
    ...options,
    formats: ORDER_FORMATS,
    code: { source: true, formats },
  });
  return standalone.default(ajv, ajv.compile(schema));
}

const DIST = dirname(dirname(fileURLToPath(import.meta.url)));
for (const [folder, checks] of Object.entries(CHECKS)) {
  const path = join(DIST, folder, 'compiled-checks.js');
  const code = moduleOf(checks);
  // Whoever runs the built files meanwhile is not disturbed for nothing.
  if (!existsSync(path) || readFileSync(path, 'utf8') !== code) writeFileSync(path, code);
}
