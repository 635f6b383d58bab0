import type { Age, Instant } from './clock.js';
import type { ErrorCode, RetryAdvice } from './errors.js';
import { identityOf, type PackageIdentity, type PackageOrder, type ReleaseName } from './package-order.js';
import { EMPTY_OUTBOX, type ReportOutbox } from './report-outbox.js';

/** Why an update failed, as `/progress` and device-api are told. */
export interface Failure {
  code: ErrorCode;
  message: string;
  /** Percent of the stage where it stopped. */
  progress: number;
}

/** How the requests of the download that is going on have fared. */
export interface Attempts {
  /** Requests since the last one that brought a byte. */
  empty: number;
  /** All requests of this order. */
  total: number;
  /** Bytes that all requests of this order have brought. */
  bytes: number;
  /** Since when there has been no network at all; null while there is one. */
  networkLostAt: Instant | null;
  /** How long to wait before the next request, in ms. */
  nextDelayMs: number;
  /** The bytes on disk came in more than one request, so a wrong digest may be a splice. */
  resumed: boolean;
  /** A wrong digest has already made the download start over from byte 0. */
  startedOver: boolean;
}

/** What a transfer that ends well tells: `bytesArrived` is absent where no request was needed. */
export interface Transferred {
  resumed: boolean;
  bytesArrived?: number;
}

/** What inspecting found out about the package that is ready. */
export interface PackageFacts {
  modules: number;
  /** Bytes that the modules inflate to. */
  inflatedBytes: number;
  /** Key id of the signature (hex), null for an unsigned package. */
  signedBy: string | null;
  /** Things that are allowed but worth saying. */
  warnings: string[];
}

/** The switch from the live release to the wanted one. */
export interface Deployment {
  purpose: 'update' | 'rollback';
  /** The release that is wanted; for an update its id is known once it is staged. */
  to: { id: string | null; version: string };
  /** The release that is live; null before the first one. */
  from: ReleaseName | null;
  /** Where the contents come from; null where they come from the store. */
  identity: PackageIdentity | null;
  /** The version is bad: it failed after the switch had begun. */
  provenBad: boolean;
}

/** What of a package shall stay in the work folder when nothing is going on. */
export type Kept = 'nothing' | 'partial' | 'package';

/** Everything the machine remembers; plain JSON. Progress counts are not here: they change too often to be saved. */
export interface UpdateContext {
  order: PackageOrder | null;
  attempts: Attempts;
  facts: PackageFacts | null;
  /** How long the package has been verified. */
  trust: Age | null;
  deployment: Deployment | null;
  failure: Failure | null;
  /** Why the last UPDATE was not carried out although the machine stayed ready. */
  refusal: { code: ErrorCode; message: string } | null;
  /** How long the machine has been done. */
  doneFor: Age | null;
  kept: Kept;
  /** What people should know about the last deployment: files kept beside, capabilities lost. */
  notices: string[];
  outbox: ReportOutbox;
}

export const NO_ATTEMPTS: Attempts = {
  empty: 0,
  total: 0,
  bytes: 0,
  networkLostAt: null,
  nextDelayMs: 0,
  resumed: false,
  startedOver: false,
};

export const INITIAL_CONTEXT: UpdateContext = {
  order: null,
  attempts: NO_ATTEMPTS,
  facts: null,
  trust: null,
  deployment: null,
  failure: null,
  refusal: null,
  doneFor: null,
  kept: 'nothing',
  notices: [],
  outbox: EMPTY_OUTBOX,
};

/** An actor's error as plain data, whatever was thrown. */
export interface ActorFailure extends Failure {
  retry: RetryAdvice;
  bytesArrived: number;
  retryAfterMs: number | null;
  discard: boolean;
}

const NO_PACKAGE: PackageIdentity = { version: '', md5: '', size: 0 };
const NO_DEPLOYMENT: Deployment = {
  purpose: 'update',
  to: { id: null, version: '' },
  from: null,
  identity: null,
  provenBad: false,
};

/**
 * The identity of the package that is being worked on, as an actor's input. A state that works on a package always
 * has an order (the restore gate checks it); were it missing, the actor would find no such package and fail.
 */
export function orderOf({ order }: UpdateContext): PackageIdentity {
  return order === null ? NO_PACKAGE : identityOf(order);
}

/** What of which package shall stay on disk, as an actor's input. */
export function keptPackageOf({ kept, order }: UpdateContext): {
  kept: Kept;
  identity: PackageIdentity | null;
} {
  return { kept, identity: order === null ? null : identityOf(order) };
}

/** The deployment that is going on, as an actor's input; see orderOf. */
export function deploymentOf({ deployment }: UpdateContext): Deployment {
  return deployment ?? NO_DEPLOYMENT;
}

/** The first cause of a way back. */
export function causeOf({ failure }: UpdateContext): Failure {
  return failure ?? { code: 'INTERNAL_ERROR', message: 'no cause was recorded', progress: 0 };
}

/** The version that failed after the switch had begun, with the reason; null where none did. */
export function badVersionOf({
  deployment,
  failure,
}: UpdateContext): { version: string; why: string } | null {
  if (deployment === null || failure === null || !deployment.provenBad) return null;
  return { version: deployment.to.version, why: `${failure.code}: ${failure.message}` };
}
