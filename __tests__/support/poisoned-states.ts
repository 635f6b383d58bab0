import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import {
  checksumOf,
  encodeState,
  isSavedState,
  NO_RESTORES,
} from '../../services/saved-state/saved-state.js';

/** What a real updater had saved, and where its files stand. */
export interface SavedTexts {
  downloading: string;
  ready: string;
  /** A file of somebody else's: `NAME-SIZE.zip`, reached from tmp/ by a name with `../` in it. */
  victim: { name: string; size: number };
}

export interface Poison {
  what: string;
  /** What the one ERROR line must say is wrong. */
  why: RegExp;
  /** Puts it in the place of a state file. */
  put: (path: string, texts: SavedTexts) => void;
}

type Json = Record<string, unknown>;

/** A poison that is a text. */
const text = (what: string, why: RegExp, make: (texts: SavedTexts) => string | Buffer): Poison => ({
  what,
  why,
  put: (path, texts) => writeFileSync(path, make(texts)),
});

/** A whole state with a right checksum, in which one thing is changed. */
const changed = (
  what: string,
  why: RegExp,
  from: 'downloading' | 'ready',
  path: readonly string[],
  value: unknown,
): Poison =>
  text(what, why, (texts) => {
    const { snapshot } = parsed(texts[from]);
    return encodeState(withField(snapshot, path, value), NO_RESTORES, new Date().toISOString());
  });

const child = (src: string, input: unknown, status = 'active') => ({
  src,
  snapshot: { status, input },
  syncSnapshot: false,
});

/** Every way in which a state file has been found, or could be made, unusable. */
export const POISONS: readonly Poison[] = [
  text('an empty file', /not JSON: it is empty/, () => ''),
  text('a file that was cut in the middle', /not JSON: \d+ characters/, ({ ready }) =>
    ready.slice(0, ready.length / 2),
  ),
  text('zeros, as a power cut leaves them', /not JSON: \d+ characters/, ({ ready }) =>
    Buffer.alloc(ready.length),
  ),
  text('an envelope without a snapshot', /the envelope is wrong.*snapshot/, ({ ready }) =>
    ready.replace('"snapshot":', '"shot":'),
  ),
  text('a flipped digit', /the checksum does not match/, ({ ready }) =>
    ready.replace(/"size":(\d)/, (_, digit: string) => `"size":${(Number(digit) % 9) + 1}`),
  ),
  text('a schema that never was', /the envelope is wrong.*schema/, ({ ready }) => ofSchema(ready, 0)),
  text('a schema of the future', /schema 99 is newer/, ({ ready }) => ofSchema(ready, 99)),
  changed(
    'a state that the machine does not have',
    /the machine has no state .*flying/,
    'ready',
    ['value'],
    'flying',
  ),
  changed('an actor without its child', /watchTrust of the state has no child/, 'ready', ['children'], {}),
  changed(
    'an actor that has ended',
    /transfer of the state has ended/,
    'downloading',
    ['children', 'transfer', 'snapshot', 'status'],
    'done',
  ),
  changed(
    'an actor that nobody invoked',
    /the state does not invoke the actor goToFactory/,
    'ready',
    ['children', 'goToFactory'],
    child('goToFactory', { cause: { code: 'INTERNAL_ERROR', message: '', progress: 0 } }),
  ),
  changed('the status stopped', /the snapshot is wrong.*status/, 'ready', ['status'], 'stopped'),
  changed('the status error', /the snapshot is wrong.*status/, 'ready', ['status'], 'error'),
  changed('no outbox', /the context is wrong.*outbox/, 'ready', ['context', 'outbox'], undefined),
  changed(
    'a version with ../ in it',
    /the context is wrong.*order\/version/,
    'downloading',
    ['context', 'order', 'version'],
    '1.0.0/../../2',
  ),
  changed(
    'a digest with ../ in it',
    /the context is wrong.*order\/md5/,
    'downloading',
    ['context', 'order', 'md5'],
    '../../victim',
  ),
  changed(
    'a release id with ../ in it',
    /the context is wrong.*deployment/,
    'ready',
    ['context', 'deployment'],
    {
      purpose: 'update',
      to: { id: '../../000001-1.0.0', version: '1.0.0' },
      from: null,
      identity: null,
      provenBad: false,
    },
  ),
  text('an actor whose input has ../ in it', /input of the actor hashPackage is wrong/, (texts) => {
    const { name, size } = texts.victim;
    const identity = { version: '1.0.0', md5: `../../${name}`, size };
    return verifying(texts, identity);
  }),
  text('an actor that works on another package', /works on another package/, (texts) =>
    verifying(texts, { version: '1.0.0', md5: 'ab'.repeat(16), size: 5 }),
  ),
  {
    what: 'a folder',
    why: /no regular file/,
    put: (path) => mkdirSync(`${path}/inside`, { recursive: true }),
  },
  { what: 'a symlink to itself', why: /no regular file/, put: (path) => symlinkSync(path, path) },
  { what: 'an endless device', why: /no regular file/, put: (path) => symlinkSync('/dev/zero', path) },
  {
    what: 'a FIFO that nobody writes to',
    why: /no regular file/,
    put: (path) => execFileSync('mkfifo', [path]),
  },
  {
    what: 'a file of 1 GiB',
    why: /it has 1073741824 bytes/,
    put: (path) => {
      writeFileSync(path, '{');
      truncateSync(path, 2 ** 30);
    },
  },
];

function parsed(saved: string) {
  const state: unknown = JSON.parse(saved);
  if (!isSavedState(state)) throw new Error('no saved state');
  return state;
}

function ofSchema(saved: string, schema: number): string {
  const state = { ...parsed(saved), schema };
  return JSON.stringify({ ...state, checksum: checksumOf(state) });
}

/** The download as one that is being verified, by an actor with this input. */
function verifying({ downloading }: SavedTexts, identity: object): string {
  const { snapshot } = parsed(downloading);
  const hashing = withField(snapshot, ['value'], { verifying: 'hashing' });
  const children = { hashPackage: child('hashPackage', { identity, sha256: null }) };
  return encodeState(withField(hashing, ['children'], children), NO_RESTORES, new Date().toISOString());
}

function withField(json: unknown, [name, ...rest]: readonly string[], value: unknown): unknown {
  const fields: Json = typeof json === 'object' ? { ...json } : {};
  if (name === undefined) return value;
  return { ...fields, [name]: withField(fields[name], rest, value) };
}
