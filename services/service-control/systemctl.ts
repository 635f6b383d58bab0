import { execFile } from 'node:child_process';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';

export interface SystemctlAnswer {
  ok: boolean;
  stdout: string;
  /** One line for messages: what it complained about. */
  words: string;
}

/** How long systemd may take to answer, in ms; reading all unit files anew takes longer. */
const ANSWER_MS = 15_000;
export const RELOAD_MS = 90_000;

/**
 * What systemctl says where systemd, or the message bus, has hung up without an answer: while it executes itself anew, and
 * early in a boot. All that is asked for here may be asked for twice.
 */
const HUNG_UP =
  /Transport endpoint is not connected|disconnected from message bus|Connection reset by peer|Connection refused|Failed to connect to/;
/** For how long systemd is asked again, and how often, in ms. */
const HUNG_UP_MS = 5_000;
const AGAIN_MS = 100;

/**
 * Calls systemctl, without a shell and with untranslated words; where systemd hangs up, again for 5 s. Never rejects: what
 * takes longer, or goes on when the signal is aborted, is ended (which takes back no order that systemd has got).
 */
export async function systemctl(
  args: readonly string[],
  timeoutMs = ANSWER_MS,
  signal?: AbortSignal,
): Promise<SystemctlAnswer> {
  const until = performance.now() + HUNG_UP_MS;
  for (;;) {
    const answer = await callOnce(args, timeoutMs, signal);
    const isFinal = answer.ok || !HUNG_UP.test(answer.words) || signal?.aborted === true;
    if (isFinal || performance.now() > until) return answer;
    await delay(AGAIN_MS);
  }
}

function callOnce(
  args: readonly string[],
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<SystemctlAnswer> {
  const options = {
    ...(signal === undefined ? {} : { signal }),
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    maxBuffer: 4 * 1024 * 1024,
    env: { PATH: process.env['PATH'], LC_ALL: 'C', SYSTEMD_COLORS: '0' },
  } as const;
  return new Promise((resolve) => {
    execFile('systemctl', ['--no-pager', '--no-ask-password', ...args], options, (error, stdout, stderr) => {
      const complaint = error?.killed === true ? `no answer within ${timeoutMs} ms` : (error?.message ?? '');
      resolve({ ok: error === null, stdout, words: stderr.trim().replaceAll('\n', '; ') || complaint });
    });
  });
}

let forgetting: { units: Set<string>; answer: Promise<SystemctlAnswer> } | null = null;

/** Forgets failures of a unit. What is asked for in one turn of the event loop costs one call of systemctl. */
export function resetFailed(unit: string): Promise<SystemctlAnswer> {
  if (forgetting === null) {
    const units = new Set<string>();
    const answer = nextTurn().then(() => {
      forgetting = null;
      return systemctl(['reset-failed', '--', ...units]);
    });
    forgetting = { units, answer };
  }
  forgetting.units.add(unit);
  return forgetting.answer;
}

export type Properties = ReadonlyMap<string, string>;

/** Questions of one turn of the event loop that ask for the same properties; they are one call. */
interface Question {
  units: Set<string>;
  answer: Promise<Map<string, Properties>>;
}
const open = new Map<string, Question>();

/**
 * Properties of units, one map for each, in the order asked for. A property that this systemd does not know is absent.
 * What is asked for together costs one call of systemctl. Rejects where systemd does not answer.
 */
export async function showUnits(units: readonly string[], names: readonly string[]): Promise<Properties[]> {
  if (units.length === 0) return [];
  const properties = names.join(',');
  const question = open.get(properties) ?? openQuestion(properties);
  for (const unit of units) question.units.add(unit);
  const answer = await question.answer;
  return units.map((unit) => answer.get(unit) ?? new Map<string, string>());
}

function openQuestion(properties: string): Question {
  const units = new Set<string>();
  const answer = nextTurn().then(() => {
    open.delete(properties);
    return ask([...units], properties);
  });
  const question = { units, answer };
  open.set(properties, question);
  return question;
}

async function ask(units: readonly string[], properties: string): Promise<Map<string, Properties>> {
  const answer = await systemctl(['show', `--property=${properties}`, '--', ...units]);
  if (!answer.ok) throw new Error(`systemctl show ${units.join(' ')}: ${answer.words}`);
  const blocks = answer.stdout.trim().split('\n\n').map(parseProperties);
  return new Map(units.map((unit, at) => [unit, blocks[at] ?? new Map<string, string>()]));
}

function parseProperties(block: string): Properties {
  return new Map(
    block.split('\n').map((line) => {
      const at = line.indexOf('=');
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
}
