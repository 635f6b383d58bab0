import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';

/** A minisign key pair, made and used with node:crypto alone. */
export interface SigningKey {
  /** As minisign shows it. */
  id: string;
  /** Contents of its `.pub` file. */
  publicFile: string;
  idBytes: Buffer;
  privateKey: KeyObject;
}

export function makeSigningKey(idBytes: Buffer = randomBytes(8)): SigningKey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
  const id = Buffer.from(idBytes).reverse().toString('hex').toUpperCase();
  const encoded = Buffer.concat([Buffer.from('Ed'), idBytes, raw]).toString('base64');
  return {
    id,
    idBytes,
    privateKey,
    publicFile: `untrusted comment: minisign public key ${id}\n${encoded}\n`,
  };
}

/** Contents of the `.minisig` file over these bytes; `algorithm` is `ED` for the prehashed format. */
export function signBytes(
  key: SigningKey,
  bytes: Uint8Array,
  comment = 'timestamp:0',
  algorithm = 'ED',
): Buffer {
  const signed = algorithm === 'ED' ? createHash('blake2b512').update(bytes).digest() : bytes;
  const signature = sign(null, signed, key.privateKey);
  const global = sign(null, Buffer.concat([signature, Buffer.from(comment)]), key.privateKey);
  const first = Buffer.concat([Buffer.from(algorithm), key.idBytes, signature]).toString('base64');
  return Buffer.from(
    `untrusted comment: made by a test\n${first}\ntrusted comment: ${comment}\n${global.toString('base64')}\n`,
  );
}
