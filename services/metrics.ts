import type { TopState } from '../machines/stage.js';

/** Figures since the process started, as Prometheus reads them (text exposition format 0.0.4). */
export class Metrics {
  readonly #updates = new Map<string, number>();
  readonly #stateSeconds = new Map<TopState, number>();

  /** One order has come to its end: `success`, or the code of its error. */
  countOutcome(outcome: string): void {
    this.#updates.set(outcome, (this.#updates.get(outcome) ?? 0) + 1);
  }

  countTime(state: TopState, ms: number): void {
    this.#stateSeconds.set(state, (this.#stateSeconds.get(state) ?? 0) + ms / 1000);
  }

  text(state: TopState, freeBytes: number): string {
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
      ...single('tope_free_bytes', 'Bytes that are free in the managed root', freeBytes),
      ...single('tope_resident_bytes', 'Resident memory of the updater', process.memoryUsage.rss()),
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

function single(name: string, help: string, value: number): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, `${name} ${value}`];
}
