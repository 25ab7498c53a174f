// What the supervisor waits for from a connector just now, and until when: what a user is shown who asks why a start or a stop takes so long.
// Pure.
//
//   configure, on…, open      of a start                                  its own deadline
//   stop                      a source gives what it still has            stopMs
//   drain                     an output takes and answers for all of it   the time-out of the stop
//   acknowledge               a source is told what was delivered         a few seconds
//   teardown                  both                                        teardownMs
//
// When the time is up the connector is let go of, and its process ended. A stop with force does so at once.
import type { ConnectorPhase } from '../connector-calls.ts';
import type { ConnectorDeadlines } from './connector-deadlines.ts';

export type Awaited = ConnectorPhase | 'drain' | 'acknowledge';

export interface AwaitedCall {
  readonly call: Awaited;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly until: number;
}

type Deadline = Exclude<keyof ConnectorDeadlines, 'stallMs'>;

/** Calls of its work have no deadline: a source may be read, and an output written, for ever. */
const deadlineOf: Readonly<Partial<Record<ConnectorPhase, Deadline>>> = {
  configure: 'configureMs',
  onCreated: 'eventMs',
  onUpdated: 'eventMs',
  onDeleted: 'eventMs',
  open: 'openMs',
  stop: 'stopMs',
  teardown: 'teardownMs',
};

/** The call that a connector is in, if somebody waits for that; null: nobody does. */
export function awaitedCall(
  phase: ConnectorPhase | null,
  since: number,
  deadlines: ConnectorDeadlines,
): AwaitedCall | null {
  const deadline = phase === null ? undefined : deadlineOf[phase];
  if (phase === null || deadline === undefined) return null;
  return { call: phase, since, until: since + deadlines[deadline] };
}
