import { appendFileSync, linkSync } from 'node:fs';
import { join } from 'node:path';
import { CrashDevice } from './crash-device.js';
import { Order, type Wish } from './order.js';
import { AS_FOUND, BAD, filesOf, LATE } from './releases.js';

/** A state of a device from which a scenario begins. */
type Beginning = 'blank' | 'live' | 'ready' | 'readyBad';

/** An order, where it is given, and how it ends where nothing comes between. */
export interface Scenario {
  name: string;
  from: Beginning;
  version: { before: string; after: string };
  wish: Wish;
  ends: 'success' | 'failed';
  /** Files that the services look for. */
  marks: readonly string[];
}

const LIVE = '1.1.0';

export const UPDATE: Scenario = {
  name: 'update',
  from: 'ready',
  version: { before: LIVE, after: LATE },
  wish: { update: LATE },
  ends: 'success',
  marks: [],
};

export const SCENARIOS: readonly Scenario[] = [
  UPDATE,
  {
    name: 'failed update',
    from: 'readyBad',
    version: { before: LIVE, after: LIVE },
    wish: { update: BAD },
    ends: 'failed',
    marks: [],
  },
  {
    name: 'ordered rollback',
    from: 'live',
    version: { before: LIVE, after: '1.0.0' },
    wish: { rollback: 'previous' },
    ends: 'success',
    marks: ['stubborn-beta'],
  },
  {
    name: 'factory rollback',
    from: 'readyBad',
    version: { before: LIVE, after: AS_FOUND },
    wish: { update: BAD },
    ends: 'failed',
    marks: [`broken-beta-${LIVE}`],
  },
  {
    name: 'first update',
    from: 'blank',
    version: { before: AS_FOUND, after: '1.0.0' },
    wish: { update: '1.0.0' },
    ends: 'success',
    marks: [],
  },
  {
    name: 'ordered rollback to factory',
    from: 'live',
    version: { before: LIVE, after: AS_FOUND },
    wish: { rollback: 'factory' },
    ends: 'success',
    marks: [],
  },
];

/** What somebody has made of the configuration on the device. */
export const EDITED = `${filesOf(LIVE).get('alpha/alpha.cfg')?.text ?? ''}edited on the device\n`;

/** A device that has kept every state from which a scenario begins. */
export async function prepareDevice(): Promise<CrashDevice> {
  const device = await CrashDevice.make();
  try {
    device.keep('blank');
    await device.serve();
    for (const update of ['1.0.0', LIVE]) await carryOut(device, { update });
    await device.updater.end('SIGTERM');
    appendFileSync(join(device.root, 'alpha/alpha.cfg'), 'edited on the device\n');
    linkSync(join(device.root, 'beta/beta.cfg'), join(device.root, 'beta/beta.cfg.mine'));
    device.keep('live');
    for (const [name, version] of Object.entries({ ready: LATE, readyBad: BAD })) {
      await device.putBack('live');
      await device.serve();
      await device.download(version);
      await device.reaches('toInstall');
      await device.updater.end('SIGTERM');
      device.keep(name);
    }
    return device;
  } catch (error) {
    await device.close();
    throw error;
  }
}

async function carryOut(device: CrashDevice, wish: Wish): Promise<void> {
  const order = new Order(device, wish);
  await order.pursue();
  if (order.finals[0]?.stage !== 'success') throw new Error(order.finals[0]?.raw ?? 'cut');
}

/** Puts a device where a scenario begins; answers with its order, not given yet. */
export async function begin(device: CrashDevice, { from, marks, wish }: Scenario): Promise<Order> {
  await device.putBack(from);
  for (const mark of marks) device.services.mark(mark);
  if (marks.includes('stubborn-beta')) {
    await device.services.stop();
    device.services.start();
    await device.services.ask('beta');
  }
  return new Order(device, wish, { isReady: from === 'ready' || from === 'readyBad' });
}
