import type { TopState } from '../../machines/stage.js';
import type { UpdateContext } from '../../machines/update-context.js';

/** Bytes and requests of one order's download so far. */
type Fetched = Pick<UpdateContext['attempts'], 'bytes' | 'total'>;

/** Figures since the process started, as Prometheus reads them (text exposition format 0.0.4). */
export class Metrics {
  readonly #fetched = { bytes: 0, requests: 0, retries: 0 };
  #seen: Fetched;
  readonly #updates = new Map<string, number>();
  readonly #stateSeconds = new Map<TopState, number>();

  /** What the order that is gone on with has fetched before this process is not counted again. */
  constructor(before: Fetched = { bytes: 0, total: 0 }) {
    this.#seen = before;
  }

  /** What the order that is going on has fetched by now; less than before is another order. */
  countFetched({ bytes, total }: Fetched): void {
    const isAnother = total < this.#seen.total || bytes < this.#seen.bytes;
    const seen = isAnother ? { bytes: 0, total: 0 } : this.#seen;
    const requests = total - seen.total;
    this.#fetched.bytes += bytes - seen.bytes;
    this.#fetched.requests += requests;
    this.#fetched.retries += seen.total === 0 ? Math.max(0, requests - 1) : requests;
    this.#seen = { bytes, total };
  }

  /** One order has come to its end: `success`, or the code of its error. */
  countOutcome(outcome: string): void {
    this.#updates.set(outcome, (this.#updates.get(outcome) ?? 0) + 1);
  }

  countTime(state: TopState, ms: number): void {
    this.#stateSeconds.set(state, (this.#stateSeconds.get(state) ?? 0) + ms / 1000);
  }

  text(state: TopState, freeBytes: number): string {
    const { bytes, requests, retries } = this.#fetched;
    const lines = [
      ...family(
        'tope_updates_total',
        'counter',
        'Orders that came to an end, by outcome',
        'outcome',
        this.#updates,
      ),
      ...family('tope_state_seconds_total', 'counter', 'Time spent in a state', 'state', this.#stateSeconds),
      ...family('tope_state', 'gauge', 'The state that the machine is in', 'state', new Map([[state, 1]])),
      ...single('tope_fetched_bytes_total', 'counter', 'Bytes fetched of packages', bytes),
      ...single('tope_requests_total', 'counter', 'Requests for packages', requests),
      ...single('tope_retries_total', 'counter', 'Requests after the first one of an order', retries),
      ...single('tope_free_bytes', 'gauge', 'Bytes that are free in the managed root', freeBytes),
      ...single('tope_resident_bytes', 'gauge', 'Resident memory of the updater', process.memoryUsage.rss()),
    ];
    return `${lines.join('\n')}\n`;
  }
}

function family(
  name: string,
  type: string,
  help: string,
  label: string,
  rows: ReadonlyMap<string, number>,
): string[] {
  const samples = [...rows].map(([value, count]) => `${name}{${label}="${value}"} ${count}`);
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples];
}

function single(name: string, type: string, help: string, value: number): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, `${name} ${value}`];
}
