import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  randomBytes,
  scryptSync,
  sign,
  type KeyObject,
} from 'node:crypto';
import { BadMinisignForm } from '../../services/package/minisign.js';

/** A key that packages are signed with, on a workstation. */
export interface SecretKey {
  /** As minisign shows it: 16 upper-case hex digits. */
  id: string;
  /** As it stands in files: little-endian. */
  idBytes: Buffer;
  privateKey: KeyObject;
}

/** The contents of the two files of a new key. */
export interface KeyFiles {
  id: string;
  secretFile: string;
  publicFile: string;
}

// The secret key's file in minisign's format: algorithm, way of encryption, checksum's algorithm, salt, two limits of
// scrypt, and then, encrypted or not: id, seed, public key, checksum.
const ALGORITHMS = { key: 'Ed', scrypt: 'Sc', none: '\0\0', checksum: 'B2' };
const SALT = { at: 6, bytes: 32 };
const OPERATIONS_AT = 38;
const MEMORY_AT = 46;
const SEALED_AT = 54;
const SEALED_BYTES = 104;
const ID_BYTES = 8;
const HALF_KEY_BYTES = 32;
/** More than minisign ever asks for. */
const MOST_MEMORY = 2 ** 31;

/** A new key pair, its secret half not encrypted (what `minisign -G -W` makes). */
export function makeKeyFiles(): KeyFiles {
  const { privateKey } = generateKeyPairSync('ed25519');
  const { d = '', x = '' } = privateKey.export({ format: 'jwk' });
  const [seed, own] = [Buffer.from(d, 'base64url'), Buffer.from(x, 'base64url')];
  const idBytes = randomBytes(ID_BYTES);
  const id = shownId(idBytes);
  const head = Buffer.alloc(SEALED_AT);
  head.write(ALGORITHMS.key + ALGORITHMS.none + ALGORITHMS.checksum, 'latin1');
  // The checksum guards against a wrong password: without one minisign writes zeros.
  const secret = Buffer.concat([head, idBytes, seed, own, Buffer.alloc(HALF_KEY_BYTES)]);
  const open = Buffer.concat([Buffer.from(ALGORITHMS.key), idBytes, own]);
  return {
    id,
    secretFile: `untrusted comment: minisign secret key ${id}\n${secret.toString('base64')}\n`,
    publicFile: `untrusted comment: minisign public key ${id}\n${open.toString('base64')}\n`,
  };
}

/**
 * Reads a secret key's file as minisign or `keygen` wrote it. Throws BadMinisignForm where it is none, is encrypted and
 * `password` is null, or is encrypted with another password. Decrypting takes the second and the GiB of memory that
 * minisign's limits demand.
 */
export function parseSecretKey(contents: string, password: string | null): SecretKey {
  const bytes = Buffer.from(contents.split('\n')[1] ?? '', 'base64');
  const [key, kdf] = [bytes.toString('latin1', 0, 2), bytes.toString('latin1', 2, 4)];
  if (bytes.length !== SEALED_AT + SEALED_BYTES || key !== ALGORITHMS.key)
    throw new BadMinisignForm('it is not a secret key as minisign or tope-updater keygen writes it');
  const sealed = bytes.subarray(SEALED_AT);
  if (kdf === ALGORITHMS.none) return keyOf(sealed);
  if (kdf !== ALGORITHMS.scrypt) throw new BadMinisignForm('it is encrypted in an unknown way');
  if (password === null) throw new BadMinisignForm('it is encrypted; its password is missing');
  const stream = streamOf(bytes, password);
  return keyOf(Buffer.from(sealed.map((byte, at) => byte ^ stream.readUInt8(at))));
}

/**
 * The contents of manifest.json.minisig over these bytes, prehashed as the package format demands. The same input gives
 * the same signature.
 */
export function signManifest(key: SecretKey, manifest: Uint8Array, trustedComment: string): Buffer {
  const digest = createHash('blake2b512').update(manifest).digest();
  const signature = sign(null, digest, key.privateKey);
  const first = Buffer.concat([Buffer.from('ED'), key.idBytes, signature]);
  const whole = sign(null, Buffer.concat([signature, Buffer.from(trustedComment)]), key.privateKey);
  return Buffer.from(
    [
      `untrusted comment: signature from the key ${key.id}`,
      first.toString('base64'),
      `trusted comment: ${trustedComment}`,
      whole.toString('base64'),
      '',
    ].join('\n'),
  );
}

function keyOf(sealed: Buffer): SecretKey {
  const idBytes = sealed.subarray(0, ID_BYTES);
  const seed = sealed.subarray(ID_BYTES, ID_BYTES + HALF_KEY_BYTES);
  const own = sealed.subarray(ID_BYTES + HALF_KEY_BYTES, ID_BYTES + 2 * HALF_KEY_BYTES);
  // PKCS 8 (RFC 8410, section 7) holds the seed alone, so that the public key is worked out and can be compared.
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  const privateKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  if (privateKey.export({ format: 'jwk' }).x !== own.toString('base64url'))
    throw new BadMinisignForm('it is damaged, or its password is wrong');
  return { id: shownId(idBytes), idBytes: Buffer.from(idBytes), privateKey };
}

/** The bytes that the sealed part is XORed with. The limits become scrypt's cost as libsodium chooses it. */
function streamOf(bytes: Buffer, password: string): Buffer {
  const operations = Math.max(Number(bytes.readBigUInt64LE(OPERATIONS_AT)), 32_768);
  const memory = Number(bytes.readBigUInt64LE(MEMORY_AT));
  if (memory > MOST_MEMORY) throw new BadMinisignForm(`it demands ${memory} bytes of memory`);
  const r = 8;
  const isShort = operations < memory / 32;
  const most = isShort ? operations / (r * 4) : memory / (r * 128);
  let cost = 2;
  while (cost <= most / 2) cost *= 2;
  const p = isShort ? 1 : Math.max(1, Math.floor(operations / 4 / cost / r));
  const salt = bytes.subarray(SALT.at, SALT.at + SALT.bytes);
  return scryptSync(password, salt, SEALED_BYTES, { N: cost, r, p, maxmem: 2 * MOST_MEMORY });
}

function shownId(idBytes: Buffer): string {
  return Buffer.from(idBytes).reverse().toString('hex').toUpperCase();
}
