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
  const unit = name.endsWith(SERVICE) ? name : `${name}${SERVICE}`;
  const bare = shortName(unit);
  if (!/^[A-Za-z0-9:_.\\@-]+$/.test(bare) || unit.length > MAX_LENGTH)
    throw refused(name, 'expected at most 255 of A-Z a-z 0-9 : _ . \\ @ -');
  if (OTHER_KINDS.test(bare)) throw refused(name, 'expected a .service unit');
  if (bare.endsWith('@')) throw refused(name, 'expected an instance, not a template');
  if (OWN_UNITS.includes(unit)) throw refused(name, "expected a unit that is not the updater's own");
  return unit;
}

/** A unit's name as people say it: without `.service`. */
export function shortName(unit: string): string {
  return unit.endsWith(SERVICE) ? unit.slice(0, -SERVICE.length) : unit;
}

function refused(name: string, expected: string): UpdateError {
  return new UpdateError('INVALID_MANIFEST', `process_name ${JSON.stringify(name)}: ${expected}`);
}
