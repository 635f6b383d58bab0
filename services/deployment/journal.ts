import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';
import { UpdateError, type ErrorCode } from '../../machines/errors.js';
import type { ReleaseName } from '../../machines/package-order.js';
import type { JournalPhase } from '../../machines/update-events.js';
import { journalBody, journalMark } from '../compiled-checks.js';
import { isSystemError, removeFile, syncFolder, writeDurably, writeInPlace } from '../disk.js';
import { JOURNAL_FORMAT } from './journal-schema.js';
import type { Operation } from './operation.js';
import type { HealthCheck } from '../package/manifest.js';

/** A unit of the plan, as it was before the first stop. */
export interface PlannedUnit {
  unit: string;
  /** Lower starts earlier; null starts last and stops first. */
  order: number | null;
  wasActive: boolean;
  /** A module names it, so that the wanted release starts it even where it was not active. */
  named: boolean;
  /** A socket, timer or path that would start a unit of the plan again. */
  isTrigger: boolean;
  /** The wanted release has its program and unit file. */
  startsInWanted: boolean;
  /** The release that is left has its program and unit file. */
  startsInLeft: boolean;
}

/** A health check and the unit that it is about. */
export interface UnitHealth {
  unit: string;
  check: HealthCheck;
}

/** All that going on and going back need; written before the first stop, and again once everything is stopped. */
export interface JournalBody {
  purpose: 'update' | 'rollback' | 'factory';
  /** What was live; null before the first update. */
  from: ReleaseName | null;
  to: ReleaseName;
  /** The id under which what is left is recorded. */
  leftId: string;
  /** The pointers as they were. */
  pointers: { current: string | null; previous: string | null; factory: string | null };
  operations: Operation[];
  /** Folders to be made before the switch, outermost first. */
  newFolders: string[];
  /** Folders to be removed after the switch where they are empty, innermost first. */
  oldFolders: string[];
  /** In the order of starting. */
  plan: PlannedUnit[];
  unitFilesChange: boolean;
  postCommands: string[];
  health: UnitHealth[];
  /** Health checks of the release that is left. */
  leftHealth: UnitHealth[];
  /** The roots and the inodes of their folders: another inode means that the root is not mounted. */
  roots: { path: string; ino: number }[];
}

/** What changes while the deployment goes on; marked in place. */
export interface JournalHead {
  phase: JournalPhase;
  cause: { code: ErrorCode; message: string } | null;
  postCommandsDone: number;
  /** Boots that have found the journal in phase switched, and the id of the last of them. */
  boots: number;
  lastBoot: string | null;
  /** Whether it ever was in phase switching: before that no file is touched, and there is nothing to roll back. */
  hasSwitched: boolean;
}

interface Slot extends JournalHead {
  sequence: number;
  bodyArea: 0 | 1;
  bodyBytes: number;
  bodySha256: string;
}

const HEAD_BYTES = 8192;
const BODIES_AT = 2 * HEAD_BYTES;
/** Room, packed, for what edits found after the stop add to the operations. */
const SPARE_BYTES = 65_536;
const MAX_CAUSE_CHARACTERS = 1000;

const pack = promisify(deflateRaw);
const unpack = promisify(inflateRaw);

function isMark(value: unknown): value is { slot: Slot; areaBytes: number } {
  return journalMark(value);
}

function isBody(value: unknown): value is JournalBody {
  return journalBody(value);
}

/**
 * The switch journal: written ahead, and outranking the state file. A preallocated, zero-filled file with two head
 * slots (the newest whole one counts) and two areas for the body, so that marking a phase needs no new room on the disk
 * and a torn write leaves the mark before it in force. The body names each file several times over, so it is packed.
 */
export class Journal {
  readonly path: string;
  body: JournalBody;
  #slot: Slot;
  readonly #areaBytes: number;

  private constructor(path: string, body: JournalBody, slot: Slot, areaBytes: number) {
    this.path = path;
    this.body = body;
    this.#slot = slot;
    this.#areaBytes = areaBytes;
  }

  get head(): JournalHead {
    return this.#slot;
  }

