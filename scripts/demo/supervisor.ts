import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { wordsOf } from '../../machines/errors.js';
import { SupervisedUnit, type RestartPolicy, type SupervisedService } from './supervised-unit.js';

/** Runs services as real processes, in the process that made it: they outlive whoever gives it orders. */
export interface Supervisor {
  /** The unix socket on which it takes orders. */
  socket: string;
  /** Throws for a name that it does not know. */
  unit(name: string): SupervisedUnit;
  /** Ends all services and the socket. */
  close(): Promise<void>;
}

const POLICY: RestartPolicy = { restartMs: 300, mostRestarts: 5 };

const ORDERS: Readonly<Record<string, (unit: SupervisedUnit) => void>> = {
  start: (unit) => unit.start(),
  stop: (unit) => unit.stop(),
  kill: (unit) => unit.kill(),
  'reset-failed': (unit) => unit.resetFailed(),
};

/**
 * Starts a supervisor that listens on a unix socket: `GET /units` answers with the state of each unit, `POST
 * /units/NAME/ORDER` (start, stop, kill, reset-failed) obeys and answers at once, 409 with the reason where it cannot.
 * No service is started yet. Rejects where the socket cannot be made.
 */
export async function startSupervisor(
  services: readonly SupervisedService[],
  socket: string,
  policy: Partial<RestartPolicy> = {},
): Promise<Supervisor> {
  const units = new Map(
    services.map((service) => [service.unit, new SupervisedUnit(service, { ...POLICY, ...policy })]),
  );
  const server = createServer((request, response) => answer(units, request, response));
  server.listen(socket);
  await once(server, 'listening');
  return {
    socket,
    unit: (name) => {
      const unit = units.get(name);
      if (unit === undefined) throw new Error(`there is no unit ${name}`);
      return unit;
    },
    close: async () => {
      await Promise.all([...units.values()].map((unit) => unit.end()));
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answer(
  units: ReadonlyMap<string, SupervisedUnit>,
  { method, url = '' }: IncomingMessage,
  response: ServerResponse,
): void {
  if (method === 'GET' && url === '/units') {
    reply(
      response,
      200,
      [...units.values()].map((unit) => unit.state()),
    );
    return;
  }
  const [, folder, name = '', order = ''] = url.split('/').map(decodeURIComponent);
  const unit = units.get(name);
  const obey = ORDERS[order];
  if (method !== 'POST' || folder !== 'units' || unit === undefined || obey === undefined) {
    reply(response, 404, `there is no ${method ?? ''} ${url}`);
    return;
  }
  try {
    obey(unit);
    reply(response, 200, unit.state());
  } catch (error) {
    reply(response, 409, wordsOf(error));
  }
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
