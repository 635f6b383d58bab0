import http from 'node:http';
import https from 'node:https';

export interface HttpAnswer {
  status: number;
  /** As text; cut off at MAX_BODY_BYTES. */
  body: string;
}

const MAX_BODY_BYTES = 64 * 1024;

/**
 * One GET, with a limit in ms on all of it. Redirects are not followed. Rejects with an error whose message is fit for
 * people where no whole answer came (`connect ECONNREFUSED 127.0.0.1:80`, `no answer within 3000 ms`).
 */
export function httpGet(url: URL, timeoutMs: number): Promise<HttpAnswer> {
  const { get } = url.protocol === 'https:' ? https : http;
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false, headers: { accept: 'application/json' } }, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      const finish = () => {
        const body = Buffer.concat(chunks).subarray(0, MAX_BODY_BYTES).toString('utf8');
        resolve({ status: response.statusCode ?? 0, body });
        request.destroy();
      };
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes >= MAX_BODY_BYTES) finish();
      });
      response.once('end', finish);
      response.once('error', fail);
    });
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    const fail = (error: Error) => reject(new Error(reasonOf(error), { cause: error }));
    request.once('error', fail);
    request.once('close', () => clearTimeout(timer));
  });
}

/** Where a name has several addresses and none answers, node's error has the reasons but no words of its own. */
function reasonOf(error: Error): string {
  if (!(error instanceof AggregateError)) return error.message;
  const [first] = error.errors.filter((one) => one instanceof Error);
  return first?.message ?? 'no answer';
}
