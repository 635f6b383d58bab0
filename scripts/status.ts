import { readConfiguration } from '../services/read-configuration.js';
import { EXIT, parseOptions, UsageError } from './command.js';

const HELP = `Usage: tope-updater status [--json] [--url URL]

Prints the stage, the progress and the message that the running updater tells at /progress.

Options:
  --json     print the answer's data as JSON, for scripts
  --url URL  where the updater listens (default: as it is configured, else http://127.0.0.1:12315)
  --help     print this

Exit codes: 0 answered, 1 no answer or the last update failed, 2 wrong usage, 78 bad configuration
`;

const ANSWER_WITHIN_MS = 5000;

/** `data` of /progress, as the wire contract has it. */
interface Status {
  stage: string;
  progress: number;
  message: string;
  error: string | null;
}

/** Prints what a running updater does. Throws where none answers within 5 s. */
export async function statusCommand(args: string[]): Promise<number> {
  const { help, json, url } = parseOptions(args, { json: { type: 'boolean' }, url: { type: 'string' } });
  if (help === true) {
    process.stdout.write(HELP);
    return EXIT.done;
  }
  const status = await askStatus(url === undefined ? await configuredUrl() : checkedUrl(url));
  process.stdout.write(json === true ? `${JSON.stringify(status)}\n` : inWords(status));
  return status.stage === 'failed' ? EXIT.failed : EXIT.done;
}

function checkedUrl(url: string): string {
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url.replace(/\/+$/, '');
  throw new UsageError(`--url is ${JSON.stringify(url)}: expected an http or https URL`);
}

async function configuredUrl(): Promise<string> {
  const { host, port } = (await readConfiguration(process.env)).configuration;
  // An updater that listens on all addresses is asked on loopback, where its Host check knows it.
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

async function askStatus(base: string): Promise<Status> {
  const url = `${base}/api/v1.0/progress`;
  let body: unknown;
  try {
    body = await (await fetch(url, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) })).json();
  } catch (error) {
    throw new Error(`no updater answers at ${url}: ${reasonOf(error)}`, { cause: error });
  }
  const data = isRecord(body) ? body['data'] : null;
  if (isStatus(data)) return data;
  throw new Error(`what answers at ${url} is no updater: ${JSON.stringify(body).slice(0, 200)}`);
}

/** fetch says only "fetch failed" and gives the reason as its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isStatus(data: unknown): data is Status {
  return (
    isRecord(data) &&
    typeof data['stage'] === 'string' &&
    typeof data['progress'] === 'number' &&
    typeof data['message'] === 'string' &&
    (data['error'] === null || typeof data['error'] === 'string')
  );
}

function inWords({ stage, progress, message, error }: Status): string {
  return `${stage} ${progress} %: ${message}\n${error === null ? '' : `error: ${error}\n`}`;
}
