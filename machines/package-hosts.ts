/**
 * Whether a URL leads to one of these hosts: names or addresses, in any case, `*.example.com` for every name below
 * example.com. An empty list allows any host. The port does not count.
 */
export function leadsToHost(url: string, hosts: readonly string[]): boolean {
  if (hosts.length === 0) return true;
  const { hostname } = new URL(url);
  return hosts.some((host) => {
    const wanted = host.toLowerCase();
    return wanted.startsWith('*.') ? hostname.endsWith(wanted.slice(1)) : hostname === wanted;
  });
}
