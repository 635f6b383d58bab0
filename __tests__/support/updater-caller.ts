import { until } from './until.js';
import { call } from './http-call.js';
import { fieldOf, numberOf, textOf } from './json-fields.js';

/** An answer of the updater: its envelope. */
export interface Envelope {
  code: number;
  msg: string;
  data: unknown;
}

export interface Progress {
  stage: string;
  progress: number;
  message: string;
  error: string | null;
}

const BASE = '/api/v1.0';

/** Asks an updater over HTTP and gives it orders, as device-api does. */
export abstract class UpdaterCaller {
  /** Where it listens now. */
  protected abstract readonly port: number;

  async get(path: string): Promise<Envelope> {
    return envelopeOf((await call(this.port, { path: `${BASE}${path}` })).json);
  }

  async post(path: string, body: object): Promise<Envelope> {
    return envelopeOf((await call(this.port, { path: `${BASE}${path}`, body })).json);
  }

  update(version: string): Promise<Envelope> {
    return this.post('/update', { version });
  }

  rollback(to: 'previous' | 'factory'): Promise<Envelope> {
    return this.post('/rollback', { to });
  }

  /** Goes back, from the order to success. */
  async goBack(to: 'previous' | 'factory'): Promise<void> {
    accepted(await this.rollback(to));
    await this.reaches('success');
  }

  async progress(): Promise<Progress> {
    const { data } = await this.get('/progress');
    const error = fieldOf(data, 'error');
    return {
      stage: textOf(data, 'stage'),
      progress: numberOf(data, 'progress'),
      message: textOf(data, 'message'),
      error: typeof error === 'string' ? error : null,
    };
  }

  /** Waits until /progress shows a stage; fails at once where the update does. */
  async reaches(stage: string, withinMs = 20_000): Promise<Progress> {
    return until(
      stage,
      async () => {
        const now = await this.progress();
        if (now.stage === stage) return now;
        if (now.stage === 'failed') throw new Error(`failed on the way to ${stage}: ${String(now.error)}`);
        return null;
      },
      withinMs,
    );
  }

  /** Waits until the machine is in a state, told as a path: `deploying.staging`. */
  async isIn(statePath: string): Promise<void> {
    await until(statePath, async () => {
      const { data } = await this.get('/state');
      return textOf(data, 'statePath') === statePath;
    });
  }

  /** What /versions tells of the three releases that have a name. */
  async versions() {
    const { data } = await this.get('/versions');
    return {
      current: fieldOf(data, 'current'),
      previous: fieldOf(data, 'previous'),
      factory: fieldOf(data, 'factory'),
    };
  }
}

/** Fails where an order was refused. */
export function accepted({ code, msg }: Envelope): void {
  if (code !== 200) throw new Error(`the order was refused: ${code} ${msg}`);
}

function envelopeOf(json: unknown): Envelope {
  return { code: numberOf(json, 'code'), msg: textOf(json, 'msg'), data: fieldOf(json, 'data') };
}
