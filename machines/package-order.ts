/** A package's identity is (version, md5, size), never its URL: URLs are pre-signed and change. */
export interface PackageIdentity {
  version: string;
  /** Lower-case hex. */
  md5: string;
  /** Bytes. */
  size: number;
}

/** What device-api ordered. `url` holds a credential in its query: it never reaches a log, an answer or a report. */
export interface PackageOrder extends PackageIdentity {
  url: string;
  /** Only shown; never a path. */
  name: string;
  /** Lower-case hex, or null where the order has none. */
  sha256: string | null;
}

/** Whether two packages are the same one. */
export function isSamePackage(a: PackageIdentity | null, b: PackageIdentity | null): boolean {
  return a !== null && b !== null && a.version === b.version && a.md5 === b.md5 && a.size === b.size;
}

/** The identity alone, fit to be an actor's input. */
export function identityOf({ version, md5, size }: PackageIdentity): PackageIdentity {
  return { version, md5, size };
}

/** A release in the store, as the machine knows it. */
export interface ReleaseName {
  id: string;
  version: string;
}
