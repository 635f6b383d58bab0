import type { AnyStateNode } from 'xstate';
import { isSamePackage } from '../../machines/package-order.js';
import type { UpdateContext } from '../../machines/update-context.js';
import { actorInput } from '../compiled-checks.js';
import { isActorInput } from './context-shape.js';
import { faultIn } from './fault-in-shape.js';

interface PersistedChild {
  src: string;
  snapshot: { status: string; input?: unknown };
}

export type PersistedChildren = Readonly<Record<string, PersistedChild>>;

/**
 * Throws where an actor that one of these states has invoked is missing or has ended (the state would wait for it for
 * ever), or where there is one that none of them has invoked: it would be started too.
 */
export function needTheirActors(states: readonly AnyStateNode[], children: PersistedChildren): void {
  const strays = new Set(Object.keys(children));
  for (const state of states) {
    for (const { id, src } of state.invoke) {
      strays.delete(id);
      const child = children[id];
      if (child?.src !== src) throw new Error(`the actor ${id} of the state has no child in the snapshot`);
      const { status } = child.snapshot;
      if (status !== 'active' && !staysWhereItEnds(state, id, status))
        throw new Error(`the actor ${id} of the state has ended: it would be waited for for ever`);
    }
  }
  for (const id of strays)
    throw new Error(`the state does not invoke the actor ${id.slice(0, 80)} of the snapshot`);
}

/** A clean-up may have ended while its state goes on. */
function staysWhereItEnds(state: AnyStateNode, id: string, status: string): boolean {
  const ends = state.transitions.get(`xstate.${status}.actor.${id}`) ?? [];
  return ends.some(({ target }) => target === undefined);
}

/**
 * Throws where an actor would start again with an input of another shape, or for a package that is not ordered: an input
 * becomes part of paths.
 */
export function needInputsOf({ order }: UpdateContext, children: PersistedChildren): void {
  for (const [id, { snapshot }] of Object.entries(children)) {
    const { input = null } = snapshot;
    if (!isActorInput(input))
      throw new Error(`the input of the actor ${id} is wrong: ${faultIn(actorInput.errors)}`);
    const identity = input?.identity ?? null;
    if (identity !== null && !isSamePackage(order, identity))
      throw new Error(`the actor ${id} works on another package than the one that is ordered`);
  }
}
