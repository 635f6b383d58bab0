import { describe, expect, test } from '@jest/globals';
import { parseManifest, type Manifest } from '../../services/package/manifest.js';
import { errorOf, MODULE } from '../support/sample-package.js';

function parse(fields: Record<string, unknown>): Manifest {
  return parseManifest(Buffer.from(JSON.stringify({ version: '1.1.0', modules: [MODULE], ...fields })));
}

function problemWith(fields: Record<string, unknown>) {
  return errorOf(Promise.resolve().then(() => parse(fields)));
}

function problemOfBytes(bytes: Uint8Array) {
  return errorOf(Promise.resolve().then(() => parseManifest(bytes)));
}

describe('parseManifest', () => {
  test('reads what the older packager writes, with nulls and without [P-3, P-14]', () => {
    const nulls = { process_name: null, restart_order: null, post_cmds: null };
    const module = {
      ...MODULE,
      processName: null,
      restartOrder: null,
      postCmds: [],
      sha256: null,
      mode: null,
      remove: [],
      health: null,
    };
    for (const written of [MODULE, { ...MODULE, ...nulls }, { ...MODULE, process_name: '' }]) {
      const { name, src, dst, ...rest } = module;
      expect(parse({ modules: [written] })).toEqual({
        version: '1.1.0',
        modules: [{ name, src, dst, ...rest }],
        minVersion: null,
        allowDowngrade: false,
        compatible: null,
      });
    }
  });

  test('reads every field [P-23]', () => {
    const manifest = parse({
      modules: [
        {
          ...MODULE,
          process_name: 'api',
          restart_order: 2,
          post_cmds: ['true'],
          sha256: 'AB'.repeat(32),
          mode: '0750',
          remove: ['/opt/tope/api/old'],
          health: { http: 'http://127.0.0.1:9080/health', timeout_s: 10 },
        },
        { name: 'web', src: 'web/', dst: '/opt/tope/web/', health: { exec: ['/opt/tope/check', '-v'] } },
      ],
      min_version: '1.0.0',
      allow_downgrade: true,
      compatible: ['board-a'],
    });
    expect(manifest).toMatchObject({ minVersion: '1.0.0', allowDowngrade: true, compatible: ['board-a'] });
    expect(manifest.modules[0]).toEqual({
      ...MODULE,
      processName: 'api',
      restartOrder: 2,
      postCmds: ['true'],
      sha256: 'ab'.repeat(32),
      mode: 0o750,
      remove: ['/opt/tope/api/old'],
      health: { kind: 'http', url: 'http://127.0.0.1:9080/health', timeoutS: 10 },
    });
    expect(manifest.modules[1]).toMatchObject({
      dst: '/opt/tope/web',
      health: { kind: 'exec', command: ['/opt/tope/check', '-v'], timeoutS: 30 },
    });
  });

  test('ignores fields that it does not know [P-5]', () => {
    expect(parse({ author: 'x', modules: [{ ...MODULE, future: [1] }], __proto__: { a: 1 } }).version).toBe(
      '1.1.0',
    );
  });

  const WRONG_MODULES: Record<string, Record<string, unknown>> = {
    'modules[0].name is "": it must NOT have fewer than 1 characters': { name: '' },
    'modules[0].name is 7: it must be string': { name: 7 },
    'modules[0].src is missing': { src: undefined },
    'modules[0].src is "/abs": it must be relative': { src: '/abs' },
    'modules[0].src is "a/../b": it must not hold ".."': { src: 'a/../b' },
    'modules[0].src is "a\\\\b": it must not hold a backslash': { src: 'a\\b' },
    'modules[0].src is "a\\u0000": it must not hold a NUL': { src: 'a\0' },
    'modules[0].dst is "opt/x": it must be absolute': { dst: 'opt/x' },
    'modules[0].dst is "/opt/tope/../x": it must not hold ".."': { dst: '/opt/tope/../x' },
    'modules[0].dst is "/opt//x": it must be normalised': { dst: '/opt//x' },
    'modules[0].dst is "/opt/./x": it must be normalised': { dst: '/opt/./x' },
    'modules[0].dst is "/opt/tope/x/": it must not end in a slash': { dst: '/opt/tope/x/' },
    'modules[0].dst is "/opt/\\u0000": it must not hold a NUL': { dst: '/opt/\0' },
    'a part of it is longer than 255 bytes': { dst: `/opt/tope/${'é'.repeat(128)}` },
    'it is longer than 4095 bytes': { dst: '/x'.repeat(2048) },
    'modules[0].process_name is "a/b": expected at most 255 of': { process_name: 'a/b' },
    'modules[0].process_name is "voice app": expected at most 255 of': { process_name: 'voice app' },
    'modules[0].process_name is "voice.timer": expected a .service unit': { process_name: 'voice.timer' },
    'modules[0].process_name is "voice@": expected an instance': { process_name: 'voice@' },
    "expected a unit that is not the updater's own": { process_name: 'tope-updater' },
    'modules[0].process_name is 3: it must be string,null': { process_name: 3 },
    'modules[0].restart_order is 1.5: it must be integer,null': { restart_order: 1.5 },
    'modules[0].restart_order is "1": it must be integer,null': { restart_order: '1' },
    'modules[0].post_cmds is "reboot": it must be array,null': { post_cmds: 'reboot' },
    'modules[0].post_cmds[1] is 1: it must be string': { post_cmds: ['true', 1] },
    'modules[0].sha256 is "abc": it must match pattern': { sha256: 'abc' },
    'modules[0].sha256 is "abababab': { src: 'folder/', sha256: 'ab'.repeat(32) },
    'modules[0].mode is "rwx": it must match pattern': { mode: 'rwx' },
    'modules[0].mode is 493: it must be string,null': { mode: 493 },
    'modules[0].mode is "100755": it must match pattern': { mode: '100755' },
    'modules[0].remove[0] is "old": it must be absolute': { remove: ['old'] },
    'modules[0].remove[1] is "/opt/tope/a/..": it must not hold ".."': {
      remove: ['/opt/tope/b', '/opt/tope/a/..'],
    },
    'modules[0].health is {}: it must have either http or exec': { health: {} },
    'it must have either http or exec': { health: { http: 'http://[::1]/', exec: ['/bin/true'] } },
    'http must be a URL': { health: { http: 'nonsense' } },
    'http must begin with http://': { health: { http: 'https://127.0.0.1/' } },
    'http must name 127.0.0.1, [::1] or localhost': { health: { http: 'http://example.com/' } },
    'http must name 127.0.0.1': { health: { http: 'http://127.0.0.1.example.com/' } },
    'http must not hold a user name or password': { health: { http: 'http://a:b@127.0.0.1/' } },
    'the program of exec: it must be absolute': { health: { exec: ['true'] } },
    'modules[0].health.exec is []: it must NOT have fewer than 1 items': { health: { exec: [] } },
    'exec must not hold a NUL': { health: { exec: ['/bin/true', 'a\0'] } },
    'modules[0].health.timeout_s is 301: it must be <= 300': {
      health: { exec: ['/bin/true'], timeout_s: 301 },
    },
    'modules[0].health.timeout_s is 0: it must be > 0': { health: { exec: ['/bin/true'], timeout_s: 0 } },
  };
  test.each(Object.entries(WRONG_MODULES))(
    'refuses a module: %s [P-9, P-11, P-16, P-23, D-101]',
    async (rule, fields) => {
      const error = await problemWith({ modules: [{ ...MODULE, ...fields }] });
      expect(error.code).toBe('INVALID_MANIFEST');
      expect(error.message).toContain(rule);
      expect(error.facts.discard).toBe(true);
    },
  );

  const WRONG: Record<string, Record<string, unknown>> = {
    'version is missing': { version: undefined },
    'version is "1.1": it must match pattern': { version: '1.1' },
    'version is "v1.1.0": it must match pattern': { version: 'v1.1.0' },
    'modules is missing': { modules: undefined },
    'modules is []: it must NOT have fewer than 1 items': { modules: [] },
    'modules is {}: it must be array': { modules: {} },
    'modules[0] is "x": it must be object': { modules: ['x'] },
    'modules[1].name is "api": modules[0] has that name already': { modules: [MODULE, MODULE] },
    'min_version is "1": it must match pattern': { min_version: '1' },
    'allow_downgrade is "yes": it must be boolean,null': { allow_downgrade: 'yes' },
    'compatible is "a": it must be array,null': { compatible: 'a' },
    'compatible is []: it must NOT have fewer than 1 items': { compatible: [] },
  };
  test.each(Object.entries(WRONG))('refuses: %s [P-6, P-7, P-44]', async (rule, fields) => {
    const error = await problemWith(fields);
    expect(error.line).toContain(`INVALID_MANIFEST: ${rule}`);
  });

  test('names every wrong field, not only the first', async () => {
    const { message } = await problemWith({ version: 1, modules: [{ name: 'a', dst: 7 }], compatible: [3] });
    for (const field of ['version', 'modules[0].src', 'modules[0].dst', 'compatible[0]'])
      expect(message).toContain(`${field} is`);
    const semantic = await problemWith({ modules: [{ ...MODULE, src: '/a', dst: 'b' }] });
    expect(semantic.message).toContain('modules[0].src is "/a"');
    expect(semantic.message).toContain('modules[0].dst is "b"');
  });

  test.each([
    ['not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 'manifest.json is not valid UTF-8'],
    ['not JSON', Buffer.from('{"version": '), 'manifest.json is not JSON: '],
    ['empty', Buffer.alloc(0), 'manifest.json is not JSON: '],
    ['null', Buffer.from('null'), 'the manifest is null: it must be object'],
    ['a list', Buffer.from('[]'), 'the manifest is []: it must be object'],
    ['over 1 MiB', Buffer.alloc(1_048_577, ' '), 'manifest.json has 1048577 bytes; 1048576 are allowed'],
  ])('refuses a manifest that is %s [P-43, P-44]', async (_, bytes, words) => {
    expect((await problemOfBytes(bytes)).line).toContain(`INVALID_MANIFEST: ${words}`);
  });

  test('takes a byte order mark', () => {
    const text = `\uFEFF${JSON.stringify({ version: '1.1.0', modules: [MODULE] })}`;
    expect(parseManifest(Buffer.from(text)).version).toBe('1.1.0');
  });

  test.each([
    ['a million wrong modules', `{"version":"1.1.0","modules":[${'1,'.repeat(500_000)}1]}`],
    ['brackets without end', '['.repeat(500_000)],
    ['modules nested deeply', `{"version":"1.1.0","modules":${'['.repeat(400_000)}${']'.repeat(400_000)}}`],
    [
      'a list of wrong paths',
      JSON.stringify({ version: '1.1.0', modules: [{ ...MODULE, remove: Array(200_000).fill('a') }] }),
    ],
  ])('answers in one short sentence to %s', async (_, text) => {
    const error = await problemOfBytes(Buffer.from(text));
    expect(error.code).toBe('INVALID_MANIFEST');
    expect(error.message.length).toBeLessThan(3000);
  });
});
