import { isPackageVerdict, UpdateError } from '../../machines/errors.js';
import { MAX_FETCHED_FACTOR } from '../../machines/guards.js';
import { isSamePackage, type PackageIdentity, type PackageOrder } from '../../machines/package-order.js';
import type { Transferred } from '../../machines/update-context.js';
import type { Clock } from '../clock.js';
import { look, removeFile } from '../disk.js';
import type { Log } from '../log/log.js';
import { noteDeadBuffer } from '../package/dead-buffers.js';
import { packagePath, tidyPackages } from '../work-folder.js';
import { askServer, WireFailure, type Answer } from './ask-server.js';
import type { Connections } from './connections.js';
import { diskFailure } from './disk-failure.js';
import { judgeAnswer, refusal, type Asked } from './judge-answer.js';
import { Partial } from './partial.js';
import { TunnelRefused } from './proxy-tunnel.js';
import type { Pace } from './rate-limit.js';
import { shownUrl } from './shown-url.js';
import { SilenceWatch } from './silence-watch.js';
import { validatorOf } from './validator.js';
import { wireFailure, type Reached } from './wire-failure.js';

/** A connection that brings nothing for so long is dropped. */
const STALL_MS = 30_000;

/** All that a transfer is made from. */
export interface TransferParts {
  tmpDir: string;
  /** The order as it is now: its URL may be fresher than the one of the request before. */
  order: () => PackageOrder | null;
  /** Bytes that the requests before this one have brought for the order; 0 where it is absent. */
  fetchedBefore?: () => number;
  clock: Clock;
  log: Log;
  onProgress: (bytesOnDisk: number, size: number) => void;
  /** Makes room for what is still to fetch, or throws DISK_FULL; called before the first byte of the body. */
  makeRoom?: (bytesNeeded: number) => Promise<void>;
  /** How fast bytes may be taken; as fast as they come where it is absent. */
  pace?: Pace;
  stallMs?: number;
  /** How the server is reached; directly where it is absent. */
  connections?: Connections;
}

/**
 * Fetches what is missing of the package with one request at most; asking again is the machine's to decide. Bytes that
 * arrived stay on disk for the next request, unless the error says `discard`: then they are gone already.
 */
export async function transferPackage(
  identity: PackageIdentity,
  signal: AbortSignal,
  parts: TransferParts,
): Promise<Transferred> {
  const order = parts.order();
  if (order === null || !isSamePackage(order, identity)) {
    throw new UpdateError('DOWNLOAD_FAILED', `${identity.version} is not what is ordered`);
  }
  const { tmpDir } = parts;
  let partial: Partial | null = null;
  try {
    await tidyPackages(tmpDir, 'partial', identity);
    if (await isPackageThere(tmpDir, identity)) {
      // A process that was killed between the last two steps of a download has left notes.
      await tidyPackages(tmpDir, 'package', identity);
      return wasThere(identity, parts);
    }
    partial = await Partial.open(tmpDir, identity, parts.clock().bootId);
    parts.onProgress(partial.length, identity.size);
    if (partial.missing > 0) {
      const resumed = await fetchMissing(partial, order, signal, parts);
      await partial.finish();
      return { resumed, bytesArrived: partial.arrived };
    }
    await partial.finish();
    return wasThere(identity, parts);
  } catch (thrown) {
    const error =
      thrown instanceof UpdateError
        ? thrown
        : await diskFailure(thrown, tmpDir, partial?.missing ?? identity.size);
    const { code, message, facts } = error;
    const discard = facts.discard ?? (code === 'DISK_FULL' || isPackageVerdict(code));
    if (discard && partial !== null) await drop(partial, parts.log);
    const bytesArrived = partial?.arrived ?? 0;
    throw new UpdateError(code, message, { retry: 'final', ...facts, discard, bytesArrived });
  } finally {
    await partial?.close();
  }
}

async function isPackageThere(tmpDir: string, identity: PackageIdentity): Promise<boolean> {
  const path = packagePath(tmpDir, identity);
  const there = await look(path);
  if (there === null) return false;
  if (there.isFile() && there.size === identity.size) return true;
  await removeFile('partial.remove', path);
  return false;
}

/** Nobody knows any more how these bytes came together: they count as resumed, so that a wrong digest starts over. */
function wasThere({ version, size }: PackageIdentity, { log, onProgress }: TransferParts): { resumed: true } {
  log.info('package is on disk already', { version, bytes: size });
  onProgress(size, size);
  return { resumed: true };
}

