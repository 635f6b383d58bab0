import { execFile } from 'node:child_process';

export interface SystemctlAnswer {
  ok: boolean;
  stdout: string;
  /** One line for messages: what it complained about. */
  words: string;
}

/** How long systemd may take to answer, in ms; reading all unit files anew takes longer. */
const ANSWER_MS = 15_000;
export const RELOAD_MS = 90_000;

/** Calls systemctl, without a shell and with untranslated words. Never rejects. */
export function systemctl(args: readonly string[], timeoutMs = ANSWER_MS): Promise<SystemctlAnswer> {
  const options = {
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

export type Properties = ReadonlyMap<string, string>;

/**
 * Properties of units, one map for each, in the order asked for. A property that this systemd does not know is absent.
 * Rejects where systemd does not answer.
 */
export async function showUnits(units: readonly string[], names: readonly string[]): Promise<Properties[]> {
  if (units.length === 0) return [];
  const answer = await systemctl(['show', `--property=${names.join(',')}`, '--', ...units]);
  if (!answer.ok) throw new Error(`systemctl show ${units.join(' ')}: ${answer.words}`);
  return answer.stdout.trim().split('\n\n').map(parseProperties);
}

function parseProperties(block: string): Properties {
  return new Map(
    block.split('\n').map((line) => {
      const at = line.indexOf('=');
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
}
