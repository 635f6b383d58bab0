import type { PackageIdentity } from '../../machines/package-order.js';
import type { UpdateContext } from '../../machines/update-context.js';
import { actorInput, context } from '../compiled-checks.js';

/** Whether a parsed JSON value is a context of the machine; `context.errors` tells why not. */
export function isContext(value: unknown): value is UpdateContext {
  return context(value);
}

/** Whether the saved input of an actor has the form of what the machine gives: an actor that starts again works with it. */
export function isActorInput(value: unknown): value is { identity?: PackageIdentity | null } | null {
  return actorInput(value);
}
