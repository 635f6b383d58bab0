import { BlockList, isIP } from 'node:net';
import { leadsToLoopback } from '../loopback.js';

/** The proxies of a device, as HTTP_PROXY, HTTPS_PROXY and NO_PROXY tell them; empty: none. */
export interface Proxies {
  httpProxy: string;
  httpsProxy: string;
  noProxy: string;
}

/** The proxy through which a URL is asked for; null where it is asked for directly. Loopback always is. */
export function chooseProxy(url: URL, { httpProxy, httpsProxy, noProxy }: Proxies): URL | null {
  const proxy = url.protocol === 'https:' ? httpsProxy : httpProxy;
  if (proxy === '' || leadsToLoopback(url)) return null;
  return noProxy.split(/[\s,]+/).some((entry) => covers(entry, url)) ? null : new URL(proxy);
}

/** A URL's host without the brackets that an IPv6 address has in it. */
export function bareHost({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}

/** The port that a URL leads to. */
export function portOf({ port, protocol }: URL): number {
  return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
}

/** `*`, a host with all below it, an address or a subnet; a port behind a host restricts it to that port. */
function covers(entry: string, url: URL): boolean {
  if (entry === '*') return true;
  const host = bareHost(url);
  const [, network, bits] = /^([^/]+)\/(\d+)$/.exec(entry) ?? [];
  if (network !== undefined) return isInSubnet(host, network, Number(bits));
  const [, named = entry, port] = /^(\[.*\]|[^:]*)(?::(\d+))?$/.exec(entry) ?? [];
  if (port !== undefined && Number(port) !== portOf(url)) return false;
  const name = named.replace(/^\[|\]$|^\*?\./g, '').toLowerCase();
  if (name === '') return false;
  return host === name || (isIP(host) === 0 && host.endsWith(`.${name}`));
}

function isInSubnet(host: string, network: string, bits: number): boolean {
  const family = isIP(host);
  if (family === 0 || isIP(network) !== family || bits > (family === 4 ? 32 : 128)) return false;
  const type = family === 4 ? 'ipv4' : 'ipv6';
  const subnet = new BlockList();
  subnet.addSubnet(network, bits, type);
  return subnet.check(host, type);
}
