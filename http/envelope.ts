import { ERRORS, toUpdateError, type ErrorCode, type UpdateError } from '../machines/errors.js';
import type { Stage } from '../machines/stage.js';
import { jsonReply, type Reply } from './reply.js';

/** What stands beside `code` where an error is about what is going on. */
export interface StageNow {
  stage: Stage;
  /** Integer percent. */
  progress: number;
}

/** The one form of every JSON answer of the wire contract. */
export interface Envelope extends Partial<StageNow> {
  code: number;
  msg: string;
  data?: object;
}

/** The envelope of an order or question that was answered as wished. */
export function success(data: object, msg = 'success'): Envelope {
  return { code: 200, msg, data };
}

/** The envelope of an error of the table: `CODE: message`, and the stage where the error is about what is going on. */
function refusal(error: UpdateError, now: () => StageNow): Envelope {
  const { code, line } = error;
  const beside = isAboutWhatGoesOn(code) ? now() : {};
  return { code: ERRORS[code].answer, msg: line, ...beside };
}

/** A request that is no order or question at all; the only answers whose HTTP status is not 200. */
export class TransportFault extends Error {
  override readonly name = 'TransportFault';
  readonly status: number;
  readonly code: ErrorCode;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    message: string,
    { code = 'VALIDATION_ERROR', headers = {} }: { code?: ErrorCode; headers?: Record<string, string> } = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** The answer to a transport fault: its HTTP status, also as the envelope's `code`. */
export function faultReply({ status, code, message, headers }: TransportFault): Reply {
  return jsonReply({ code: status, msg: `${code}: ${message}` }, status, headers);
}

/** The answer to anything thrown. What is no error of the table is told as INTERNAL_ERROR. */
export function errorReply(thrown: unknown, now: () => StageNow): Reply {
  if (thrown instanceof TransportFault) return faultReply(thrown);
  return jsonReply(refusal(toUpdateError(thrown), now));
}

/** The wire contract's 409 (conflict with what is going on) and 410 (expired). */
function isAboutWhatGoesOn(code: ErrorCode): boolean {
  const { answer } = ERRORS[code];
  return answer === 409 || answer === 410;
}
