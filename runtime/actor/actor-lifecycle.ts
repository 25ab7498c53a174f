// Life of an actor on its thread. The table is the specification; actor-cell.ts is the one owner who calls `nextState`.
//
//   starting ──started──► running ──stop──► stopping ──stopped──► stopped
//       └───────────fail─────┴────────fail─────┴──────► failed
import { type CodedErrorClass, defineError } from '../errors.ts';

export const actorStates = ['starting', 'running', 'stopping', 'stopped', 'failed'] as const;
export type ActorState = (typeof actorStates)[number];

export const actorEvents = ['started', 'stop', 'stopped', 'fail'] as const;
export type ActorEvent = (typeof actorEvents)[number];

/** What leads where; a missing cell cannot happen in a program that is right. */
export const actorTransitions: Readonly<Record<ActorState, Readonly<Partial<Record<ActorEvent, ActorState>>>>> = {
  starting: { started: 'running', stop: 'stopping', fail: 'failed' },
  running: { stop: 'stopping', fail: 'failed' },
  // A second stop waits for the first. An actor told to stop while it starts hears `started` too late.
  stopping: { started: 'stopping', stop: 'stopping', stopped: 'stopped', fail: 'failed' },
  stopped: { stop: 'stopped', fail: 'stopped' },
  // Only the first failure counts; what fails afterwards is its consequence.
  failed: { started: 'failed', stop: 'failed', stopped: 'failed', fail: 'failed' },
};

export const IllegalActorTransition: CodedErrorClass<{ readonly state: ActorState; readonly event: ActorEvent }> =
  defineError(
    'actor.illegal_transition',
    { help: 'This is a defect in Millrace. Report it with the log that led to it.' },
    (f) => `an actor that is ${f.state} cannot meet "${f.event}"`,
  );

/** @throws IllegalActorTransition */
export function nextState(state: ActorState, event: ActorEvent): ActorState {
  const next = actorTransitions[state][event];
  if (next === undefined) throw new IllegalActorTransition({ state, event });
  return next;
}
