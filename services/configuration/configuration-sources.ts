import { readFile } from 'node:fs/promises';
import { wordsOf } from '../../machines/errors.js';
import { CONFIGURATION_KEYS, isConfigurationKey, type ValueKind } from './configuration-schema.js';
import { ConfigurationError, type Configuration } from './configuration.js';
import { isSystemError } from '../disk.js';
import { isJsonObject } from '../json-object.js';

/** A value as it was written, with the place it was written at, for messages. */
export interface Setting {
  value: unknown;
  place: string;
}

export type Settings = Map<keyof Configuration, Setting>;
export type Environment = Readonly<Record<string, string | undefined>>;

/** Names another file than the usual one, which then must exist. */
export const FILE_VARIABLE = 'TOPE_CONFIG';

/**
 * What a JSON file sets. One that is not there sets nothing, unless it must exist. Rejects with a ConfigurationError
 * where it cannot be read, is no JSON object or has unknown keys.
 */
export async function settingsOfFile(file: string, mustExist: boolean): Promise<Settings> {
  const settings: Settings = new Map();
  const problems: string[] = [];
  for (const [key, value] of Object.entries(await readObject(file, mustExist))) {
    if (isConfigurationKey(key)) settings.set(key, { value, place: `${file}: ${key}` });
    else problems.push(`${file}: ${key} is ${shown(value)}: expected no key of this name`);
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
  return settings;
}

async function readObject(file: string, mustExist: boolean): Promise<object> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    if (!mustExist && isSystemError(error, 'ENOENT', 'ENOTDIR')) return {};
    const reason = wordsOf(error);
    throw new ConfigurationError([`${file} cannot be used: ${reason}: expected a readable JSON file`]);
  }
  if (isJsonObject(parsed)) return parsed;
  throw new ConfigurationError([`${file} is ${shown(parsed)}: expected a JSON object`]);
}

/** What the TOPE_ variables, and those of proxies, set. A variable that is set but empty sets an empty value. */
export function settingsOfEnvironment(environment: Environment): Settings {
  const settings: Settings = new Map();
  for (const [key, { variable, kind }] of Object.entries(CONFIGURATION_KEYS)) {
    if (!isConfigurationKey(key)) continue;
    for (const name of namesOf(variable)) {
      const text = environment[name];
      if (text !== undefined) settings.set(key, { value: valueOf(text, kind), place: name });
    }
  }
  return settings;
}

/** An environment without the variables of proxies, which only who fetches packages has to judge. */
export function withoutProxies(environment: Environment): Environment {
  const names = Object.values(CONFIGURATION_KEYS).flatMap(({ variable }) => namesOf(variable));
  const foreign = new Set(names.filter((name) => !name.startsWith('TOPE_')));
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !foreign.has(name)));
}

/** The names that a variable goes by, the one that wins last: of those that are not ours alone, many use lower case. */
function namesOf(variable: string): string[] {
  return variable.startsWith('TOPE_') ? [variable] : [variable, variable.toLowerCase()];
}

/** A variable's text as a value of its kind; text that is not of that kind stays text, for the schema to refuse. */
function valueOf(text: string, kind: ValueKind): unknown {
  if (kind === 'integer' && /^-?\d+$/.test(text)) return Number(text);
  if (kind === 'flag' && (text === 'true' || text === 'false')) return text === 'true';
  // An IPv6 address in brackets is one element.
  if (kind === 'list') return text.match(/\[[^\]]*\]|[^:]+/g) ?? [];
  return text;
}

/** A sentence for each TOPE_ variable that the updater does not know. */
export function unknownVariables(environment: Environment): string[] {
  const rows = Object.values(CONFIGURATION_KEYS);
  const known = new Set<string>([FILE_VARIABLE, ...rows.map(({ variable }) => variable)]);
  return Object.keys(environment)
    .filter((name) => name.startsWith('TOPE_') && !known.has(name))
    .map((name) => `${name} is set but is no variable of the updater`);
}

/** A value for a message, cut where it is long, and without the user and password of a URL in it. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value).replace(/:\/\/[^\s"]*@/g, '://***@');
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
