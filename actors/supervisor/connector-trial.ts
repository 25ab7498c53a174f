// A connector that is gone and not run any more is told so, on a fresh instance.
//
// The actor's end is the connector's teardown, whatever came before it; what the event threw is what its caller hears. A connector that
// does not come back from a call, the teardown included, is let go of: the error names the call.

import type { InputConnector, OutputConnector } from '../../connectors/sdk/connector-configuration.ts';
import { actorId } from '../../runtime/actor/actor.ts';
import type { Relation } from '../../runtime/batch/schema.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { ConnectorPhase, LifecycleCall } from '../connector-calls.ts';
import type { RecoveredCheckpoint, TrialArguments, TrialMessage, TrialNotice } from '../connector-trial-messages.ts';
import type { ActorHost } from './actor-host.ts';
import type { ConnectorDeadlines } from './connector-deadlines.ts';
import { withinDeadline } from './connector-startup.ts';

export interface TrialOptions {
  readonly host: ActorHost;
  readonly clock: Clock;
  readonly deadlines: ConnectorDeadlines;
  readonly baseFolder: string;
  readonly relation: Relation;
  /** Name of the pipeline. */
  readonly pipeline?: string;
  readonly pipelineId?: string;
  /** See TrialMessage. */
  readonly recovers?: RecoveredCheckpoint;
}

/** @throws what onDeleted or, after it, teardown threw, ConnectorTimedOut */
export async function tellDeleted(
  connector: InputConnector | OutputConnector,
  call: LifecycleCall,
  options: TrialOptions,
): Promise<void> {
  const { host, deadlines, baseFolder, relation, pipeline = '', pipelineId = pipeline } = options;
  const { endpoint } = connector;
  let current: ConnectorPhase | null = null;
  const args: TrialArguments = { connector, relation, baseFolder, pipeline, pipelineId };
  const actor = await host.spawn<TrialMessage, TrialNotice>({
    id: actorId(`trial:${connector.kind}:${endpoint}`),
    behaviour: connector.kind === 'input' ? 'source trial' : 'destination trial',
    thread: 'trial',
    args,
    transfer: [],
    onNotice: (notice) => {
      current = notice.phase;
    },
  });
  const failures: unknown[] = [];
  const keep = (error: unknown): void => {
    failures.push(error);
  };
  const deadlineMs = deadlines.eventMs;
  const { recovers } = options;
  const tell: TrialMessage = { kind: 'tell', call, ...(recovers === undefined ? {} : { recovers }) };
  await withinDeadline(endpoint, 'onDeleted', deadlineMs, () => actor.ask(tell, { deadlineMs })).catch(keep);
  // The teardown is asked for, so that what it throws is heard; the actor's end would only log it.
  const teardownMs = failures.length > 0 && current !== null ? 1_000 : deadlines.teardownMs;
  const end: TrialMessage = { kind: 'end' };
  await withinDeadline(endpoint, 'teardown', teardownMs, () => actor.ask(end, { deadlineMs: teardownMs })).catch(keep);
  await actor.stop(1_000);
  if (failures.length > 0) throw failures[0];
}
