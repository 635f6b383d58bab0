import { isUtf8 } from 'node:buffer';
import { UpdateError, wordsOf } from '../../machines/errors.js';
import type { HealthJson, ModuleJson } from './manifest-schema.js';
import { checkShape } from './manifest-shape.js';
import { checkForm } from './manifest-form.js';

/** What a package says of itself, every absent field told as null, false or an empty list. */
export interface Manifest {
  version: string;
  modules: ManifestModule[];
  minVersion: string | null;
  allowDowngrade: boolean;
  compatible: string[] | null;
}

export interface ManifestModule {
  name: string;
  /** A file's name in the ZIP, or a folder's, ending in a slash. */
  src: string;
  /** Absolute; without a slash at its end. */
  dst: string;
  processName: string | null;
  restartOrder: number | null;
  postCmds: string[];
  /** Lower-case hex. */
  sha256: string | null;
  /** As written, set-id and sticky bits included. */
  mode: number | null;
  /** Absolute paths that this version no longer has. */
  remove: string[];
  health: HealthCheck | null;
}

export type HealthCheck =
  { kind: 'http'; url: string; timeoutS: number } | { kind: 'exec'; command: string[]; timeoutS: number };

export const MANIFEST_NAME = 'manifest.json';
export const SIGNATURE_NAME = `${MANIFEST_NAME}.minisig`;
/** Package format: a larger one is refused. */
export const MANIFEST_MOST_BYTES = 1024 * 1024;

const HEALTH_TIMEOUT_S = 30;

/**
 * Reads manifest.json: its encoding, its shape, and every rule that needs neither the ZIP nor the device. Throws
 * INVALID_MANIFEST (to be discarded) naming each wrong field, its value and what was expected.
 */
export function parseManifest(bytes: Uint8Array): Manifest {
  if (bytes.length > MANIFEST_MOST_BYTES)
    throw invalid(`${MANIFEST_NAME} has ${bytes.length} bytes; ${MANIFEST_MOST_BYTES} are allowed`);
  if (!isUtf8(bytes)) throw invalid(`${MANIFEST_NAME} is not valid UTF-8`);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  const json = checkShape(parseJson(text), text.length);
  checkForm(json);
  return {
    version: json.version,
    modules: json.modules.map(moduleOf),
    minVersion: json.min_version ?? null,
    allowDowngrade: json.allow_downgrade ?? false,
    compatible: json.compatible ?? null,
  };
}

function moduleOf(json: ModuleJson): ManifestModule {
  return {
    name: json.name,
    src: json.src,
    dst: json.src.endsWith('/') ? json.dst.replace(/\/$/, '') : json.dst,
    processName: json.process_name === '' ? null : (json.process_name ?? null),
    restartOrder: json.restart_order ?? null,
    postCmds: json.post_cmds ?? [],
    sha256: json.sha256?.toLowerCase() ?? null,
    mode: typeof json.mode === 'string' ? parseInt(json.mode, 8) : null,
    remove: json.remove ?? [],
    health: healthOf(json.health ?? null),
  };
}

function healthOf(json: HealthJson | null): HealthCheck | null {
  if (json === null) return null;
  const timeoutS = json.timeout_s ?? HEALTH_TIMEOUT_S;
  if (json.http !== undefined) return { kind: 'http', url: json.http, timeoutS };
  return { kind: 'exec', command: json.exec ?? [], timeoutS };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text.startsWith('\uFEFF') ? text.slice(1) : text);
  } catch (error) {
    const words = wordsOf(error);
    throw invalid(`${MANIFEST_NAME} is not JSON: ${words}`, error);
  }
}

function invalid(words: string, cause?: unknown): UpdateError {
  return new UpdateError('INVALID_MANIFEST', words, { discard: true, cause });
}