  /** Makes the journal in phase stopping, durably; one that is there is replaced (the last resort after a failed way back). */
  static async create(path: string, body: JournalBody, cause: JournalHead['cause'] = null): Promise<Journal> {
    const bytes = await packed(body);
    const areaBytes = bytes.length + Math.ceil(bytes.length / 4) + SPARE_BYTES;
    const slot: Slot = {
      sequence: 1,
      phase: 'stopping',
      cause: shortened(cause),
      postCommandsDone: 0,
      boots: 0,
      lastBoot: null,
      hasSwitched: false,
      bodyArea: 0,
      bodyBytes: bytes.length,
      bodySha256: sha256(bytes),
    };
    const heads = Buffer.alloc(BODIES_AT);
    encodeSlot(slot, areaBytes).copy(heads, HEAD_BYTES);
    const bodies = Buffer.alloc(2 * areaBytes);
    bytes.copy(bodies);
    // In pieces: what is written at once may be cached as one, and a mark would then dirty all of it.
    await writeDurably(cause === null ? 'journal.create' : 'journal.replace', path, [heads, bodies], 0o600);
    return new Journal(path, body, slot, areaBytes);
  }

  /** The journal at a path, or null where there is none. Throws DEPLOYMENT_FAILED where it cannot be understood. */
  static async read(path: string): Promise<Journal | null> {
    let file: Buffer;
    try {
      file = await readFile(path);
    } catch (error) {
      if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return null;
      throw error;
    }
    const slots = [0, HEAD_BYTES].map((at) => decodeSlot(file.subarray(at, at + HEAD_BYTES)));
    const whole = slots.filter((slot) => slot !== null).sort((a, b) => b.slot.sequence - a.slot.sequence);
    for (const { slot, areaBytes } of whole) {
      const at = BODIES_AT + slot.bodyArea * areaBytes;
      const bytes = file.subarray(at, at + slot.bodyBytes);
      if (sha256(bytes) !== slot.bodySha256) continue;
      const body: unknown = JSON.parse((await unpack(bytes)).toString('utf8'));
      if (isBody(body)) return new Journal(path, body, slot, areaBytes);
    }
    throw new UpdateError('DEPLOYMENT_FAILED', `the journal ${path} is damaged: no slot of it is whole`);
  }

  /** Marks a change of the head durably, in place. */
  async mark(change: Partial<JournalHead>): Promise<void> {
    const hasSwitched = this.#slot.hasSwitched || change.phase === 'switching';
    const cause = shortened(change.cause ?? this.#slot.cause);
    await this.#write({ ...this.#slot, ...change, hasSwitched, cause });
  }

  /** Writes the body anew (into the other area) and marks it as the one that counts. */
  async rewrite(body: JournalBody): Promise<void> {
    const bytes = await packed(body);
    if (bytes.length > this.#areaBytes) {
      throw new UpdateError(
        'DEPLOYMENT_FAILED',
        `the journal has room for ${this.#areaBytes} bytes, ${bytes.length} are needed: too many files were written while services stopped`,
      );
    }
    const bodyArea = this.#slot.bodyArea === 0 ? 1 : 0;
    await this.#write(
      { ...this.#slot, bodyArea, bodyBytes: bytes.length, bodySha256: sha256(bytes) },
      { bytes, at: BODIES_AT + bodyArea * this.#areaBytes },
    );
    this.body = body;
  }

  /** Removes the journal durably: for an update that is the commit. */
  async remove(): Promise<void> {
    await removeFile('journal.remove', this.path);
    await syncFolder('journal.remove', dirname(this.path));
  }

  async #write(slot: Slot, body: { bytes: Buffer; at: number } | null = null): Promise<void> {
    const next = { ...slot, sequence: this.#slot.sequence + 1 };
    await writeInPlace('journal.mark', this.path, [
      ...(body === null ? [] : [body]),
      { bytes: encodeSlot(next, this.#areaBytes), at: (next.sequence % 2) * HEAD_BYTES },
    ]);
    this.#slot = next;
  }
}

function shortened(cause: JournalHead['cause']): JournalHead['cause'] {
  return cause === null ? null : { code: cause.code, message: cause.message.slice(0, MAX_CAUSE_CHARACTERS) };
}

function packed(body: JournalBody): Promise<Buffer> {
  return pack(Buffer.from(JSON.stringify(body)));
}

function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function encodeSlot(slot: Slot, areaBytes: number): Buffer {
  const json = JSON.stringify({ format: JOURNAL_FORMAT, slot, areaBytes });
  const head = Buffer.alloc(HEAD_BYTES);
  const length = head.write(`${sha256(json)} ${json}\n`);
  if (length >= HEAD_BYTES)
    throw new UpdateError('INTERNAL_ERROR', `a journal mark of ${json.length} characters`);
  return head;
}

function decodeSlot(bytes: Buffer): { slot: Slot; areaBytes: number } | null {
  const end = bytes.indexOf('\n');
  const [checksum, json] = [bytes.toString('utf8', 0, 64), bytes.toString('utf8', 65, Math.max(end, 65))];
  if (sha256(json) !== checksum) return null;
  const parsed: unknown = JSON.parse(json);
  return isMark(parsed) ? parsed : null;
}
