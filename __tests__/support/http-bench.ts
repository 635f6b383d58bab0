import { createHttpServer, type HttpOptions, type HttpServer } from '../../http/server.js';
import { BASE_PATH } from '../../http/route.js';
import { call, type Answer, type Question } from './http-call.js';
import { driveTo, type StatePath } from './machine-states.js';
import { startScriptedUpdater, type ScriptedUpdater } from './scripted-updater.js';

/** The real HTTP server on a free port, before the real machine in the state that a test wants. */
export interface Bench {
  updater: ScriptedUpdater;
  server: HttpServer;
  port: number;
  /** The machine's state. */
  path(): string;
  /** Any request. */
  call(question: Question): Promise<Answer>;
  /** The JSON that a path below the base path answers. */
  get(path: string): Promise<unknown>;
  /** The JSON that an order below the base path is answered with. */
  post(path: string, body: object): Promise<unknown>;
}

const open: Bench[] = [];

/** Opens a bench with its machine driven to a state. */
export async function openBench(
  state: StatePath = 'idle',
  allowedHosts: string[] = [],
  options: Partial<HttpOptions> = {},
): Promise<Bench> {
  const updater = startScriptedUpdater();
  await driveTo(updater.machine, state);
  const server = createHttpServer(updater.port, { host: '127.0.0.1', port: 0, allowedHosts, ...options });
  const port = await server.listen();
  const ask = (question: Question) => call(port, question);
  const bench: Bench = {
    updater,
    server,
    port,
    path: () => updater.machine.path(),
    call: ask,
    get: async (path) => (await ask({ path: BASE_PATH + path })).json,
    post: async (path, body) => (await ask({ path: BASE_PATH + path, body })).json,
  };
  open.push(bench);
  return bench;
}

/** Closes all benches; for `afterEach`. */
export async function closeBenches(): Promise<void> {
  for (const { server, updater } of open.splice(0)) {
    updater.saves.open();
    updater.machine.stop();
    await server.close();
  }
}
