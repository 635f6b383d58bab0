import { UpdateError } from '../../machines/errors.js';
import { leadsToHost } from '../../machines/package-hosts.js';
import { isSamePackage, type PackageOrder } from '../../machines/package-order.js';
import { STAGES, topStateOf, type TopState } from '../../machines/stage.js';
import { plainAddress } from '../credentials.js';
import { success } from '../envelope.js';
import { jsonReply } from '../reply.js';
import type { Handler } from '../route.js';
import { callerOf } from './caller.js';
import { conflict } from './conflict.js';
import { readDownloadBody, type DownloadBody } from './order-bodies.js';

/** `start` fetches (or resumes), `refresh` only takes the fresh URL, `keep` changes nothing, `refuse` is a 409. */
type Decision = 'start' | 'refresh' | 'keep' | 'refuse';

/** The wire contract's table: what the machine is in × whether the order is for the package that it has. */
const DECISIONS: Readonly<Record<TopState, { same: Decision; other: Decision }>> = {
  idle: { same: 'start', other: 'start' },
  done: { same: 'start', other: 'start' },
  failed: { same: 'start', other: 'start' },
  downloading: { same: 'refresh', other: 'refuse' },
  verifying: { same: 'refresh', other: 'refuse' },
  ready: { same: 'keep', other: 'start' },
  deploying: { same: 'refuse', other: 'refuse' },
  restarting: { same: 'refuse', other: 'refuse' },
};

/** POST /download: decided and sent in one tick; answered once the state that says so is on disk. */
export const download: Handler = async ({ updater, packageHosts, request, body }) => {
  const order = orderIn(readDownloadBody(body));
  refuseOtherHosts(order.url, packageHosts);
  const { value, context } = updater.state();
  const state = topStateOf(value);
  const decision = DECISIONS[state][isSamePackage(context.order, order) ? 'same' : 'other'];
  if (decision === 'refuse') throw conflict(updater);
  if (decision !== 'keep') updater.send({ type: 'DOWNLOAD', order }, callerOf(request));
  await updater.saved();
  return jsonReply(success({ status: decision === 'start' ? STAGES.downloading : STAGES[state] }));
};

function orderIn(body: DownloadBody): PackageOrder {
  return {
    version: body.version,
    url: plainAddress(body.package_url),
    name: body.package_name,
    size: body.package_size,
    md5: body.package_md5.toLowerCase(),
    sha256: body.package_sha256?.toLowerCase() ?? null,
  };
}

function refuseOtherHosts(url: string, hosts: readonly string[]): void {
  if (leadsToHost(url, hosts)) return;
  throw new UpdateError(
    'VALIDATION_ERROR',
    `package_url must lead to a host in TOPE_PACKAGE_HOSTS (${hosts.join(', ')}), not to ${new URL(url).hostname}`,
  );
}
