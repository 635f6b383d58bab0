import type { Request, RequestHandler } from 'express';
import { TransportFault } from '../envelope.js';

const OWN_SITES = ['same-origin', 'none'];

/**
 * Refuses (403) what a browser sends on behalf of a page that is not ours: an Origin other than the very host and port
 * that were asked (Fetch Standard: `Origin`), or a Sec-Fetch-Site that says so (Fetch Metadata). Following a link to
 * one of our pages is fine: nothing of the answer reaches the page with the link.
 */
export const checkOrigin: RequestHandler = (request, _response, next) => {
  const origin = request.headers.origin;
  if (origin !== undefined && !isOwnOrigin(origin, request.headers.host ?? '')) {
    throw new TransportFault(
      403,
      `Origin ${JSON.stringify(origin.slice(0, 255))} is foreign; expected a page of this updater, or no Origin`,
    );
  }
  const site = request.headers['sec-fetch-site'];
  if (typeof site === 'string' && !OWN_SITES.includes(site) && !isFollowedLink(request)) {
    throw new TransportFault(
      403,
      `Sec-Fetch-Site ${JSON.stringify(site.slice(0, 64))} is foreign; expected same-origin or none`,
    );
  }
  next();
};

function isOwnOrigin(origin: string, host: string): boolean {
  const own = host.toLowerCase();
  return [`http://${own}`, `https://${own}`].includes(origin.toLowerCase());
}

function isFollowedLink({ method, headers }: Request): boolean {
  return (
    method === 'GET' && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document'
  );
}
