import { promisify } from 'node:util';
import { deflate, inflate } from 'node:zlib';

const pack = promisify(deflate);
const unpack = promisify(inflate);

/** A value as JSON, packed by zlib. */
export function packedJson(value: unknown): Promise<Buffer> {
  return pack(Buffer.from(JSON.stringify(value)));
}

/** The value of JSON that was packed so. */
export async function unpackedJson(bytes: Buffer): Promise<unknown> {
  return JSON.parse((await unpack(bytes)).toString('utf8'));
}
