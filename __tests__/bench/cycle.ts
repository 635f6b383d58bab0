import type { MeasuredDevice } from '../support/measured-device.js';
import { accepted } from '../support/updater-caller.js';
import type { MeasuredPackage } from './packages.js';

/** What a whole cycle took, from the order to success and an empty tmp/. */
export interface Cycle {
  cpuMs: number;
  /** Until `toInstall`, and all of it. */
  fetchedMs: number;
  wallMs: number;
  /** The most that was seen, in bytes. */
  rssAnon: number;
  rss: number;
  vmHwm: number;
  writtenBytes: number;
  fetchedBytes: number;
}

const SAMPLE_MS = 20;
const WITHIN_MS = 600_000;

/** Takes a device through a cycle. Nobody asks it anything meanwhile: its reports tell when a stage is reached. */
export async function cycle(device: MeasuredDevice, built: MeasuredPackage): Promise<Cycle> {
  const { api, server } = device;
  const before = { cpuMs: device.cpuMs(), written: device.writtenBytes(), sent: server.sentBytes };
  const peak = { rssAnon: 0, rss: 0 };
  const sample = () => {
    peak.rssAnon = Math.max(peak.rssAnon, device.memory('RssAnon'));
    peak.rss = Math.max(peak.rss, device.memory('VmRSS'));
  };
  const sampling = setInterval(sample, SAMPLE_MS);
  try {
    const begun = performance.now();
    const from = api.heard.length;
    await device.order(built);
    await reached(device, 'toInstall', from);
    const fetchedMs = performance.now() - begun;
    accepted(await device.update(built.version));
    await reached(device, 'success', from);
    await device.isTidy();
    sample();
    return {
      ...peak,
      fetchedMs,
      cpuMs: device.cpuMs() - before.cpuMs,
      wallMs: performance.now() - begun,
      vmHwm: device.memory('VmHWM'),
      writtenBytes: device.writtenBytes() - before.written,
      fetchedBytes: server.sentBytes - before.sent,
    };
  } finally {
    clearInterval(sampling);
  }
}

async function reached({ api }: MeasuredDevice, stage: string, from: number): Promise<void> {
  const told = await api.hears(stage, (report) => report.stage === stage || report.stage === 'failed', {
    from,
    withinMs: WITHIN_MS,
  });
  if (told.stage === 'failed') throw new Error(`the cycle failed: ${told.raw}`);
}
