import type { UpdateContext } from '../../machines/update-context.js';
import type { ContextChange } from '../../machines/views.js';
import { isJsonObject } from '../json-object.js';

/** Told by counts alone, or not at all: reports repeat what the transitions say, and a URL is a credential. */
const LEFT_OUT = ['outbox', 'order.url'];
/** A longer text is cut: many steps are kept. */
const MOST_CHARACTERS = 200;

/** The fields of the context that differ, by their paths (`attempts.empty`), in the order of the context. */
export function changesBetween(before: UpdateContext, after: UpdateContext): ContextChange[] {
  if (before === after) return [];
  const [old, current] = [fieldsOf(before), fieldsOf(after)];
  return [...new Set([...old.keys(), ...current.keys()])]
    .map((field) => ({ field, before: old.get(field) ?? null, after: current.get(field) ?? null }))
    .filter((change) => change.before !== change.after);
}

/** Every field that is no object itself, as JSON. */
function fieldsOf(value: object, path = ''): Map<string, string> {
  const fields = new Map<string, string>();
  for (const [key, part] of Object.entries<unknown>({ ...value })) {
    const field = path === '' ? key : `${path}.${key}`;
    if (LEFT_OUT.includes(field)) continue;
    if (isJsonObject(part)) for (const [inner, text] of fieldsOf(part, field)) fields.set(inner, text);
    else if (part !== null) fields.set(field, JSON.stringify(part).slice(0, MOST_CHARACTERS));
  }
  return fields;
}
