import { join } from 'node:path';
import { MeasuredDevice } from '../support/measured-device.js';
import { cycle, type Cycle } from './cycle.js';
import { floor, python, type Bare } from './floor.js';
import { Packages, type Kind, type MeasuredPackage } from './packages.js';

/** A cycle, with the floor and Python's time right before and after it. */
export interface Comparison extends Cycle {
  floor: Bare;
  python: Bare;
}

/** What all measurements of one call of the bench share. */
export class BenchRun {
  readonly program: string;
  /** How often each figure is taken. */
  readonly runs: number;
  readonly folder: string;
  readonly packages: Packages;
  readonly #compared = new Map<Kind, Comparison[]>();

  constructor(program: string, folder: string, runs: number) {
    this.program = program;
    this.folder = folder;
    this.runs = runs;
    this.packages = new Packages(join(folder, 'packages'), join(folder, 'device', 'opt'));
  }

  /** A new device with a running updater for the time of some work. */
  async onDevice<Result>(work: (device: MeasuredDevice) => Promise<Result>): Promise<Result> {
    const device = await MeasuredDevice.on({ program: this.program, folder: join(this.folder, 'device') });
    try {
      return await work(device);
    } finally {
      await device.close();
    }
  }

  /** Whole cycles of a package, each on a new device, side by side with the floor and Python; measured once. */
  async compared(kind: Kind): Promise<readonly Comparison[]> {
    const known = this.#compared.get(kind);
    if (known !== undefined) return known;
    const built = this.packages.of(kind);
    const found: Comparison[] = [];
    for (let run = 0; run < this.runs; run++) found.push(await this.#compare(built));
    this.#compared.set(kind, found);
    return found;
  }

  #compare(built: MeasuredPackage): Promise<Comparison> {
    const bare = join(this.folder, 'bare');
    return this.onDevice(async (device) => ({
      floor: await floor(device.server, built, bare),
      ...(await cycle(device, built)),
      python: await python(device.server, built, bare),
    }));
  }
}
