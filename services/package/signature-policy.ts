import { UpdateError } from '../../machines/errors.js';
import { BadMinisignForm, isSignedBy, parseSignature, type Signature } from './minisign.js';
import { readKeyFolder } from './signature-keys.js';

export interface SignatureRules {
  signature: 'off' | 'optional' | 'required';
  /** Folder of `.pub` files. */
  keysDir: string;
}

export interface SignatureVerdict {
  /** Id of the key that signed, as minisign shows it; null where nothing was checked. */
  signedBy: string | null;
  warnings: string[];
}

/**
 * Judges the signature over the exact bytes of manifest.json by the device's policy: `off` looks at none, `optional`
 * accepts an unsigned package with a warning, `required` does not; a signature that is there must be good, by a key of
 * the folder that is not revoked. `signature` is the file beside the manifest, null where there is none.
 * Throws SIGNATURE_INVALID (to be discarded) naming the key.
 */
export async function judgeSignature(
  manifest: Uint8Array,
  signature: Buffer | null,
  { signature: policy, keysDir }: SignatureRules,
): Promise<SignatureVerdict> {
  if (policy === 'off') return { signedBy: null, warnings: [] };
  if (signature === null) {
    if (policy === 'required')
      throw refused('the package is not signed, and this device requires it (TOPE_SIGNATURE)');
    return { signedBy: null, warnings: ['The package is not signed'] };
  }
  const parsed = parseOrRefuse(signature);
  const folder = await readKeyFolder(keysDir);
  const broken = folder.unreadable.find((file) => file.isRevocation);
  if (broken !== undefined)
    throw refused(`a revoked key cannot be read, it may be this one: ${broken.reason}`);
  if (folder.revoked.includes(parsed.keyId)) throw refused(`the key ${parsed.keyId} is revoked`);
  const candidates = folder.keys.filter((key) => key.id === parsed.keyId);
  if (candidates.length === 0) throw refused(`the key ${parsed.keyId} is not among the keys in ${keysDir}`);
  if (!candidates.some((key) => isSignedBy(key, parsed, manifest)))
    throw refused(`the signature by the key ${parsed.keyId} does not fit manifest.json`);
  return {
    signedBy: parsed.keyId,
    warnings: folder.unreadable.map((file) => `A public key cannot be read: ${file.reason}`),
  };
}

function parseOrRefuse(signature: Buffer): Signature {
  try {
    return parseSignature(signature);
  } catch (error) {
    if (error instanceof BadMinisignForm)
      throw refused(`the signature is no minisign signature: ${error.message}`, error);
    throw error;
  }
}

function refused(words: string, cause?: unknown): UpdateError {
  return new UpdateError('SIGNATURE_INVALID', words, { discard: true, cause });
}
