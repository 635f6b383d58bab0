import type { Configuration } from './configuration.js';

/** How a value is written in the environment, where everything is text. */
export type ValueKind = 'text' | 'path' | 'integer' | 'flag' | 'list';

/** Names that other programs on a device go by too. */
export type CommonVariable = 'HTTP_PROXY' | 'HTTPS_PROXY' | 'NO_PROXY';

export interface ConfigurationKey<Value = unknown> {
  variable: `TOPE_${string}` | CommonVariable;
  kind: ValueKind;
  /** What the value must be, as JSON Schema. */
  schema: object;
  /** The same for people: it follows "expected". */
  expected: string;
  /** Null: found out at the start, as `defaultInWords` says. */
  default: Value | null;
  defaultInWords?: string;
  about: string;
}

// RFC 3986, section 3: no user info (it would be logged), no query, no fragment; paths are appended to it.
const BASE_URL = 'https?://([A-Za-z0-9._-]+|\\[[0-9A-Fa-f:.]+\\])(:[0-9]{1,5})?(/[^\\s?#]*)?';
const ABSOLUTE_PATH = '/[^\\u0000]*';
// Never / itself, in no disguise: a package could then bring any file of the device.
const ROOT = '(?!.*/\\.{1,2}(/|$))/+[^/\\u0000][^\\u0000]*';
/** A slower limit is a stall to most servers, and of no use to a print. */
const SLOWEST_LIMIT = 10_000;
// Its user and password go to the proxy alone and are never shown.
const PROXY_URL = 'http://([^\\s/@]*@)?([A-Za-z0-9._-]+|\\[[0-9A-Fa-f:.]+\\])(:[0-9]{1,5})?/?';
const HOST_NAME = '[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?';
const HOST = `${HOST_NAME}|\\[[0-9A-Fa-f:.]+\\]`;

function text(pattern: string): object {
  return { type: 'string', pattern: `^(${pattern})$` };
}

function integer(minimum: number, maximum: number): object {
  return { type: 'integer', minimum, maximum };
}

function oneOf(...values: string[]): object {
  return { type: 'string', enum: values };
}

/**
 * The one table of what can be configured; the documentation's table is printed from it. It stays whole, however long it grows:
 * who looks for a setting, or adds one, needs no second file.
 */
