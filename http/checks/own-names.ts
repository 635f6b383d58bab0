const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];

const AUTHORITY = /^(\[[\da-f:.]+\]|[^\s:[\]/?#@]+)(?::\d{1,5})?$/i;

/**
 * A test whether a `host[:port]` is one of the names that this server goes by: loopback's and the configured ones. The
 * port is not compared: behind a tunnel it is another one.
 */
export function ownNames(allowedHosts: readonly string[]): (authority: string) => boolean {
  const names = new Set([...LOOPBACK_NAMES, ...allowedHosts].map((name) => name.toLowerCase()));
  return (authority) => {
    const name = AUTHORITY.exec(authority)?.[1];
    return name !== undefined && names.has(name.toLowerCase());
  };
}
