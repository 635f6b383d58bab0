import { beforeAll, describe, expect, test } from '@jest/globals';
import { Device } from '../support/device.js';

const LINE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (DEBUG|INFO |WARN |ERROR) \S/;

describe('the log of an update', () => {
  let lines: string[];

  beforeAll(async () => {
    const device = await Device.on({ life: 'file' });
    await device.install(
      device.build({
        version: '1.0.0',
        modules: [{ name: 'app', dst: device.path('app'), brings: { bytes: 'app' } }],
      }),
    );
    await device.isTidy();
    await device.updater.end('SIGTERM');
    lines = device.log().trimEnd().split('\n');
  });

  test('has a line for each transition, with from, to and event', () => {
    const transitions = lines.filter((line) => line.includes(' transition '));
    const told = transitions.map((line) => / transition from=(\S+) to=(\S+) event=(\S+)$/.exec(line));
    const path = told.map((match) => match?.[2]);
    expect(path).toEqual([
      'idle',
      'downloading.transferring',
      'verifying.hashing',
      'verifying.inspecting',
      'ready.waiting',
      'ready.askingGuard',
      'deploying.rehashing',
      'deploying.staging',
      'deploying.stopping',
      'deploying.switching',
      'restarting.postCommands',
      'restarting.starting',
      'restarting.settling',
      'restarting.committing',
      'done',
    ]);
    expect(told.map((match) => match?.[1])).toEqual(['none', ...path.slice(0, -1)]);
    expect(
      told.map((match) => match?.[3]).filter((event) => event === 'DOWNLOAD' || event === 'UPDATE'),
    ).toEqual(['DOWNLOAD', 'UPDATE']);
  });

  test('has ISO 8601 time and level in each line', () => {
    for (const line of lines) expect(line).toMatch(LINE);
  });

  test('has a line for the download, the digest, the package, and each step of the deployment', () => {
    const others = lines.filter((line) => !line.includes(' transition '));
    const text = others.join('\n');
    expect(text).toMatch(
      / INFO {2}asks for the package version=1\.0\.0 url=http:\/\/127\.0\.0\.1:\d+\/package-\S+\.zip /,
    );
    expect(text).toMatch(/ INFO {2}package fetched version=1\.0\.0 /);
    expect(text).toMatch(/ INFO {2}digest checked version=1\.0\.0 md5=[0-9a-f]{32} /);
    expect(text).toMatch(/ INFO {2}package inspected version=1\.0\.0 /);
    expect(text).toMatch(/ INFO {2}release staged release=\S+-1\.0\.0 files=1$/m);
    expect(text).toMatch(/ INFO {2}files switched release=\S+-1\.0\.0 files=1$/m);
    expect(text).toMatch(/ INFO {2}release committed release=\S+-1\.0\.0$/m);
    expect(others.at(-1)).toMatch(/ INFO {2}stopping why=SIGTERM$/);
  });
});
