import type { Stage } from '../../machines/stage.js';
import { printable } from '../../services/log/log-line.js';
import type { Client, Envelope } from './client.js';
import { EXIT } from '../command.js';
import { viewOn } from './progress-view.js';
import { showUntil } from './show-until.js';

/** The updater refused an order: its own words. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

/**
 * Gives an order and answers with what the updater says to it; with `asJson` that is printed as it came. Throws Refused,
 * NoAnswer or NoUpdater.
 */
export async function giveOrder(
  client: Client,
  path: string,
  body: object,
  asJson: boolean,
): Promise<Envelope> {
  const answer = await client.order(path, body);
  if (asJson) process.stdout.write(`${JSON.stringify(answer)}\n`);
  if (answer.code !== 200) throw new Refused(answer.msg);
  return answer;
}

/** A field of an answer's data, as text; '' where there is none. */
export function wordIn({ data }: Envelope, field: string): string {
  const value = new Map(Object.entries<unknown>({ ...(typeof data === 'object' ? data : {}) })).get(field);
  return typeof value === 'string' ? printable(value) : '';
}

/** The stages that show that a goal is reached: somebody else may have gone on from it at once. */
const REACHED = {
  toInstall: ['toInstall', 'installing', 'rebooting', 'success'],
  success: ['success'],
} as const satisfies Record<string, readonly Stage[]>;

/** Shows an update until it is at `goal`; answers with the exit code: 1 where it ended elsewhere. */
export async function showUntilGoal(
  client: Client,
  goal: keyof typeof REACHED,
  asJson: boolean,
): Promise<number> {
  const end = await showUntil(client, viewOn(process.stdout, asJson), ({ stage }) => {
    if (REACHED[goal].some((one) => one === stage)) return 'reached';
    if (stage === 'failed') return 'failed';
    // Somebody else has cancelled it, or it had ended long before an updater that was away could be asked again.
    return stage === 'idle' ? 'elsewhere' : null;
  });
  if (end === 'reached') return EXIT.done;
  if (end === 'elsewhere') tell('it ended otherwise; see tope-updater history');
  if (end === null) tell('this does not wait any more; see tope-updater watch');
  return EXIT.failed;
}

function tell(words: string): void {
  process.stderr.write(`tope-updater: ${words}\n`);
}
