import { createHash, createPublicKey, verify } from 'node:crypto';

/** A minisign public key. */
export interface PublicKey {
  /** As minisign shows it: 16 upper-case hex digits. */
  id: string;
  /** 32 bytes, Ed25519. */
  bytes: Buffer;
}

export interface Signature {
  /** Of the key that made it. */
  keyId: string;
  /** 64 bytes, over the BLAKE2b-512 digest of the signed bytes. */
  bytes: Buffer;
  trustedComment: Buffer;
  /** 64 bytes, over the signature and the trusted comment. */
  commentBytes: Buffer;
}

/** A key or signature is not in the form that minisign writes; the message says what was expected. */
export class BadMinisignForm extends Error {
  override readonly name = 'BadMinisignForm';
}

const UNTRUSTED = 'untrusted comment: ';
const TRUSTED = 'trusted comment: ';
const KEY_ALGORITHM = 'Ed';
const PREHASHED = 'ED';
const NOT_PREHASHED = 'Ed';
const KEY_ID_BYTES = 8;
const SIGNATURE_BYTES = 64;
const PUBLIC_KEY_BYTES = 32;

/**
 * Reads a `.pub` file as minisign writes it: an untrusted comment, then Base64 of algorithm, key id and key.
 * Throws BadMinisignForm.
 */
export function parsePublicKey(contents: Buffer): PublicKey {
  const [, encoded] = linesOf(contents, 2);
  const bytes = decode(encoded, 2 + KEY_ID_BYTES + PUBLIC_KEY_BYTES, 'the key');
  if (bytes.toString('latin1', 0, 2) !== KEY_ALGORITHM) throw new BadMinisignForm('it is not an Ed25519 key');
  return { id: keyIdOf(bytes), bytes: bytes.subarray(2 + KEY_ID_BYTES) };
}

/**
 * Reads a `.minisig` file in minisign's prehashed format. Strict, so that no byte but those of the untrusted comment
 * can be changed: exact prefixes, canonical Base64, one line feed after each line. Throws BadMinisignForm.
 */
export function parseSignature(contents: Buffer): Signature {
  const [, encoded, trusted, encodedComment] = linesOf(contents, 4);
  const bytes = decode(encoded, 2 + KEY_ID_BYTES + SIGNATURE_BYTES, 'the signature');
  const algorithm = bytes.toString('latin1', 0, 2);
  if (algorithm === NOT_PREHASHED)
    throw new BadMinisignForm(
      'it is not in the prehashed format (minisign -H makes it; since 0.10 by default)',
    );
  if (algorithm !== PREHASHED) throw new BadMinisignForm('it is not an Ed25519 signature');
  if (trusted?.startsWith(TRUSTED) !== true)
    throw new BadMinisignForm(`its third line must begin with "${TRUSTED}"`);
  return {
    keyId: keyIdOf(bytes),
    bytes: bytes.subarray(2 + KEY_ID_BYTES),
    trustedComment: Buffer.from(trusted.slice(TRUSTED.length), 'latin1'),
    commentBytes: decode(encodedComment, SIGNATURE_BYTES, 'the signature of the trusted comment'),
  };
}

/** Whether this key signed exactly these bytes, trusted comment included. */
export function isSignedBy(key: PublicKey, signature: Signature, signed: Uint8Array): boolean {
  if (key.id !== signature.keyId) return false;
  const publicKey = createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: key.bytes.toString('base64url') },
    format: 'jwk',
  });
  const digest = createHash('blake2b512').update(signed).digest();
  const commented = Buffer.concat([signature.bytes, signature.trustedComment]);
  return (
    verify(null, digest, publicKey, signature.bytes) &&
    verify(null, commented, publicKey, signature.commentBytes)
  );
}

/** The lines of a file, each byte one character; exactly so many, the last with or without its line feed. */
function linesOf(contents: Buffer, count: number): string[] {
  const lines = contents.toString('latin1').split('\n');
  if (lines.at(-1) === '') lines.pop();
  if (lines.length !== count || lines.some((line) => line.includes('\r')))
    throw new BadMinisignForm(`it must have ${count} lines that end in a line feed`);
  if (lines[0]?.startsWith(UNTRUSTED) !== true)
    throw new BadMinisignForm(`its first line must begin with "${UNTRUSTED}"`);
  return lines;
}

function decode(text: string | undefined, length: number, what: string): Buffer {
  const bytes = Buffer.from(text ?? '', 'base64');
  if (bytes.length !== length || bytes.toString('base64') !== text)
    throw new BadMinisignForm(`${what} must be ${length} bytes in canonical Base64`);
  return bytes;
}

/** After the two bytes of the algorithm stands the id, as a little-endian number. */
function keyIdOf(bytes: Buffer): string {
  const id = Buffer.from(bytes.subarray(2, 2 + KEY_ID_BYTES));
  return id.reverse().toString('hex').toUpperCase();
}
