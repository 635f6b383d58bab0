import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { SecureContext } from 'node:tls';
import { wordsOf } from '../../machines/errors.js';
import { ConfigurationError } from '../configuration/configuration.js';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * What TLS connections trust where a PEM file names authorities besides those that node brings; undefined where no file
 * is named. Made once, at the start: reading all of them takes some 20 ms. Throws a ConfigurationError where the file
 * cannot be read or has no certificate in it: a device that shall trust a server and does not would never hear why.
 */
export async function trustedAuthorities(caFile: string): Promise<SecureContext | undefined> {
  if (caFile === '') return undefined;
  const own = await certificatesIn(caFile);
  // Imported late: its list of authorities is made at its import, and few devices need it.
  const { createSecureContext, rootCertificates } = await import('node:tls');
  return createSecureContext({ ca: [...rootCertificates, ...own] });
}

async function certificatesIn(caFile: string): Promise<string[]> {
  try {
    const certificates = (await readFile(caFile, 'utf8')).match(CERTIFICATE) ?? [];
    if (certificates.length === 0) throw new Error('there is no certificate in it');
    for (const certificate of certificates) new X509Certificate(certificate);
    return certificates;
  } catch (error) {
    const reason = wordsOf(error);
    throw new ConfigurationError([
      `TOPE_CA_FILE is "${caFile}": expected a readable PEM file of certificates: ${reason}`,
    ]);
  }
}
