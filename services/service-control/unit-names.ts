import { UpdateError } from '../../machines/errors.js';

/** The updater's own units: no package may name them. */
export const OWN_UNITS: readonly string[] = ['tope-updater.service', 'tope-updater-recover.service'];

const SERVICE = '.service';
/** systemd.unit(5): a unit's name may be 255 characters long. */
const MAX_LENGTH = 255;
const OTHER_KINDS = /\.(?:socket|timer|path|target|mount|automount|swap|device|slice|scope)$/;

/**
 * A manifest's `process_name` as a unit's full name: `voice-app` and `voice-app.service` are the same. Throws
 * INVALID_MANIFEST for what systemd.unit(5) does not allow, for other kinds of units, and for the updater's own ones.
 */
export function serviceUnitName(name: string): string {
  const problem = unitNameProblem(name);
  if (problem !== null)
    throw new UpdateError('INVALID_MANIFEST', `process_name ${JSON.stringify(name)}: ${problem}`);
  return fullName(name);
}

/** Why a manifest's `process_name` names no unit that a package may have; null where it does. */
export function unitNameProblem(name: string): string | null {
  const unit = fullName(name);
  const bare = shortName(unit);
  if (!/^[A-Za-z0-9:_.\\@-]+$/.test(bare) || unit.length > MAX_LENGTH)
    return 'expected at most 255 of A-Z a-z 0-9 : _ . \\ @ -';
  if (OTHER_KINDS.test(bare)) return 'expected a .service unit';
  if (bare.endsWith('@')) return 'expected an instance, not a template';
  return OWN_UNITS.includes(unit) ? "expected a unit that is not the updater's own" : null;
}

function fullName(name: string): string {
  return name.endsWith(SERVICE) ? name : `${name}${SERVICE}`;
}

/** A unit's name as people say it: without `.service`. */
export function shortName(unit: string): string {
  return unit.endsWith(SERVICE) ? unit.slice(0, -SERVICE.length) : unit;
}
