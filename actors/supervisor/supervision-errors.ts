// Errors of running a pipeline: calls that do not fit its state, connectors that failed, threads that died.
import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';
import type { PipelineState } from './pipeline-lifecycle.ts';

export const PipelineNotStarted: CodedErrorClass<{ readonly call: string }> = defineError(
  'pipeline.not_started',
  { help: 'Call start() or startPaused() first.' },
  (f) => `${f.call}: the pipeline is created but not started`,
);

export const PipelineAlreadyStarted: CodedErrorClass<{ readonly call: string; readonly state: PipelineState }> =
  defineError(
    'pipeline.already_started',
    { help: 'A pipeline starts once. Use pause() and resume(), or open another with Pipeline.open().' },
    (f) => `${f.call}: the pipeline is ${f.state} already`,
  );

export const PipelineStopped: CodedErrorClass<{ readonly call: string; readonly state: PipelineState }> = defineError(
  'pipeline.stopped',
  { help: 'A stopped pipeline does not come back. Open a new one with Pipeline.open().' },
  (f) => `${f.call}: the pipeline is ${f.state}`,
);

export const PipelineFailed: CodedErrorClass<{ readonly call: string; readonly reason: string }> = defineError(
  'pipeline.failed',
  { help: 'The cause says what went wrong. Call stop() to release the pipeline, and open a new one.' },
  (f) => `${f.call}: the pipeline has failed: ${f.reason}`,
);

export const StopTimedOut: CodedErrorClass<{
  readonly timeoutMs: number;
  /** Connectors that hung, and in which call. */
  readonly detached: readonly { readonly endpoint: string; readonly direction: string; readonly phase: string }[];
}> = defineError(
  'pipeline.stop_timed_out',
  { help: 'Give stop() a longer timeoutMs, or look at the queues in stats() for the output that is slow.' },
  (f) => {
    const hanging = f.detached.map(({ endpoint, phase }) => `; '${endpoint}' hangs in ${phase}`).join('');
    return `the pipeline did not drain within ${f.timeoutMs} ms and was stopped by force; what was queued is not written${hanging}`;
  },
);

export const EngineLost: CodedErrorClass<Record<string, never>> = defineError(
  'pipeline.engine_lost',
  { help: 'The cause says why. The state of the views was in that thread: open the pipeline anew.' },
  () => 'the engine has died',
);

export const CheckpointMismatch: CodedErrorClass<{ readonly expected: string; readonly found: string }> = defineError(
  'checkpoint.mismatch',
  { help: 'Start the pipeline without the checkpoint, or with the program that it was taken of.' },
  () => 'the checkpoint is of another program',
);

export const ConnectorUnknown: CodedErrorClass<{ readonly endpoint: string; readonly direction: string }> = defineError(
  'connector.unknown',
  { help: 'Name the relation and the connector as in the configuration; status$ lists all of them.' },
  (f) => `the pipeline has no ${f.direction} connector '${f.endpoint}'`,
);

export const ConnectorFailed: CodedErrorClass<{ readonly endpoint: string }> = defineError(
  'connector.failed',
  { help: 'The cause says why. Remove the connector and add it again once that is mended.' },
  (f) => `connector '${f.endpoint}' has failed`,
);

export const ConnectorOver: CodedErrorClass<{ readonly endpoint: string; readonly state: string }> = defineError(
  'connector.over',
  { help: 'Nothing is left to do for it. Add it again with addConnector to read its input once more.' },
  (f) => `connector '${f.endpoint}' has ${f.state}`,
);

export const ConnectorRemoved: CodedErrorClass<{ readonly endpoint: string }> = defineError(
  'connector.removed',
  { help: 'It was removed, or its pipeline stopped, while something waited for it.' },
  (f) => `connector '${f.endpoint}' is gone`,
);

export const DependencyFailed: CodedErrorClass<{ readonly endpoint: string; readonly dependency: string }> =
  defineError(
    'connector.dependency_failed',
    { help: 'Set `on_dependency_failure` to `wait` or `continue` where it should not fail too.' },
    (f) => `connector '${f.endpoint}' starts after '${f.dependency}', which has failed`,
  );

export const ConnectorThreadLost: CodedErrorClass<{ readonly endpoint: string }> = defineError(
  'connector.lost',
  { help: 'The cause says why its actor or thread died.' },
  (f) => `the actor of connector '${f.endpoint}' has died`,
);

export const RelationUnknown: CodedErrorClass<{ readonly relation: string; readonly wanted: string }> = defineError(
  'pipeline.unknown_relation',
  { help: 'tables() and views() list what the program declares.' },
  (f) => `the program has no ${f.wanted} '${f.relation}'`,
);

export const PipelineInvalid: CodedErrorClass<{
  /** Every problem, as data (ErrorData). */
  readonly problems: readonly unknown[];
  readonly summary: string;
}> = defineError(
  'pipeline.invalid',
  { help: 'Mend every problem that is listed; `millrace check FILE` shows the same list.' },
  (f) => `the pipeline has ${f.problems.length} problem${f.problems.length === 1 ? '' : 's'}:\n${f.summary}`,
);

export const NeedsProgram: CodedErrorClass<{ readonly call: string }> = defineError(
  'pipeline.needs_program',
  { help: 'The pipeline passes records on and has no SQL program. Change its definition and start it anew.' },
  (f) => `${f.call}: a pipeline without SQL cannot do that`,
);

export const NeedsNoProgram: CodedErrorClass<{ readonly call: string }> = defineError(
  'pipeline.has_sql',
  { help: 'What a table refuses is counted and listed with its connector; nothing of it is kept.' },
  (f) => `${f.call}: only a pipeline without SQL has a dead-letter queue`,
);

export const ReplayUnderWay: CodedErrorClass<Record<never, never>> = defineError(
  'dead_letters.replay_under_way',
  { help: 'Wait until it is through; how far it is stands in its status.', retry: 'later' },
  () => 'the dead letters of this pipeline are being replayed already',
);

export const ConnectorTimedOut: CodedErrorClass<{
  readonly endpoint: string;
  readonly phase: string;
  readonly deadlineMs: number;
}> = defineError(
  'connector.timed_out',
  { help: 'The connector hangs, or needs more time: the deadlines of a pipeline can be set.', retry: 'later' },
  (f) => `connector '${f.endpoint}' has not come back from ${f.phase} within ${f.deadlineMs} ms`,
);

export const CheckpointHeldBack: CodedErrorClass<{ readonly endpoint: string; readonly detail: string }> = defineError(
  'checkpoint.held_back',
  {
    help: 'A checkpoint says that what was sent to outputs before it is safe. One that is behind is waited for: see what holds it up. When one has failed, mend what is wrong and start the pipeline again: it goes on from its last checkpoint, and nothing is missing. Or remove the output.',
  },
  (f) => `no checkpoint while output ${f.endpoint} ${f.detail}`,
);
