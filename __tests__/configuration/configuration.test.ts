import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { CONFIGURATION_KEYS } from '../../services/configuration/configuration-schema.js';
import { ConfigurationError } from '../../services/configuration/configuration.js';
import { readConfiguration } from '../../services/configuration/read-configuration.js';
import { runNode } from '../support/run-node.js';
import { temporaryFolder } from '../support/temporary-folder.js';

async function read(environment: Record<string, string>, file: unknown = {}) {
  const folder = await temporaryFolder();
  const defaultFile = join(folder, 'config.json');
  await writeFile(defaultFile, typeof file === 'string' ? file : JSON.stringify(file));
  const systemdFolder = join(folder, 'no-systemd');
  return readConfiguration(environment, { defaultFile, currentFolder: '/somewhere', systemdFolder });
}

/** The problems that a reading is refused for. */
async function problemsOf(
  environment: Record<string, string>,
  file: unknown = {},
): Promise<readonly string[]> {
  try {
    await read(environment, file);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  return [];
}

describe('a configuration', () => {
  test('without file and variables is the documented one [W-1, W-57, P-12, P-52, D-36, D-72]', async () => {
    const { configuration, warnings } = await readConfiguration(
      {},
      { defaultFile: '/nonexistent/config.json', currentFolder: '/somewhere', systemdFolder: '/nonexistent' },
    );
    expect(warnings).toEqual([]);
    expect(configuration).toEqual({
      host: '127.0.0.1',
      port: 12315,
      deviceApiUrl: 'http://localhost:9080',
      workDir: '/somewhere',
      managedRoot: '/opt/tope',
      extraRoots: [],
      serviceManager: 'none',
      allowPostCmds: false,
      signature: 'optional',
      keysDir: '/etc/tope-updater/keys',
      allowDowngrade: false,
      packageHosts: [],
      tokenFile: '',
      installGuard: '',
      product: '',
      allowedHosts: [],
      otaGui: '/opt/tope/ota-gui',
      keep: 1,
      settleMs: 5000,
      maxRate: 0,
      caFile: '',
      httpProxy: '',
      httpsProxy: '',
      noProxy: '',
      visualizerOrders: false,
      logLevel: 'info',
    });
  });

  test('takes systemd as service manager where systemd runs', async () => {
    const systemdFolder = await temporaryFolder();
    const { configuration } = await readConfiguration({}, { defaultFile: '/nonexistent', systemdFolder });
    expect(configuration.serviceManager).toBe('systemd');
  });

  test('takes each value from the variable, else from the file', async () => {
    const { configuration } = await read(
      { TOPE_PORT: '1', TOPE_ALLOW_POST_CMDS: 'true', TOPE_PRODUCT: '' },
      { port: 2, keep: 3, product: 'x5' },
    );
    expect(configuration).toMatchObject({ port: 1, keep: 3, allowPostCmds: true, product: '' });
  });

  test('splits lists at colons in the environment, IPv6 addresses excepted', async () => {
    const { configuration } = await read({
      TOPE_EXTRA_ROOTS: '/etc/systemd/system:/srv/',
      TOPE_ALLOWED_HOSTS: 'printer.local:[fe80::1]:x5',
    });
    expect(configuration.extraRoots).toEqual(['/etc/systemd/system', '/srv']);
    expect(configuration.allowedHosts).toEqual(['printer.local', '[fe80::1]', 'x5']);
  });

  test('takes lists as arrays from the file', async () => {
    const { configuration } = await read({}, { extraRoots: ['/srv'] });
    expect(configuration.extraRoots).toEqual(['/srv']);
    expect(await problemsOf({}, { extraRoots: '/srv:/etc' })).toHaveLength(1);
  });

  test('resolves relative paths against the current folder', async () => {
    const { configuration } = await read({ TOPE_WORK_DIR: 'work', TOPE_KEYS_DIR: '../keys' });
    expect(configuration).toMatchObject({ workDir: '/somewhere/work', keysDir: '/keys' });
  });

  test('has no slash at the end of the URL that paths are appended to', async () => {
    const { configuration } = await read({ TOPE_DEVICE_API_URL: 'http://[::1]:9080/base//' });
    expect(configuration.deviceApiUrl).toBe('http://[::1]:9080/base');
  });

  test('takes the variables of proxies in either case, the lower one first', async () => {
    const { configuration } = await read({
      HTTP_PROXY: 'http://upper:1',
      http_proxy: 'http://lower:1',
      HTTPS_PROXY: 'http://user:pw@[::1]:3128/',
      no_proxy: 'printer.local,10.0.0.0/8',
    });
    expect(configuration).toMatchObject({
      httpProxy: 'http://lower:1',
      httpsProxy: 'http://user:pw@[::1]:3128/',
      noProxy: 'printer.local,10.0.0.0/8',
    });
  });

  test('warns of a TOPE_ variable that is none, and of no other', async () => {
    const { warnings } = await read({ TOPE_PROT: '1', TOPE_PORT: '1', HOME: '/root' });
    expect(warnings).toEqual(['TOPE_PROT is set but is no variable of the updater']);
  });
});

describe('a bad configuration', () => {
  const bad: [variable: string, value: string, expected: string][] = [
    ['TOPE_HOST', 'not a host', 'a host name or an IP address'],
    ['TOPE_HOST', '', 'a host name or an IP address'],
    ['TOPE_PORT', '65536', 'an integer from 0 to 65535'],
    ['TOPE_PORT', '12.5', 'an integer from 0 to 65535'],
    ['TOPE_PORT', '0x50', 'an integer from 0 to 65535'],
    ['TOPE_DEVICE_API_URL', 'localhost:9080', 'an http or https URL without user, query and fragment'],
    ['TOPE_DEVICE_API_URL', 'http://u:p@localhost', 'an http or https URL without user, query and fragment'],
    ['TOPE_WORK_DIR', '', 'a path'],
    ['TOPE_MANAGED_ROOT', 'opt/tope', 'an absolute path other than /, without . and .. in it'],
    ['TOPE_MANAGED_ROOT', '//', 'an absolute path other than /, without . and .. in it'],
    ['TOPE_MANAGED_ROOT', '/opt/..', 'an absolute path other than /, without . and .. in it'],
    ['TOPE_EXTRA_ROOTS', '/srv:etc', 'absolute paths other than /, without . and .. in them'],
    ['TOPE_SERVICE_MANAGER', 'openrc', 'systemd or none'],
    ['TOPE_ALLOW_POST_CMDS', 'yes', 'true or false'],
    ['TOPE_SIGNATURE', 'Required', 'off, optional or required'],
    ['TOPE_ALLOW_DOWNGRADE', 'maybe', 'true or false'],
    [
      'TOPE_PACKAGE_HOSTS',
      'packages.example:http://x',
      'host names without port; *.example.com stands for every name below example.com',
    ],
    ['TOPE_TOKEN_FILE', 'token', 'the absolute path of a file that only its owner can read, or nothing'],
    ['TOPE_KEYS_DIR', '', 'a path'],
    [
      'TOPE_INSTALL_GUARD',
      'guard.sh',
      'an http or https URL, the absolute path of an executable, or nothing',
    ],
    ['TOPE_PRODUCT', 'x\u0007', 'at most 255 printable characters'],
    ['TOPE_ALLOWED_HOSTS', 'a b', 'host names without port'],
    ['TOPE_OTA_GUI', 'ota-gui', 'the absolute path of an executable, or nothing'],
    ['TOPE_KEEP', '-1', 'an integer from 0 to 100'],
    ['TOPE_SETTLE_MS', '5s', 'an integer from 0 to 600000'],
    ['TOPE_MAX_RATE', '500', '0 (no limit) or an integer from 10000'],
    ['TOPE_MAX_RATE', '1M', '0 (no limit) or an integer from 10000'],
    ['TOPE_CA_FILE', 'ca.pem', 'the absolute path of a PEM file, or nothing'],
    ['HTTP_PROXY', 'proxy:3128', 'the http URL of a proxy, or nothing'],
    ['HTTPS_PROXY', 'socks5://proxy:1080', 'the http URL of a proxy, or nothing'],
    ['NO_PROXY', 'a\u0007', 'host names, addresses and subnets, separated by commas, or *'],
    ['TOPE_VISUALIZER_ORDERS', 'maybe', 'true or false'],
    ['TOPE_LOG_LEVEL', 'trace', 'debug, info, warn or error'],
  ];

  test.each(bad)('is told by variable, value and expectation: %s=%s', async (variable, value, expected) => {
    const problems = await problemsOf({ [variable]: value });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^${variable} is .+: expected `));
    expect(problems[0]?.endsWith(`: expected ${expected}`)).toBe(true);
  });

  test('does not tell the password in a URL', async () => {
    const [problem] = await problemsOf({ HTTPS_PROXY: 'https://user:pass/w@rd@proxy:3128' });
    expect(problem).toBe(
      'HTTPS_PROXY is "https://***@proxy:3128": expected the http URL of a proxy, or nothing',
    );
  });

  test('has a bad value tried for every key', () => {
    const tried = new Set(bad.map(([variable]) => variable));
    expect([...tried].sort()).toEqual(
      Object.values(CONFIGURATION_KEYS)
        .map((row) => row.variable)
        .sort(),
    );
  });

  test('is told by file, key, value and expectation', async () => {
    const [problem] = await problemsOf({}, { port: '80' });
    expect(problem).toMatch(/\/config\.json: port is "80": expected an integer from 0 to 65535$/);
  });

  test('is told whole, not only its first mistake', async () => {
    expect(await problemsOf({ TOPE_PORT: 'x', TOPE_KEEP: 'x' }, { settleMs: null })).toHaveLength(3);
  });

  test('is a file with an unknown key', async () => {
    const [problem, ...others] = await problemsOf({}, '{"__proto__": 1, "port": 2}');
    expect(problem).toMatch(/config\.json: __proto__ is 1: expected no key of this name$/);
    expect(others).toEqual([]);
  });

  test.each(['', '[]', 'null', '{"port":', '"text"'])(
    'is a file that is no JSON object: %p',
    async (text) => {
      expect(await problemsOf({}, text)).toHaveLength(1);
    },
  );

  test('is a TOPE_CONFIG that names no file', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'folder'));
    for (const named of ['', join(folder, 'missing.json'), join(folder, 'folder')])
      await expect(readConfiguration({ TOPE_CONFIG: named })).rejects.toThrow(ConfigurationError);
  });

  test('ends the command with exit code 78 and a line for each mistake', async () => {
    const ending = await runNode('scripts/tope-updater.js', ['status'], { TOPE_PORT: 'x', TOPE_KEEP: '-1' });
    expect(ending).toEqual({
      exitCode: 78,
      stdout: '',
      stderr:
        'tope-updater: TOPE_PORT is "x": expected an integer from 0 to 65535\n' +
        'tope-updater: TOPE_KEEP is -1: expected an integer from 0 to 100\n',
    });
  });
});

test('TOPE_CONFIG names the file that is read instead of the usual one', async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'other.json'), '{"port": 4711}');
  const { configuration } = await readConfiguration({ TOPE_CONFIG: 'other.json' }, { currentFolder: folder });
  expect(configuration.port).toBe(4711);
});
