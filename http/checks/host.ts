import type { RequestHandler } from 'express';
import { TransportFault } from '../envelope.js';
import { ownNames } from './own-names.js';

/**
 * Refuses (421) a request that names another host: a page whose name was rebound to loopback shows itself so. A request
 * target that is not a path (a proxy's form) is refused as well.
 */
export function checkHost(allowedHosts: readonly string[]): RequestHandler {
  const isOwn = ownNames(allowedHosts);
  return (request, _response, next) => {
    const host = request.headers.host ?? '';
    if (!isOwn(host)) {
      throw new TransportFault(
        421,
        `Host ${JSON.stringify(host.slice(0, 255))} is not a name of this updater; expected localhost, 127.0.0.1, [::1] or a name in allowedHosts`,
      );
    }
    if (!request.url.startsWith('/')) {
      throw new TransportFault(421, 'the request target is not a path; expected one that begins with /');
    }
    next();
  };
}
