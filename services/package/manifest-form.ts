import { unitNameProblem } from '../service-control/unit-names.js';
import type { HealthJson, ManifestJson, ModuleJson } from './manifest-schema.js';
import { quote } from './package-errors.js';
import { leadsToLoopback } from '../loopback.js';
import { pathProblem } from './path-form.js';
import { Problems } from './problems.js';

/**
 * The rules of the package format that a manifest breaks or keeps by itself: unique names, forms of src, dst, remove,
 * process_name and health. Throws INVALID_MANIFEST naming each wrong field, its value and what was expected.
 */
export function checkForm({ modules }: ManifestJson): void {
  const problems = new Problems();
  const names = new Map<string, number>();
  modules.forEach((module, index) => {
    const field = `modules[${index}]`;
    const twin = names.get(module.name);
    if (twin !== undefined)
      problems.add(`${field}.name`, `is ${quote(module.name)}: modules[${twin}] has that name already`);
    else names.set(module.name, index);
    checkModule(problems, field, module);
  });
  problems.throwIfAny();
}

function checkModule(problems: Problems, field: string, module: ModuleJson): void {
  const isFolder = module.src.endsWith('/');
  const refuse = (name: string, value: unknown, rule: string | null): void => {
    if (rule !== null) problems.add(`${field}.${name}`, `is ${quote(value)}: ${rule}`);
  };
  refuse('src', module.src, sourceProblem(module.src));
  refuse('dst', module.dst, pathProblem(isFolder ? withoutSlash(module.dst) : module.dst));
  if (isFolder && typeof module.sha256 === 'string')
    refuse('sha256', module.sha256, 'a digest belongs to one file, and src is a folder');
  (module.remove ?? []).forEach((path, index) => refuse(`remove[${index}]`, path, pathProblem(path)));
  (module.post_cmds ?? []).forEach((command, index) =>
    refuse(`post_cmds[${index}]`, command, command.includes('\0') ? 'a command must not hold a NUL' : null),
  );
  // The schema's empty name is none.
  if (typeof module.process_name === 'string' && module.process_name !== '')
    refuse('process_name', module.process_name, unitNameProblem(module.process_name));
  if (module.health) refuse('health', module.health, healthProblem(module.health));
}

function withoutSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

function sourceProblem(src: string): string | null {
  if (src.startsWith('/')) return 'it must be relative, as the ZIP names it';
  if (src.includes('\\')) return 'it must not hold a backslash';
  if (src.includes('\0')) return 'it must not hold a NUL';
  if (src.split('/').includes('..')) return 'it must not hold ".."';
  return null;
}

function healthProblem({ http, exec }: HealthJson): string | null {
  if ((http === undefined) === (exec === undefined)) return 'it must have either http or exec';
  if (http !== undefined) return addressProblem(http);
  const program = exec?.[0] ?? '';
  if (exec?.some((word) => word.includes('\0')) === true) return 'exec must not hold a NUL';
  const problem = pathProblem(program);
  return problem === null ? null : `the program of exec: ${problem}`;
}

/** Only the device itself may be asked: 127.0.0.0/8, ::1 or localhost. */
function addressProblem(address: string): string | null {
  if (!URL.canParse(address)) return 'http must be a URL';
  const url = new URL(address);
  const { protocol, username, password } = url;
  if (protocol !== 'http:') return 'http must begin with http://';
  if (username !== '' || password !== '') return 'http must not hold a user name or password';
  return leadsToLoopback(url) ? null : 'http must name 127.0.0.1, [::1] or localhost';
}
