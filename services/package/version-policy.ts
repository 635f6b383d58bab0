import { UpdateError } from '../../machines/errors.js';
import { AS_FOUND_VERSION, compareVersions } from '../../machines/version.js';
import type { Manifest } from './manifest.js';

export interface VersionRules {
  /** What is live: null or 0.0.0 where no package has been installed yet. */
  installedVersion: string | null;
  /** The device's board or product; empty where it has none configured. */
  product: string;
  signature: 'off' | 'optional' | 'required';
  /** The configuration lets lower versions in although signatures are required. */
  allowDowngrade: boolean;
}

/**
 * Checks that a package is meant for this device as it is (package format: compatible, min_version, allow_downgrade).
 * Throws INCOMPATIBLE_DEVICE or VERSION_NOT_ALLOWED, both to be discarded, with the versions or products in question.
 */
export function checkVersionPolicy(manifest: Manifest, rules: VersionRules): void {
  const { compatible, minVersion, version } = manifest;
  if (compatible !== null && rules.product !== '' && !compatible.includes(rules.product))
    throw new UpdateError(
      'INCOMPATIBLE_DEVICE',
      `the package is for ${compatible.slice(0, 10).join(', ')}; this device is ${rules.product}`,
      { discard: true },
    );
  const installed = rules.installedVersion ?? AS_FOUND_VERSION;
  if (minVersion !== null && compareVersions(installed, minVersion) < 0)
    throw notAllowed(
      installed === AS_FOUND_VERSION
        ? `${version} needs at least ${minVersion}, and no version is known here; if one is installed, name it: tope-updater install --factory VERSION`
        : `${version} needs at least ${minVersion}, installed is ${installed}`,
    );
  const mayGoDown = rules.signature !== 'required' || rules.allowDowngrade || manifest.allowDowngrade;
  if (!mayGoDown && compareVersions(version, installed) < 0)
    throw notAllowed(
      `${version} is lower than ${installed}, which is installed; a signed manifest with allow_downgrade, or TOPE_ALLOW_DOWNGRADE, permits it`,
    );
}

function notAllowed(words: string): UpdateError {
  return new UpdateError('VERSION_NOT_ALLOWED', words, { discard: true });
}
