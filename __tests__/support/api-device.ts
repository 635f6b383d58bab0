import { join } from 'node:path';
import { DeploymentBench, type ModuleSource } from './deployment-bench.js';

export const API = 'api.service';

/** A device with one running unit, and packages of it: each version is a program, and what else is asked for. */
export class ApiDevice {
  readonly bench: DeploymentBench;
  readonly program: string;

  private constructor(bench: DeploymentBench) {
    this.bench = bench;
    this.program = join(bench.root, 'api/api');
    bench.services.units.set(API, { active: 'active' });
  }

  /** `found` is what stands at the program's path before the first update. */
  static async make(
    roots?: { managed?: string; extra?: string },
    found = 'api as found',
  ): Promise<ApiDevice> {
    const device = new ApiDevice(await DeploymentBench.make(roots));
    await device.bench.put(device.program, found, { mode: 0o755 });
    return device;
  }

  at(name: string): string {
    return join(this.bench.root, name);
  }

  package(version: string, more: Record<string, ModuleSource> = {}) {
    return this.bench.package(version, {
      [this.program]: { data: `api ${version}`, mode: 0o755, fields: { process_name: 'api' } },
      ...more,
    });
  }

  async install(version: string, more: Record<string, ModuleSource> = {}): Promise<string[]> {
    return this.bench.deploy(await this.package(version, more));
  }

  /** Up to and without the start: a version that is switched to. */
  async switchTo(version: string, more: Record<string, ModuleSource> = {}): Promise<void> {
    await this.bench.stop(await this.package(version, more));
    await this.bench.effects.switchFiles();
  }
}
