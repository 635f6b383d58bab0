import { Agent as HttpAgent, request } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { SecureContext } from 'node:tls';
import type { OptionsInit, RequestFunction } from 'got';
import { leadsToHost } from '../../machines/package-hosts.js';
import { bareHost, chooseProxy, portOf, type Proxies } from './choose-proxy.js';
import { openTunnel, proxyHeaders } from './proxy-tunnel.js';

/** How servers are reached. */
export interface NetworkSettings extends Proxies {
  /** The authorities that certificates are trusted from; those that node brings where it is undefined. */
  trust: SecureContext | undefined;
  /** The only hosts that packages may come from; any where it is empty. */
  packageHosts: readonly string[];
}

/** The way to a server, as got takes it. Each is good for one request. */
export type Route = Pick<OptionsInit, 'agent' | 'request'>;

export interface Connections {
  /** Whether packages may come from there. */
  mayReach(url: URL): boolean;
  /** The proxy through which a URL is asked for, or null. */
  proxyFor(url: URL): URL | null;
  /** Throws TunnelRefused, or node's error where the proxy of an https server cannot be reached. */
  route(url: URL, signal: AbortSignal): Promise<Route>;
}

/** Straight to the server, with the authorities that node brings. */
export const DIRECT: NetworkSettings = {
  httpProxy: '',
  httpsProxy: '',
  noProxy: '',
  trust: undefined,
  packageHosts: [],
};

/**
 * A fresh connection for each request: one that the server has given up would cost an attempt. Where a host has
 * several addresses, node gives each 250 ms, which a slow radio link does not answer in.
 */
const CONNECTIONS = { keepAlive: false, autoSelectFamilyAttemptTimeout: 2500 };

/** The connections of a device. */
export function openConnections(settings: NetworkSettings): Connections {
  const { trust } = settings;
  const forTls = trust === undefined ? CONNECTIONS : { ...CONNECTIONS, secureContext: trust };
  return {
    mayReach: (url) => leadsToHost(url.href, settings.packageHosts),
    proxyFor: (url) => chooseProxy(url, settings),
    route: async (url, signal) => {
      const proxy = chooseProxy(url, settings);
      if (proxy === null)
        return { agent: { http: new HttpAgent(CONNECTIONS), https: new HttpsAgent(forTls) } };
      if (url.protocol === 'http:') return { request: requestThrough(proxy) };
      const socket = await openTunnel(proxy, url, signal, CONNECTIONS);
      return { agent: { https: new HttpsAgent({ ...forTls, socket }) } };
    },
  };
}

/** A proxy is asked for the whole URL (RFC 9112 3.2.2). */
function requestThrough(proxy: URL): RequestFunction {
  return ({ origin, host, pathname, search }, { headers, signal }) => {
    const asking = request({
      host: bareHost(proxy),
      port: portOf(proxy),
      path: `${origin}${pathname}${search}`,
      agent: new HttpAgent(CONNECTIONS),
      ...(headers == null ? {} : { headers }),
      ...(signal == null ? {} : { signal }),
    });
    const own = Object.entries({ host, ...proxyHeaders(proxy) });
    for (const [name, value] of own) asking.setHeader(name, value);
    return asking;
  };
}