export const CONFIGURATION_KEYS: {
  readonly [Key in keyof Configuration]: ConfigurationKey<Configuration[Key]>;
} = {
  host: {
    variable: 'TOPE_HOST',
    kind: 'text',
    schema: text(`${HOST_NAME}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*`),
    expected: 'a host name or an IP address',
    default: '127.0.0.1',
    about: 'Address that the updater listens on',
  },
  port: {
    variable: 'TOPE_PORT',
    kind: 'integer',
    schema: integer(0, 65_535),
    expected: 'an integer from 0 to 65535',
    default: 12_315,
    about: 'Port that the updater listens on; 0 takes any free one (for tests)',
  },
  deviceApiUrl: {
    variable: 'TOPE_DEVICE_API_URL',
    kind: 'text',
    schema: text(BASE_URL),
    expected: 'an http or https URL without user, query and fragment',
    default: 'http://localhost:9080',
    about: 'Where device-api receives reports',
  },
  workDir: {
    variable: 'TOPE_WORK_DIR',
    kind: 'path',
    schema: text('[^\\u0000]+'),
    expected: 'a path',
    default: null,
    defaultInWords: 'the current folder',
    about: 'Folder that holds tmp/ and logs/',
  },
  managedRoot: {
    variable: 'TOPE_MANAGED_ROOT',
    kind: 'path',
    schema: text(ROOT),
    expected: 'an absolute path other than /, without . and .. in it',
    default: '/opt/tope',
    about: 'Folder that packages may install into; the store lies in it',
  },
  extraRoots: {
    variable: 'TOPE_EXTRA_ROOTS',
    kind: 'list',
    schema: { type: 'array', items: text(ROOT) },
    expected: 'absolute paths other than /, without . and .. in them',
    default: [],
    about: 'More folders that packages may install into, for example /etc/systemd/system',
  },
  serviceManager: {
    variable: 'TOPE_SERVICE_MANAGER',
    kind: 'text',
    schema: oneOf('systemd', 'none'),
    expected: 'systemd or none',
    default: null,
    defaultInWords: 'systemd where /run/systemd/system exists, else none',
    about: 'Who stops and starts the services',
  },
  allowPostCmds: {
    variable: 'TOPE_ALLOW_POST_CMDS',
    kind: 'flag',
    schema: { type: 'boolean' },
    expected: 'true or false',
    default: false,
    about: 'Whether packages may run shell commands (post_cmds) as root',
  },
  signature: {
    variable: 'TOPE_SIGNATURE',
    kind: 'text',
    schema: oneOf('off', 'optional', 'required'),
    expected: 'off, optional or required',
    default: 'optional',
    about: 'Whether packages must be signed',
  },
  keysDir: {
    variable: 'TOPE_KEYS_DIR',
    kind: 'path',
    schema: text('[^\\u0000]+'),
    expected: 'a path',
    default: '/etc/tope-updater/keys',
    about: 'Folder of the minisign .pub files that packages may be signed with',
  },
  allowDowngrade: {
    variable: 'TOPE_ALLOW_DOWNGRADE',
    kind: 'flag',
    schema: { type: 'boolean' },
    expected: 'true or false',
    default: false,
    about: 'Whether lower versions are let in although signatures are required',
  },
  packageHosts: {
    variable: 'TOPE_PACKAGE_HOSTS',
    kind: 'list',
    schema: { type: 'array', items: text(`(\\*\\.)?${HOST_NAME}|${HOST}`) },
    expected: 'host names without port; *.example.com stands for every name below example.com',
    default: [],
    about: 'The only hosts that packages are fetched from, redirects included; none: any host',
  },
  tokenFile: {
    variable: 'TOPE_TOKEN_FILE',
    kind: 'text',
    schema: text(`|${ABSOLUTE_PATH}`),
    expected: 'the absolute path of a file that only its owner can read, or nothing',
    default: '',
    about: 'File (mode 0600) with the bearer token that every order (POST) must then carry',
  },
  installGuard: {
    variable: 'TOPE_INSTALL_GUARD',
    kind: 'text',
    schema: text(`|https?://[^\\s/]\\S*|${ABSOLUTE_PATH}`),
    expected: 'an http or https URL, the absolute path of an executable, or nothing',
    default: '',
    about: 'Asked before an installation whether the device is busy',
  },
  product: {
    variable: 'TOPE_PRODUCT',
    kind: 'text',
    schema: text('[^\\u0000-\\u001f\\u007f]{0,255}'),
    expected: 'at most 255 printable characters',
    default: '',
    about: 'This board or product; packages made for others are refused',
  },
  allowedHosts: {
    variable: 'TOPE_ALLOWED_HOSTS',
    kind: 'list',
    schema: { type: 'array', items: text(HOST) },
    expected: 'host names without port',
    default: [],
    about: 'Names besides localhost by which the updater may be called (Host header)',
  },
  otaGui: {
    variable: 'TOPE_OTA_GUI',
    kind: 'text',
    schema: text(`|${ABSOLUTE_PATH}`),
    expected: 'the absolute path of an executable, or nothing',
    default: '/opt/tope/ota-gui',
    about: 'Progress screen that is started when an installation begins, if it is there',
  },
  keep: {
    variable: 'TOPE_KEEP',
    kind: 'integer',
    schema: integer(0, 100),
    expected: 'an integer from 0 to 100',
    default: 1,
    about: 'Releases kept besides current, previous and factory',
  },
  settleMs: {
    variable: 'TOPE_SETTLE_MS',
    kind: 'integer',
    schema: integer(0, 600_000),
    expected: 'an integer from 0 to 600000',
    default: 5000,
    about: 'How long started services must stay up before the update counts, in ms',
  },
  maxRate: {
    variable: 'TOPE_MAX_RATE',
    kind: 'integer',
    schema: { anyOf: [{ const: 0 }, integer(SLOWEST_LIMIT, Number.MAX_SAFE_INTEGER)] },
    expected: `0 (no limit) or an integer from ${SLOWEST_LIMIT}`,
    default: 0,
    about: 'How fast a package may be fetched, in bytes per second',
  },
  caFile: {
    variable: 'TOPE_CA_FILE',
    kind: 'text',
    schema: text(`|${ABSOLUTE_PATH}`),
    expected: 'the absolute path of a PEM file, or nothing',
    default: '',
    about: 'Certificate authorities of package servers, trusted besides those that Node.js brings',
  },
  httpProxy: {
    variable: 'HTTP_PROXY',
    kind: 'text',
    schema: text(`|${PROXY_URL}`),
    expected: 'the http URL of a proxy, or nothing',
    default: '',
    about: 'Proxy for package servers that speak http; http_proxy wins',
  },
  httpsProxy: {
    variable: 'HTTPS_PROXY',
    kind: 'text',
    schema: text(`|${PROXY_URL}`),
    expected: 'the http URL of a proxy, or nothing',
    default: '',
    about: 'Proxy for package servers that speak https; https_proxy wins',
  },
  noProxy: {
    variable: 'NO_PROXY',
    kind: 'text',
    schema: text('[^\\u0000-\\u001f\\u007f]*'),
    expected: 'host names, addresses and subnets, separated by commas, or *',
    default: '',
    about: 'Package servers that are asked without a proxy; loopback always is; no_proxy wins',
  },
  visualizerOrders: {
    variable: 'TOPE_VISUALIZER_ORDERS',
    kind: 'flag',
    schema: { type: 'boolean' },
    expected: 'true or false',
    default: false,
    about: 'Whether orders can be given from /visualizer, for development machines',
  },
  logLevel: {
    variable: 'TOPE_LOG_LEVEL',
    kind: 'text',
    schema: oneOf('debug', 'info', 'warn', 'error'),
    expected: 'debug, info, warn or error',
    default: 'info',
    about: 'The least important lines that are logged',
  },
};

/** JSON Schema of a whole configuration, made from the table. */
export const CONFIGURATION_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: Object.keys(CONFIGURATION_KEYS),
  properties: Object.fromEntries(Object.entries(CONFIGURATION_KEYS).map(([key, row]) => [key, row.schema])),
};

/** Whether a name is one of the file's keys. */
export function isConfigurationKey(name: string): name is keyof Configuration {
  return Object.hasOwn(CONFIGURATION_KEYS, name);
}
