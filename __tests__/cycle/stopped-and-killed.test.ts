import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { statePath } from '../../machines/stage.js';
import type { BuiltPackage } from '../support/build-package.js';
import { Device } from '../support/device.js';
import { until } from '../support/until.js';
import { factsOf, sha256Of } from '../support/file-tree.js';
import { fieldOf } from '../support/json-fields.js';
import { nodeProgram } from '../support/real-files.js';
import { serve } from '../support/small-server.js';
import { accepted } from '../support/updater-caller.js';
import type { UpdaterEnd } from '../support/updater-process.js';

const STOPS_WITHIN_MS = 5000;

interface Cut {
  /** The state that was on disk when the updater had ended. */
  savedIn: string;
  end: UpdaterEnd;
}

/** Ends the updater and starts it again; tells where that caught it. */
async function cut(device: Device, signal: NodeJS.Signals): Promise<Cut> {
  const end = await device.updater.end(signal);
  const saved: unknown = JSON.parse(readFileSync(join(device.workDir, 'tmp', 'state.json'), 'utf8'));
  await device.start();
  return { savedIn: statePath(fieldOf(saved, 'snapshot', 'value')), end };
}

/** A package whose bytes take longer to hash and to stage than a signal takes, and whose restart waits for a file. */
function largePackage(device: Device, { begun, go }: { begun: string; go: string }): BuiltPackage {
  const command = `touch ${begun}; until [ -e ${go} ]; do sleep 0.05; done`;
  return device.build({
    version: '1.0.0',
    modules: [
      {
        name: 'node',
        dst: device.path('bin/node'),
        brings: { from: nodeProgram().path, mode: 0o755 },
        also: { post_cmds: [command] },
      },
    ],
  });
}

/** Leads an update from state to state, with a cut in each. */
async function cutInEachState(device: Device, built: BuiltPackage, signal: NodeJS.Signals, files: Files) {
  const cuts = [await cut(device, signal)];

  const { release } = device.server.holdAfter(built.size / 2);
  accepted(await device.download(built));
  await device.api.hears('half of it', ({ raw }) => /"downloading","progress":5\d/.test(raw));
  cuts.push(await cut(device, signal));
  release();

  await device.api.hearsStage('verifying');
  cuts.push(await cut(device, signal));

  await device.api.hearsStage('toInstall');
  cuts.push(await cut(device, signal));

  accepted(await device.update(built.version));
  // What is staged first shows that the state is saved.
  const staged = join(device.storeDir, 'staging', 'new', '0');
  await until('something is staged', () => existsSync(staged));
  cuts.push(await cut(device, signal));

  await until('the post command runs', () => existsSync(files.begun));
  cuts.push(await cut(device, signal));
  writeFileSync(files.go, '');

  await device.reaches('success');
  await device.api.hearsStage('success');
  await device.hasToldAll();
  cuts.push(await cut(device, signal));
  return cuts;
}

interface Files {
  begun: string;
  go: string;
}

describe.each(['SIGTERM', 'SIGKILL'] as const)(
  'an updater that gets %s in each state of an update [M-62]',
  (signal) => {
    let device: Device;
    let built: BuiltPackage;
    let cuts: Cut[] = [];

    beforeAll(async () => {
      device = await Device.on({ life: 'file', environment: { TOPE_ALLOW_POST_CMDS: 'true' } });
      const files = { begun: join(device.folder, 'begun'), go: join(device.folder, 'go') };
      built = largePackage(device, files);
      cuts = await cutInEachState(device, built, signal, files);
    }, 90_000);

    test('goes on from the state that it was in [M-62]', () => {
      expect(cuts.map(({ savedIn }) => savedIn)).toEqual([
        'idle',
        'downloading.transferring',
        expect.stringMatching(/^verifying\.(hashing|inspecting)$/),
        'ready.waiting',
        'deploying.staging',
        'restarting.postCommands',
        'done',
      ]);
    });

    test(signal === 'SIGTERM' ? 'ends with exit 0 within 5 s' : 'is gone', () => {
      for (const { savedIn, end } of cuts) {
        const { exitCode, tookMs } = end;
        expect({ savedIn, exitCode }).toEqual({ savedIn, exitCode: signal === 'SIGTERM' ? 0 : null });
        expect(tookMs).toBeLessThan(STOPS_WITHIN_MS);
      }
    });

    test('has installed in the end what was ordered', async () => {
      await device.isTidy();
      expect(await factsOf(device.path('bin/node'))).toMatchObject({
        mode: 0o755,
        content: await sha256Of(nodeProgram().path),
      });
      expect(await device.versions()).toMatchObject({ current: '1.0.0', previous: '0.0.0' });
    });

    test('has fetched nothing twice', () => {
      expect(device.server.ranges).toEqual(['', expect.stringMatching(/^bytes=\d+-$/)]);
      expect(device.server.sentBytes).toBeLessThan(1.01 * built.size);
    });

    test('has told device-api every stage, in order', () => {
      expect(device.api.stages).toEqual([
        'downloading',
        'verifying',
        'toInstall',
        'installing',
        'rebooting',
        'success',
      ]);
    });
  },
);

test('a SIGTERM that comes before the updater has begun anything ends it with exit 0', async () => {
  const entry = { file: '__tests__/support/killable-updater.js' };
  const environment = { KILL_AT: 'store.lock before 1', KILL_BY: 'SIGTERM' };
  const device = await Device.make({ entry, environment });
  const { exitCode, stdout } = await device.launch().ended();
  expect({ exitCode, stdout }).toEqual({
    exitCode: 0,
    stdout: expect.stringContaining('stopping why=SIGTERM'),
  });
});

test('asking whether the device is free is never saved: a restart finds the package waiting', async () => {
  let isAsked = false;
  const guard = await serve(() => (isAsked = true));
  const device = await Device.on({ environment: { TOPE_INSTALL_GUARD: guard } });
  const built = device.build({
    version: '1.0.0',
    modules: [{ name: 'a', dst: device.path('a'), brings: { bytes: 'new' } }],
  });
  accepted(await device.download(built));
  await device.reaches('toInstall');
  const order = device.post('/update', { version: '1.0.0' }).catch(() => null);
  await until('the guard is asked', () => isAsked);
  const { savedIn } = await cut(device, 'SIGTERM');
  expect(savedIn).toBe('ready.waiting');
  await order;
});
