import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Configuration } from '../../services/configuration/configuration.js';
import { startDeviceApi } from './device-api.js';
import type { StreamEvent } from './event-stream.js';
import { freePorts } from './free-ports.js';
import { startPackageServer, type PackageServer } from './package-server.js';
import type { DemoService } from './releases.js';
import type { Screen } from './screen.js';
import type { SupervisedService } from './supervised-unit.js';
import { startSupervisor, type Supervisor } from './supervisor.js';
import { UpdaterProcess } from './updater-process.js';

/** All that plays a part in the demo. */
export interface Stage {
  managedRoot: string;
  /** Where versions are written and packed. */
  packageFolder: string;
  services: readonly DemoService[];
  /** A file that belongs to the device's owner: its path below the managed root, and its SHA-256 in hex. */
  ownFile: readonly [path: string, sha256: string];
  supervisor: Supervisor;
  packages: PackageServer;
  updater: UpdaterProcess;
  screen: Screen;
  /** The last lines of the updater's log. */
  logTail(): Promise<string>;
}

const BYTES_PER_SECOND = 3 * 1024 * 1024;
const SETTLE_MS = 1500;
const LOG_LINES = 30;
const NAMES = ['camera', 'voice-app'];
const OWN_FILE = 'camera/my-settings.json';

/** Sets everything up below a folder; what has to be ended afterwards is handed to `onClose` as soon as it is there. */
export async function setStage(
  folder: string,
  screen: Screen,
  signal: AbortSignal,
  onClose: (close: () => Promise<unknown>) => void,
): Promise<Stage> {
  const managedRoot = join(folder, 'device');
  const packageFolder = join(folder, 'packages');
  const workDir = join(folder, 'updater');
  for (const made of [managedRoot, packageFolder, workDir, join(managedRoot, 'camera')]) await mkdir(made);
  const own = '{ "brightness": 70 }\n';
  await writeFile(join(managedRoot, OWN_FILE), own);

  const [updaterPort = 0, ...ports] = await freePorts(1 + NAMES.length);
  const services = NAMES.map((name, index) => ({ name, port: ports[index] ?? 0 }));
  const supervisor = await startSupervisor(
    services.map((service) => unitOf(service, managedRoot)),
    join(folder, 'supervisor.sock'),
  );
  onClose(() => supervisor.close());
  const packages = await startPackageServer(packageFolder, BYTES_PER_SECOND);
  onClose(() => packages.close());
  const deviceApi = await startDeviceApi(({ stage, progress, message, error }) =>
    screen.line('device-api', `hears ${stage} ${progress} %: ${error ?? message}`),
  );
  onClose(() => deviceApi.close());

  const configuration: Partial<Configuration> = {
    port: updaterPort,
    deviceApiUrl: deviceApi.url,
    workDir,
    managedRoot,
    serviceManager: 'none',
    keysDir: join(folder, 'keys'),
    otaGui: '',
    settleMs: SETTLE_MS,
  };
  const configurationFile = join(folder, 'config.json');
  await writeFile(configurationFile, JSON.stringify(configuration));
  const updater = new UpdaterProcess({
    environment: {
      ...withoutSettings(process.env),
      TOPE_CONFIG: configurationFile,
      DEMO_SUPERVISOR: supervisor.socket,
    },
    port: updaterPort,
    onEvent: (event) => show(screen, event),
    signal,
  });
  onClose(() => updater.kill());
  return {
    managedRoot,
    packageFolder,
    services,
    ownFile: [OWN_FILE, createHash('sha256').update(own).digest('hex')],
    supervisor,
    packages,
    updater,
    screen,
    logTail: () => logTailIn(workDir),
  };
}

function unitOf({ name, port }: DemoService, managedRoot: string): SupervisedService {
  return {
    unit: `${name}.service`,
    command: [process.execPath, join(managedRoot, name, `${name}.mjs`)],
    environment: { PORT: String(port) },
  };
}

/** The settings of this machine's own updater, if it has one, are not the demo's. */
function withoutSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('TOPE_')));
}

async function logTailIn(workDir: string): Promise<string> {
  const log = await readFile(join(workDir, 'logs', 'updater.log'), 'utf8').catch(() => '');
  return log.trimEnd().split('\n').slice(-LOG_LINES).join('\n');
}

function show(screen: Screen, event: StreamEvent): void {
  if (event.type === 'progress') {
    screen.bar(event.data.stage, event.data.progress, event.data.message);
    return;
  }
  const { from, to, event: cause } = event.data;
  if (from.split('.')[0] !== to.split('.')[0]) screen.endBar();
  screen.line('machine', `${from} -> ${to}  (${cause})`);
}
