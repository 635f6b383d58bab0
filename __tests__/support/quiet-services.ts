import type { ServiceControl, UnitState, Users } from '../../services/service-control/service-control.js';
import { unitAtRest } from '../../services/service-control/unit-at-rest.js';
import { serviceUnitName } from '../../services/service-control/unit-names.js';

/** Units that are a name and a state, and run nothing: for tests of what happens to files while units are down. */
export class QuietServices implements ServiceControl {
  readonly kind = 'quiet';
  readonly canStart = true;
  readonly unitName = serviceUnitName;
  /** What was asked, in order: `stop voice-app.service`. */
  readonly asked: string[] = [];
  readonly units = new Map<string, Partial<UnitState>>();
  /** By unit: what goes down with it, and what starts it again. */
  readonly relatives = new Map<string, { dependents?: string[]; triggers?: string[] }>();
  users: Users = { units: [], others: [] };
  /** Called when a unit is asked to stop: a service's last write. */
  onStop: (unit: string) => Promise<void> = () => Promise.resolve();
  /** Units that end at once when they are started. */
  readonly crashing = new Set<string>();
  isGoingDown = false;

  look(unit: string): Promise<UnitState> {
    const known = this.units.get(unit);
    return Promise.resolve({
      ...unitAtRest(unit),
      ...(known === undefined ? { load: 'missing' } : { fragmentPath: `/lib/systemd/system/${unit}` }),
      ...known,
    });
  }

  findUsers(): Promise<Users> {
    return Promise.resolve(this.users);
  }

  relativesOf(unit: string) {
    const { dependents = [], triggers = [] } = this.relatives.get(unit) ?? {};
    return Promise.resolve({ dependents, triggers });
  }

  async askToStop(unit: string): Promise<void> {
    this.asked.push(`stop ${unit}`);
    await this.onStop(unit);
    this.units.set(unit, { ...this.units.get(unit), active: 'inactive' });
  }

  kill(unit: string): Promise<void> {
    this.asked.push(`kill ${unit}`);
    this.units.set(unit, { ...this.units.get(unit), active: 'failed', result: 'signal', leftOvers: false });
    return Promise.resolve();
  }

  resetFailed(): Promise<void> {
    return Promise.resolve();
  }

  askToStart(unit: string): Promise<void> {
    this.asked.push(`start ${unit}`);
    const end = { active: 'failed', result: 'exit-code', exitStatus: 1 } as const;
    this.units.set(unit, {
      ...this.units.get(unit),
      ...(this.crashing.has(unit) ? end : { active: 'active' }),
    });
    return Promise.resolve();
  }

  reload(): Promise<void> {
    this.asked.push('reload');
    return Promise.resolve();
  }

  isSystemStopping(): Promise<boolean> {
    return Promise.resolve(this.isGoingDown);
  }
}
