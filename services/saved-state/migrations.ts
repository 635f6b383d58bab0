import { SCHEMA } from './saved-state.js';

/** Changes a snapshot of one schema into the next one's. Pure. */
export type Migration = (snapshot: unknown) => unknown;

/** From schema N to N+1, by N. */
const MIGRATIONS: Readonly<Record<number, Migration>> = {};

/** A snapshot of an older schema as one of today's. Throws for a schema that is newer, or that nobody can migrate. */
export function migrated(
  snapshot: unknown,
  schema: number,
  migrations: Readonly<Record<number, Migration>> = MIGRATIONS,
  target = SCHEMA,
): unknown {
  if (schema > target) throw new Error(`schema ${schema} is newer than this program's (${target})`);
  let now = snapshot;
  for (let from = schema; from < target; from++) {
    const migration = migrations[from];
    if (migration === undefined) throw new Error(`no migration from schema ${from} is known`);
    now = migration(now);
  }
  return now;
}
