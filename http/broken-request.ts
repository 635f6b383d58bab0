import { STATUS_CODES } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { faultReply, TransportFault } from './envelope.js';

/**
 * Answers, in the same envelope, what is not even HTTP, has too long headers, or took too long to come. Where something
 * was written to the connection before, an answer could land within another one: it is only closed.
 */
export function answerBrokenRequest(error: Error, connection: Duplex): void {
  if (!connection.writable || !(connection instanceof Socket) || connection.bytesWritten > 0) {
    connection.destroy();
    return;
  }
  const { status, type, text } = faultReply(faultOf(error));
  connection.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nContent-Type: ${type}\r\n` +
      `Content-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`,
  );
}

function faultOf(error: Error): TransportFault {
  switch ('code' in error ? error.code : null) {
    case 'HPE_HEADER_OVERFLOW':
      return new TransportFault(431, 'the request headers are too long');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new TransportFault(408, 'the request took too long to arrive');
    default:
      return new TransportFault(400, 'the request is not HTTP/1.1');
  }
}
