import { isPackageVerdict, toUpdateError, type ErrorCode } from './errors.js';
import type { ActorFailure, Failure, UpdateContext } from './update-context.js';

/** An actor's rejection, whatever it was, as plain data for guards, actions and the saved context. */
export function failureOf(thrown: unknown): ActorFailure {
  const { code, message, facts } = toUpdateError(thrown);
  return {
    code,
    message,
    progress: Math.min(100, Math.floor(amount(facts.progress))),
    retry: facts.retry ?? 'final',
    bytesArrived: amount(facts.bytesArrived),
    retryAfterMs: facts.retryAfterMs === undefined ? null : amount(facts.retryAfterMs),
    discard: facts.discard ?? isPackageVerdict(code),
  };
}

/** The failure that an error event of an invoked actor carries. */
export function failureIn(event: object): ActorFailure {
  return failureOf('error' in event ? event.error : undefined);
}

/** `CODE: what happened`, as it stands on the wire. */
export function errorLine({ code, message }: { code: ErrorCode; message: string }): string {
  return `${code}: ${message}`;
}

/** The part of the context that says: it failed for this reason. */
export function noted(code: ErrorCode, message: string, progress = 0): { failure: Failure } {
  return { failure: { code, message, progress } };
}

/** The failure that is already noted, with more to tell; nothing where none is. */
export function amended({ failure }: UpdateContext, change: (failure: Failure) => Partial<Failure>) {
  return failure === null ? {} : { failure: { ...failure, ...change(failure) } };
}

/** A number that JSON and sums can bear: what is missing, negative, infinite or no number counts as 0. */
function amount(value: number | undefined): number {
  return Number.isFinite(value) ? Math.max(0, value ?? 0) : 0;
}
