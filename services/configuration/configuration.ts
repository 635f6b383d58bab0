/** Everything that can be configured; docs/configuration.md and the README table follow the schema beside it. */
export interface Configuration {
  host: string;
  port: number;
  deviceApiUrl: string;
  /** Holds tmp/ and logs/. */
  workDir: string;
  managedRoot: string;
  extraRoots: string[];
  serviceManager: 'systemd' | 'none';
  allowPostCmds: boolean;
  signature: 'off' | 'optional' | 'required';
  keysDir: string;
  allowDowngrade: boolean;
  /** Names, or `*.` and a name; empty: any host. */
  packageHosts: string[];
  /** Empty: orders need no token. */
  tokenFile: string;
  /** A URL or an executable; empty: none. */
  installGuard: string;
  /** Empty: not configured. */
  product: string;
  allowedHosts: string[];
  otaGui: string;
  /** Releases kept besides current, previous and factory. */
  keep: number;
  settleMs: number;
  /** Bytes per second; 0: as fast as it goes. */
  maxRate: number;
  /** Empty: none. */
  caFile: string;
  /** URLs; empty: none. */
  httpProxy: string;
  httpsProxy: string;
  /** As curl and others write it. */
  noProxy: string;
  /** Orders may be given from /visualizer. */
  visualizerOrders: boolean;
  logLevel: 'debug' | 'info' | 'warn' | 'error';
}

/** A configuration that cannot be used: one line for each thing that is wrong with it. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('; '));
    this.problems = problems;
  }
}
