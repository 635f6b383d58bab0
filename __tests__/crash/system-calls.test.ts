import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from '@jest/globals';
import { until } from '../support/until.js';
import { hasProgram, testIf } from '../support/requirements.js';
import { CrashDevice } from './crash-device.js';
import { Order } from './order.js';

const STRACE = { met: hasProgram('strace'), needs: 'strace' };
const CHANGING = [
  'rename',
  'renameat',
  'renameat2',
  'link',
  'linkat',
  'unlink',
  'unlinkat',
  'rmdir',
  'symlink',
];
const TRACED = [...CHANGING, 'mkdir', 'access', 'faccessat', 'faccessat2'];

/** Which steps may change a path: the first line that fits counts. */
const TERRITORIES: readonly [RegExp, RegExp][] = [
  [/^work\/tmp\/\.?state\.json/, /^state\./],
  [/^work\/tmp\/\.?reserve/, /^reserve\./],
  [/^work\/tmp\/\.?[0-9a-f]{32}-/, /^(?:partial|workFolder)\./],
  [/^work(?:\/\w+)?$/, /^workFolder\./],
  [/^opt\/\.tope-updater\/staging/, /^(?:staging|switch|undo|commit)\./],
  [/^opt\/\.tope-updater\/\.?journal/, /^journal\./],
  [/^opt\/\.tope-updater\/objects\//, /^(?:commit|prune)\./],
  [/^opt\/\.tope-updater\/(?:releases\/|\.?current|\.?previous|\.?factory)/, /^(?:commit|prune)\./],
  [/^opt\/\.tope-updater\/\.?bad\.json/, /^store\.bad/],
  [/^opt\/\.tope-updater(?:\/\.?lock\.|\/releases$|\/objects$|$)/, /^store\./],
  [/^opt\//, /^(?:switch|undo|commit)\./],
];

/** A change of the device's folders, and the steps that were going on. */
interface Change {
  call: string;
  path: string;
  steps: string[];
}

/** Reads a trace of strace: steps begin and end in it as looks at `/step/NAME/MOMENT`. */
function readTrace(text: string, folder: string): Change[] {
  const open: string[] = [];
  const changes: Change[] = [];
  for (const line of text.split('\n')) {
    const [, call = '', rest = ''] = /^\d+\s+(\w+)\((.*)/.exec(line) ?? [];
    const paths = [...rest.matchAll(/"([^"]*)"/g)].map(([, path = '']) => path);
    const [, name, moment] = /^\/step\/(.+)\/(\w+)$/.exec(paths[0] ?? '') ?? [];
    if (name !== undefined) {
      if (moment === 'before') open.push(name);
      else if (moment === 'after') open.splice(open.indexOf(name), 1);
    } else if (!call.includes('access')) {
      // A new link changes where it is made, not what it is made from.
      for (const path of call.startsWith('link') ? paths.slice(1) : paths)
        if (path.startsWith(`${folder}/`))
          changes.push({ call, path: path.slice(folder.length + 1), steps: [...open] });
    }
  }
  return changes;
}

describe('the system calls of an update', () => {
  testIf(
    STRACE,
    'rename, link and unlink nothing on the device that is not a step',
    async () => {
      const device = await CrashDevice.make();
      try {
        const trace = join(device.folder, 'trace');
        const options = ['-D', '-f', '--seccomp-bpf', '-q', '-s', '400', '-e', `trace=${TRACED.join()}`];
        await device.serve({ STEPS_TRACED: '1' }, ['strace', ...options, '-o', trace]);
        for (const update of ['1.0.0', '1.2.0']) {
          const order = new Order(device, { update });
          await order.pursue();
          expect(order.finals[0]?.stage).toBe('success');
        }
        const { pid } = device.updater;
        await device.updater.end('SIGTERM');
        const text = await until('the end of the trace', () => {
          const written = readFileSync(trace, 'utf8');
          return new RegExp(`^${pid} +\\+\\+\\+ exited with 0`, 'm').test(written) ? written : null;
        });
        const changes = readTrace(text, device.folder);
        const ours = changes.filter(({ path }) => !path.startsWith('work/logs'));
        const strays = ours.filter(({ path, steps }) => {
          const [, fits] = TERRITORIES.find(([where]) => where.test(path)) ?? [];
          return fits === undefined || !steps.some((name) => fits.test(name));
        });
        expect(strays).toEqual([]);
        const calls = new Set(ours.map(({ call }) => call.replace(/at2?$/, '')));
        expect([...calls].sort()).toEqual(['link', 'mkdir', 'rename', 'rmdir', 'unlink']);
      } finally {
        await device.close();
      }
    },
    60_000,
  );
});
