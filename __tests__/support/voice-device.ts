import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isSystemError } from '../../services/disk.js';
import type { BuiltPackage } from './build-package.js';
import { NODE_FLAGS } from '../../scripts/release/node-flags.js';
import { until } from './until.js';
import { InstalledDevice, UNITS, type InstalledOptions } from './installed-device.js';

const WORK = '/var/lib/tope-updater';
/** To look starts a process. */
const LOOK_EVERY_MS = 100;
const WITHIN_MS = 20_000;
const HOLDABLE = fileURLToPath(new URL('holdable-updater.js', import.meta.url));

/** What is there of the one service, told three times: by its file, by its unit as systemd knows it, by its process. */
export interface Voice {
  file: string;
  unit: string;
  process: string;
}

export interface VoiceOptions extends InstalledOptions {
  /** How long an updater that is held lives: shorter ones end it, longer ones leave it to the test. In s. */
  watchdogS: number;
}

/** A device with one service, whose program and unit file an update replaces, and an updater that can be held. */
export class VoiceDevice {
  readonly device: InstalledDevice;
  #version = 1;

  private constructor(device: InstalledDevice) {
    this.device = device;
  }

  static async make(options: VoiceOptions): Promise<VoiceDevice> {
    const device = await InstalledDevice.installed(options);
    const voice = new VoiceDevice(device);
    await device.lab.write(`${UNITS}/tope-updater.service.d/hold.conf`, dropIn(options.watchdogS));
    // A screen that hangs changes nothing.
    await device.lab.write('/opt/tope/ota-gui', '#!/bin/sh\nexec sleep 1000\n', 0o755);
    await device.lab.sh('systemctl daemon-reload; systemctl restart tope-updater');
    await device.addService('voice', voice.#program('1'), voice.#unit('1'));
    return voice;
  }

  /** The version that the newest package brings. */
  get newest(): string {
    return String(this.#version);
  }

  /** A package of the next version. */
  next(): BuiltPackage {
    this.#version += 1;
    const version = this.newest;
    const files = {
      program: { dst: '/opt/tope/bin/voice', brings: { bytes: this.#program(version), mode: 0o755 } },
      unit: {
        dst: `${UNITS}/voice.service`,
        brings: { bytes: `${this.#unit(version).join('\n')}\n`, mode: 0o644 },
      },
    };
    return this.device.build(
      `${version}.0.0`,
      Object.entries(files).map(([name, file]) => ({ name, ...file, also: { process_name: 'voice' } })),
    );
  }

  /** Orders the next version and waits until the updater has stopped itself at a step. */
  async holdAt(step: string): Promise<void> {
    const { lab } = this.device;
    const built = this.next();
    await this.device.fetch(built);
    await lab.sh(`rm -f ${WORK}/held; echo '${step}' >${WORK}/hold`);
    await this.device.post('/update', { version: built.version });
    await until(`held at ${step}`, () => existsSync(`${lab.root}${WORK}/held`));
  }

  /** Which versions are there now; the process is waited for. */
  async voice(): Promise<Voice> {
    const { device } = this;
    return until(
      'voice runs',
      async () => {
        const shown = await device.property('voice', 'MainPID --property=Description');
        const unit = /(\d+)$/m.exec(shown.replace(/^\d+$/m, ''))?.[1] ?? 'none';
        const pid = /^\d+$/m.exec(shown)?.[0] ?? '0';
        const file = /10000(\d+)$/.exec(this.#read('/opt/tope/bin/voice').trim())?.[1] ?? 'none';
        const [program, forHowLong] = this.#read(`/proc/${pid}/cmdline`).split('\0');
        return program === 'sleep' ? { file, unit, process: forHowLong?.replace('10000', '') ?? '' } : null;
      },
      WITHIN_MS,
      LOOK_EVERY_MS,
    );
  }

  /** A file of the lab; empty where it is not there. */
  #read(path: string): string {
    try {
      return readFileSync(`${this.device.lab.root}${path}`, 'utf8');
    } catch (error) {
      if (isSystemError(error, 'ENOENT', 'ESRCH')) return '';
      throw error;
    }
  }

  #program(version: string): string {
    return `#!/bin/sh\nexec sleep 10000${version}\n`;
  }

  #unit(version: string): string[] {
    return [
      ...['[Unit]', `Description=Voice ${version}`, '[Service]', 'ExecStart=/opt/tope/bin/voice'],
      ...['[Install]', 'WantedBy=multi-user.target'],
    ];
  }
}

function dropIn(watchdogS: number): string {
  return [
    ...['[Service]', 'RestartSec=200ms', `WatchdogSec=${watchdogS}`, 'ExecStart='],
    `ExecStart=${process.execPath} ${NODE_FLAGS.join(' ')} ${HOLDABLE} serve`,
    '',
  ].join('\n');
}