async function drop(partial: Partial, log: Log): Promise<void> {
  try {
    await partial.drop();
  } catch (error) {
    log.warn('cannot remove the partial', { error: String(error) });
  }
}

/** One request. Answers, once the last byte is written, whether bytes of an earlier one are before it. */
async function fetchMissing(
  partial: Partial,
  order: PackageOrder,
  signal: AbortSignal,
  { fetchedBefore, clock, log, onProgress, makeRoom, pace, stallMs = STALL_MS, connections }: TransferParts,
): Promise<boolean> {
  const { size, version } = order;
  const url = urlOf(order);
  const ceiling = MAX_FETCHED_FACTOR * size - (fetchedBefore?.() ?? 0);
  const asked = { size, start: partial.length, validator: partial.validator };
  const watch = new SilenceWatch(stallMs);
  let from = shownUrl(url);
  let answer: Answer | null = null;
  let isAnswered = false;
  let resumed = false;
  log.info('asks for the package', { version, url: from, fromByte: asked.start, size });
  try {
    watch.listen();
    answer = await askServer(url, rangeHeaders(asked), AbortSignal.any([signal, watch.signal]), connections);
    watch.rest();
    from = answer.from;
    resumed = judgeAnswer(answer, asked, clock()).from > 0;
    isAnswered = true;
    if (!resumed) await partial.empty();
    await makeRoom?.(partial.missing);
    if (!resumed) await partial.begin(validatorOf(answer.headers));
    watch.listen();
    for await (const chunk of answer.body) {
      watch.rest();
      if (chunk.length > partial.missing) throw tooMany(from, size);
      if (partial.arrived + chunk.length > ceiling) throw tooOften(from, size);
      await partial.append(chunk);
      noteDeadBuffer(chunk.length);
      onProgress(partial.length, size);
      if (partial.missing > 0) await pace?.(chunk.length, signal);
      watch.listen();
    }
    if (partial.missing > 0) throw tooFew(from, partial.length, size);
    log.info('package fetched', { version, url: from, bytes: partial.arrived, resumed });
    return resumed;
  } catch (thrown) {
    if (thrown instanceof TunnelRefused) throw refusal(thrown.answer, clock());
    if (!(thrown instanceof WireFailure)) throw thrown;
    if (signal.aborted) throw new UpdateError('CANCELLED', 'the download was stopped');
    // Whole is whole, however the connection ends behind the last byte.
    if (isAnswered && partial.missing === 0) return resumed;
    const reached = { from: thrown.from, bytes: partial.length, size, isAnswered };
    if (watch.signal.aborted) throw stalled(reached, stallMs);
    throw wireFailure(thrown.cause, reached, clock());
  } finally {
    watch.rest();
    answer?.end();
  }
}

function urlOf({ url }: PackageOrder): URL {
  if (URL.canParse(url)) {
    const parsed = new URL(url);
    if (parsed.protocol === 'http:' || parsed.protocol === 'https:') return parsed;
  }
  throw new UpdateError('DOWNLOAD_FAILED', 'package_url is not an http or https URL');
}

/** The rest is only wanted if it is of the same file as the beginning. Where no server named it, the digest decides. */
function rangeHeaders({ start, validator }: Asked): Record<string, string> {
  if (start === 0) return {};
  const range = `bytes=${start}-`;
  return validator === null ? { range } : { range, 'if-range': validator.value };
}

function tooMany(from: string, size: number): UpdateError {
  const message = `${from} sends more than the ${size} bytes that were ordered`;
  return new UpdateError('PACKAGE_SIZE_MISMATCH', message);
}

/** A server that forgets what it was asked for must not use up a customer's data plan. */
function tooOften(from: string, size: number): UpdateError {
  const most = MAX_FETCHED_FACTOR * size;
  const message = `${from} brought ${most} bytes and not the package of ${size}: no more is fetched`;
  return new UpdateError('DOWNLOAD_FAILED', message);
}

function tooFew(from: string, bytes: number, size: number): UpdateError {
  const message = `${from} ended at ${bytes} of ${size} bytes`;
  return new UpdateError('INCOMPLETE_DOWNLOAD', message, { retry: 'retry' });
}

function stalled({ from, bytes, size }: Reached, stallMs: number): UpdateError {
  const message = `${from} brought nothing for ${stallMs / 1000} s, at ${bytes} of ${size} bytes`;
  return new UpdateError('DOWNLOAD_FAILED', message, { retry: 'retry' });
}
