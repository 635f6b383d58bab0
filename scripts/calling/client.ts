import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { text } from 'node:stream/consumers';
import { isJsonObject } from '../../services/json-object.js';
import { BASE_PATH } from '../../http/route.js';
import { whereItListens, type Place } from './where-it-listens.js';

/** An answer of the updater: its envelope (wire contract). */
export interface Envelope {
  code: number;
  msg: string;
  data: unknown;
}

/** Nobody answers, or not in time, or the connection breaks. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/** What answers does not speak the updater's contract. */
export class NoUpdater extends Error {
  override readonly name = 'NoUpdater';
}

const ANSWER_WITHIN_MS = 5000;
/** An order is answered when its state is saved and the install guard (3 s) has spoken. */
const ORDER_WITHIN_MS = 30_000;
/** A stream says something at least every 15 s. */
const SILENCE_MS = 40_000;
const MOST_BYTES = 16 * 1024 * 1024;
/** By this name the history tells who gave an order. */
const NAME = 'tope-updater-cli';

/** The one place that calls a running updater: each command goes through it. */
export class Client {
  /** Where it is asked. */
  readonly base: string;
  readonly #token: Place['token'];

  constructor({ base, token }: Place) {
    this.base = base;
    this.#token = token;
  }

  /** Where it answers a path of the wire contract. */
  urlOf(path: string): string {
    return `${this.base}${BASE_PATH}${path}`;
  }

  /** Asks by GET. Throws NoAnswer or NoUpdater. */
  get(path: string): Promise<Envelope> {
    return this.#call(path, null, ANSWER_WITHIN_MS);
  }

  /** Gives an order, with the token that it needs. Throws NoAnswer or NoUpdater; a refusal is an answer like others. */
  order(path: string, body: object): Promise<Envelope> {
    return this.#call(path, JSON.stringify(body), ORDER_WITHIN_MS);
  }

  /** Opens the stream of events: what happens from now on. Throws NoAnswer or NoUpdater. */
  async events(signal: AbortSignal): Promise<IncomingMessage> {
    const response = await this.#send('/events', { headers: {}, signal, timeoutMs: SILENCE_MS });
    if (response.statusCode === 200) return response;
    const { msg } = envelopeIn(await text(response), this.urlOf('/events'));
    throw new NoUpdater(`the events cannot be read: ${msg}`);
  }

  async #call(path: string, body: string | null, timeoutMs: number): Promise<Envelope> {
    const signal = AbortSignal.timeout(timeoutMs);
    const headers = body === null ? {} : { 'Content-Type': 'application/json' };
    const response = await this.#send(path, { body, headers, signal, timeoutMs });
    return envelopeIn(await this.#bodyOf(response), this.urlOf(path));
  }

  async #bodyOf(response: IncomingMessage): Promise<string> {
    const parts: Buffer[] = [];
    let bytes = 0;
    try {
      for await (const part of response) {
        if (!Buffer.isBuffer(part)) continue;
        parts.push(part);
        bytes += part.length;
        if (bytes > MOST_BYTES) throw new Error(`more than ${MOST_BYTES} bytes came`);
      }
    } catch (error) {
      throw this.#noAnswer(error);
    }
    return Buffer.concat(parts).toString('utf8');
  }

  async #send(path: string, { body = null, headers, signal, timeoutMs }: Question): Promise<IncomingMessage> {
    const url = new URL(this.urlOf(path));
    const token = body === null ? null : await this.#token();
    const authorization = token === null ? {} : { Authorization: `Bearer ${token}` };
    const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, {
      method: body === null ? 'GET' : 'POST',
      headers: { 'User-Agent': NAME, ...headers, ...authorization },
      agent: false,
      signal,
      timeout: timeoutMs,
    });
    return new Promise((resolve, reject) => {
      request.on('response', resolve);
      request.on('timeout', () => request.destroy(new Error(`nothing came for ${timeoutMs} ms`)));
      request.on('error', (error) => reject(this.#noAnswer(error)));
      request.end(body ?? undefined);
    });
  }

  #noAnswer(error: unknown): NoAnswer {
    return new NoAnswer(`no updater answers at ${this.base}: ${reasonOf(error)}`, { cause: error });
  }
}

interface Question {
  body?: string | null;
  headers: Record<string, string>;
  signal: AbortSignal;
  timeoutMs: number;
}

/** A client of the updater that `url` names, else of the one that this device is configured to run. */
export async function openClient(url: string | undefined): Promise<Client> {
  return new Client(await whereItListens(url));
}

/** Node gives the reason of a given signal, or of several addresses that all failed, as a cause or in a list. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(', ');
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}

function envelopeIn(body: string, url: string): Envelope {
  const json = parsed(body);
  if (isJsonObject(json) && typeof json['code'] === 'number' && typeof json['msg'] === 'string')
    return { code: json['code'], msg: json['msg'], data: json['data'] };
  throw new NoUpdater(`what answers at ${url} is no updater: ${body.slice(0, 200)}`);
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    // The answer is shown by whoever needs an envelope.
    return null;
  }
}
