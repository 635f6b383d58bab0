import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { configuration as configurationCheck } from '../compiled-checks.js';
import { CONFIGURATION_KEYS } from './configuration-schema.js';
import {
  FILE_VARIABLE,
  settingsOfEnvironment,
  settingsOfFile,
  shown,
  unknownVariables,
  type Environment,
  type Settings,
} from './configuration-sources.js';
import { ConfigurationError, type Configuration } from './configuration.js';

/** Where the configuration is looked for. */
export interface Surroundings {
  /** The file that is read if it is there and TOPE_CONFIG names no other. */
  defaultFile: string;
  /** What relative paths start from. */
  currentFolder: string;
  /** The folder that is there where systemd runs: sd_booted(3). */
  systemdFolder: string;
}

/**
 * The configuration: the JSON file, overridden by TOPE_ variables (lists are separated by colons there), every value
 * checked, relative paths resolved against the current folder; with sentences about variables that have no effect.
 * Rejects with a ConfigurationError that names every bad value, the variable or the file and key it stands in, and what
 * was expected.
 */
export async function readConfiguration(
  environment: Environment,
  surroundings: Partial<Surroundings> = {},
): Promise<{ configuration: Configuration; warnings: string[] }> {
  const { defaultFile, currentFolder, systemdFolder }: Surroundings = {
    defaultFile: '/etc/tope-updater/config.json',
    currentFolder: process.cwd(),
    systemdFolder: '/run/systemd/system',
    ...surroundings,
  };
  const named = environment[FILE_VARIABLE];
  if (named === '') throw new ConfigurationError([`${FILE_VARIABLE} is "": expected the path of a file`]);
  const settings: Settings = new Map([
    ...(await settingsOfFile(resolve(currentFolder, named ?? defaultFile), named !== undefined)),
    ...settingsOfEnvironment(environment),
  ]);
  const configuration = checked(settings, {
    workDir: currentFolder,
    serviceManager: existsSync(systemdFolder) ? 'systemd' : 'none',
  });
  return { configuration: resolved(configuration, currentFolder), warnings: unknownVariables(environment) };
}

function checked(settings: Settings, foundOut: Partial<Configuration>): Configuration {
  const defaults = Object.entries(CONFIGURATION_KEYS).map(([key, row]) => [key, row.default]);
  const given = [...settings].map(([key, { value }]) => [key, value]);
  const candidate: unknown = {
    ...Object.fromEntries(defaults),
    ...foundOut,
    ...Object.fromEntries(given),
  };
  if (isConfiguration(candidate)) return candidate;
  const bad = new Set(configurationCheck.errors?.map(({ instancePath }) => instancePath.split('/')[1]));
  throw new ConfigurationError(
    [...settings]
      .filter(([key]) => bad.has(key))
      .map(
        ([key, { place, value }]) =>
          `${place} is ${shown(value)}: expected ${CONFIGURATION_KEYS[key].expected}`,
      ),
  );
}

function isConfiguration(value: unknown): value is Configuration {
  return configurationCheck(value);
}

function resolved(configuration: Configuration, currentFolder: string): Configuration {
  return {
    ...configuration,
    deviceApiUrl: configuration.deviceApiUrl.replace(/\/+$/, ''),
    workDir: resolve(currentFolder, configuration.workDir),
    managedRoot: resolve(configuration.managedRoot),
    extraRoots: configuration.extraRoots.map((root) => resolve(root)),
    keysDir: resolve(currentFolder, configuration.keysDir),
  };
}
