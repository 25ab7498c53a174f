// The calls that come before and after a connector's work, with their deadlines: prepare (and its event), open, teardown.
//
// A connector that does not come back in time is named with what it was called to do: the actor says on entering each call, and once it
// is through. Used by the handles of both directions.
import type { ActorRef } from '../../runtime/actor/actor.ts';
import { ActorTimeout } from '../../runtime/actor/request.ts';
import type { ErrorData } from '../../runtime/errors.ts';
import { type ConnectorPhase, type LifecycleCall, phaseOf } from '../connector-calls.ts';
import type { ConnectorContext, PrepareMessage } from './connector-context.ts';
import type { StartedConnector } from './lifecycle-events.ts';
import { ConnectorTimedOut } from './supervision-errors.ts';

type Starting = PrepareMessage | { readonly kind: 'open' };

/** Has the connector configured and told of its event, then opened. @throws what it throws, ConnectorTimedOut */
export async function startConnector<Message>(
  // An actor of either direction takes these messages.
  actor: Pick<ActorRef<Message | Starting>, 'ask'>,
  connector: { readonly endpoint: string; readonly started: StartedConnector | null },
  context: Pick<ConnectorContext, 'deadlines' | 'lifecycle'>,
): Promise<void> {
  const { deadlines, lifecycle } = context;
  const { endpoint, started } = connector;
  const prepare = async (event: LifecycleCall | null): Promise<void> => {
    const deadlineMs = deadlines.configureMs + (event === null ? 0 : deadlines.eventMs);
    const phase = event === null ? 'configure' : phaseOf(event);
    await withinDeadline(endpoint, phase, deadlineMs, () => actor.ask({ kind: 'prepare', event }, { deadlineMs }));
  };
  if (started === null) await prepare(null);
  else await lifecycle.start(started, prepare);
  const { openMs: deadlineMs } = deadlines;
  await withinDeadline(endpoint, 'open', deadlineMs, () => actor.ask({ kind: 'open' }, { deadlineMs }));
}

/** @throws ConnectorTimedOut in the place of ActorTimeout */
export async function withinDeadline(
  endpoint: string,
  phase: ConnectorPhase,
  deadlineMs: number,
  call: () => Promise<unknown>,
): Promise<void> {
  try {
    await call();
  } catch (error) {
    if (!(error instanceof ActorTimeout)) throw error;
    throw new ConnectorTimedOut({ endpoint, phase, deadlineMs }, { cause: error });
  }
}

/** A connector that was let go of in the middle of a call. */
export interface DetachedConnector {
  readonly endpoint: string;
  readonly direction: 'input' | 'output';
  readonly phase: ConnectorPhase;
}

/** How a connector's end went: what it hung in, and what its last calls threw. */
export interface ConnectorEnd {
  readonly detached: DetachedConnector | null;
  readonly error: ErrorData | null;
}
