import type { Manifest, ManifestModule } from './manifest.js';
import { quote } from './package-errors.js';
import { isBelow } from './path-form.js';
import { Problems } from './problems.js';

/** The store's folder, right below a managed root. */
const STORE_FOLDER = '.tope-updater';

/** What this device lets a package do. */
export interface DeviceRules {
  /** Managed and extra roots: absolute, normalised. */
  roots: readonly string[];
  /** Folders below a root that no package may touch besides the stores: the updater's own. Absolute, normalised. */
  reserved: readonly string[];
  allowPostCmds: boolean;
  signature: 'off' | 'optional' | 'required';
}

/**
 * Checks a manifest against what the device allows: dst and remove inside a root and out of the updater's own folders
 * (textually; symlinks are the deployment's), commands only with permission, digests where signatures are required.
 * Throws INVALID_MANIFEST naming each wrong field and the setting that would allow it.
 */
export function checkDeviceRules(manifest: Manifest, rules: DeviceRules): void {
  const problems = new Problems();
  manifest.modules.forEach((module, index) => checkModule(problems, `modules[${index}]`, module, rules));
  problems.throwIfAny();
}

function checkModule(problems: Problems, field: string, module: ManifestModule, rules: DeviceRules): void {
  const isFolder = module.src.endsWith('/');
  const refuse = (name: string, value: unknown, rule: string | null): void => {
    if (rule !== null) problems.add(`${field}.${name}`, `is ${quote(value)}: ${rule}`);
  };
  refuse('dst', module.dst, placeProblem(module.dst, rules));
  const root = rootOf(module.dst, rules.roots);
  module.remove.forEach((path, index) => {
    const isElsewhere = root !== null && rootOf(path, rules.roots) !== root;
    const rule = isElsewhere ? `it must lie inside ${root}, as dst does` : placeProblem(path, rules);
    refuse(`remove[${index}]`, path, rule);
  });
  if (module.postCmds.length > 0 && !rules.allowPostCmds)
    refuse('post_cmds', module.postCmds, 'this device allows no commands (TOPE_ALLOW_POST_CMDS)');
  const mayRun = rules.allowPostCmds || rules.signature === 'required';
  if (module.health?.kind === 'exec' && !mayRun)
    refuse(
      'health.exec',
      module.health.command,
      'this device allows no commands (TOPE_ALLOW_POST_CMDS, or TOPE_SIGNATURE=required)',
    );
  if (rules.signature === 'required' && module.sha256 === null)
    problems.add(
      `${field}.sha256`,
      isFolder
        ? `cannot be given, since src ${quote(module.src)} is a folder: where signatures are required every module is one file with its digest`
        : 'is missing: where signatures are required every module needs one',
    );
}

/** Why a package may not touch a path on this device; null where it may. */
export function placeProblem(path: string, { roots, reserved }: DeviceRules): string | null {
  if (roots.includes(path)) return 'it is a root itself';
  const root = rootOf(path, roots);
  if (root === null) return `it must lie inside ${roots.join(' or ')} (TOPE_EXTRA_ROOTS allows more)`;
  const isIn = (folder: string): boolean => path === folder || isBelow(folder, path);
  if (roots.some((each) => isIn(each === '/' ? `/${STORE_FOLDER}` : `${each}/${STORE_FOLDER}`)))
    return 'it lies in the updater’s store';
  const own = reserved.find(isIn);
  return own === undefined ? null : `it lies in the updater’s own folder ${own}`;
}

/** The innermost root that a path lies in. */
function rootOf(path: string, roots: readonly string[]): string | null {
  let found: string | null = null;
  for (const root of roots)
    if (isBelow(root, path) && (found === null || root.length > found.length)) found = root;
  return found;
}
