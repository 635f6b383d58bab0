import type { Actor, AnyStateNode, AnyTransitionDefinition } from 'xstate';
import { errorLine, failureIn } from '../../machines/failure.js';
import { questionOf } from '../../machines/guard-questions.js';
import type { UpdateContext } from '../../machines/update-context.js';
import type { UpdateMachine } from '../../machines/update-machine.js';
import type { StepSeen } from '../../machines/views.js';
import { changesBetween } from './context-changes.js';

/** What has not happened yet. */
const NOTHING: StepSeen = { event: 'start', edge: null, about: null, refused: [], changes: [] };

/**
 * Looks on, by XState's inspection, while the machine takes an event: which transition it took, and which guards were
 * asked before that and said no. Answers with the step that was taken last; its changes of the context are those since
 * the answer before.
 */
export function watchMachine(actor: Actor<UpdateMachine>): (now: UpdateContext) => StepSeen {
  let { context } = actor.getSnapshot();
  let step: Omit<StepSeen, 'changes'> = NOTHING;
  actor.system.inspect((seen) => {
    if (seen.type !== '@xstate.microstep' || seen.actorRef !== actor) return;
    const { event, _transitions: taken } = seen;
    // The actor still has the state that the event was taken in.
    const refused = refusedBefore(taken, actor.getSnapshot()._nodes, event.type);
    step = { event: event.type, edge: edgeOf(taken[0]), about: aboutOf(event), refused };
  });
  return (now) => {
    const changes = changesBetween(context, now);
    context = now;
    return { ...step, changes };
  };
}

/** XState asks the innermost state first, and in each state one transition after the other until a guard says yes. */
function refusedBefore(
  taken: readonly AnyTransitionDefinition[],
  active: readonly AnyStateNode[],
  event: string,
): StepSeen['refused'] {
  const innermostFirst = [...active].sort((a, b) => b.path.length - a.path.length);
  const candidates = innermostFirst.flatMap((node) => node.transitions.get(event) ?? []);
  const answer = candidates.findIndex((candidate) => taken.includes(candidate));
  const asked = answer < 0 ? candidates : candidates.slice(0, answer);
  return asked.flatMap(({ guard }) => {
    const name = nameOf(guard);
    return name === null ? [] : [{ guard: name, question: questionOf(name) }];
  });
}

function nameOf(guard: unknown): string | null {
  if (typeof guard === 'string') return guard;
  return typeof guard === 'object' && guard !== null && 'type' in guard ? String(guard.type) : null;
}

/** The id that a picture of the machine gives to the transition: state, event, and place among those of the event. */
function edgeOf(transition: AnyTransitionDefinition | undefined): string | null {
  if (transition === undefined) return null;
  const source: AnyStateNode = transition.source;
  const event = String(transition.eventType);
  const index = (source.transitions.get(event) ?? []).indexOf(transition);
  return `${source.path.join('.')}/${event}/${index}`;
}

/** What the guards had to judge by. */
function aboutOf(event: object): string | null {
  if ('error' in event) return errorLine(failureIn(event));
  if ('output' in event) return event.output === null ? null : JSON.stringify(event.output);
  if ('order' in event && typeof event.order === 'object' && event.order !== null)
    return 'version' in event.order ? `version ${String(event.order.version)}` : null;
  if ('version' in event) return `version ${String(event.version)}`;
  if ('restores' in event && 'journal' in event)
    return `restores ${String(event.restores)}, journal ${event.journal === null ? 'none' : JSON.stringify(event.journal)}`;
  return null;
}
