import { closeSync, openSync, readSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

/** How long a service takes to stop once it is asked to, ms: real ones have something to put away. */
const STOP_MS = 150;

/**
 * One of the two services of the demo. It is copied into packages and runs alone, so it imports nothing but node. It
 * listens on PORT of the loopback and tells which version it is, of its program and of its data as it found them when it
 * was started.
 */
export function runService(service: string, version: string): void {
  const data = readFirstLine(join(import.meta.dirname, 'data.bin'));
  const answer = JSON.stringify({ service, version, data, pid: process.pid });
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', connection: 'close' }).end(answer);
  });
  server.listen(Number(process.env['PORT']), '127.0.0.1');
  process.once('SIGTERM', () => setTimeout(() => process.exit(0), STOP_MS));
  process.once('disconnect', () => process.exit(0));
}

function readFirstLine(path: string): string {
  const file = openSync(path, 'r');
  try {
    const start = Buffer.alloc(64);
    readSync(file, start);
    return start.subarray(0, start.indexOf('\n')).toString();
  } finally {
    closeSync(file);
  }
}
