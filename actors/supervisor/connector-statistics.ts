// Counters of a connector, from its gauges in shared memory and its lists of errors, in the form that users see. Pure.
import type { Gauges } from '../../runtime/metrics.ts';
import type { DestinationErrors } from '../destination/messages.ts';
import type { EngineProgress } from '../engine/messages.ts';
import type { SourceErrors } from '../source/messages.ts';
import type { ConnectorStatus, EngineStats, InputConnectorStats, OutputConnectorStats } from './messages.ts';

/** What a connector's handle knows of it. `gauges` is null while it has never been opened. */
interface Counted {
  readonly gauges: Gauges | null;
  readonly connector: { readonly maxQueuedRecords: number; readonly maxQueuedBytes: number };
}

export function inputStatistics(
  { gauges, connector, takenRecords }: Counted & { readonly takenRecords: number },
  status: ConnectorStatus,
  errors: SourceErrors,
): InputConnectorStats {
  // The gauges of an actor that is gone stand still, while the engine takes what it had sent.
  const isOver = status.state === 'ended' || status.state === 'failed' || status.state === 'stopped';
  return {
    ...status,
    totalRecords: gauges?.get('records') ?? 0,
    totalBytes: gauges?.get('bytes') ?? 0,
    takenRecords,
    bufferedRecords: isOver ? 0 : (gauges?.get('queuedRecords') ?? 0),
    bufferedBytes: isOver ? 0 : (gauges?.get('queuedBytes') ?? 0),
    numParseErrors: gauges?.get('numParseErrors') ?? 0,
    numUnknownFields: gauges?.get('numUnknownFields') ?? 0,
    numTransportErrors: transportErrors(gauges, status, gauges?.get('numParseErrors') ?? 0),
    inspectorDroppedRecords: gauges?.get('inspectorDroppedRecords') ?? 0,
    endOfInput: status.state === 'ended',
    maxQueuedRecords: connector.maxQueuedRecords,
    maxQueuedBytes: connector.maxQueuedBytes,
    throttledMs: gauges?.get('throttledMs') ?? 0,
    bytesTotal: gauges?.get('bytesTotal') || null,
    recordsTotal: gauges?.get('recordsTotal') || null,
    parseErrors: errors.parseErrors,
    transportErrors: errors.transportErrors,
  };
}

/** One that has failed has had an error, also where nobody was there to count it: it could not be opened. */
function transportErrors(gauges: Gauges | null, { state }: ConnectorStatus, others: number): number {
  const counted = gauges?.get('numTransportErrors') ?? 0;
  return counted + others === 0 && state === 'failed' ? 1 : counted;
}

/** What the engine knows of an output: it stands in front of the destination's mailbox. */
export interface OutputQueueState {
  readonly droppedRecords: number;
  readonly queuedRecords: number;
  readonly queuedBatches: number;
  readonly queuedBytes: number;
  /** Of what was taken in: as far as it has confirmed. */
  readonly completedStep: number;
  readonly completedRecords: number;
}

export const emptyQueue: OutputQueueState = {
  droppedRecords: 0,
  queuedRecords: 0,
  queuedBatches: 0,
  queuedBytes: 0,
  completedStep: 0,
  completedRecords: 0,
};

export function outputStatistics(
  { gauges, connector, queue }: Counted & { readonly queue: OutputQueueState },
  status: ConnectorStatus,
  errors: DestinationErrors,
): OutputConnectorStats {
  return {
    ...status,
    transmittedRecords: gauges?.get('records') ?? 0,
    transmittedBytes: gauges?.get('bytes') ?? 0,
    queuedRecords: queue.queuedRecords,
    queuedBatches: queue.queuedBatches,
    queuedBytes: queue.queuedBytes,
    bufferedRecords: gauges?.get('bufferedRecords') ?? 0,
    bufferedBatches: gauges?.get('bufferedBatches') ?? 0,
    bufferedBytes: gauges?.get('bufferedBytes') ?? 0,
    completedStep: queue.completedStep,
    completedRecords: queue.completedRecords,
    maxQueuedRecords: connector.maxQueuedRecords,
    maxQueuedBytes: connector.maxQueuedBytes,
    numEncodeErrors: gauges?.get('numEncodeErrors') ?? 0,
    numTransportErrors: transportErrors(gauges, status, gauges?.get('numEncodeErrors') ?? 0),
    inspectorDroppedRecords: gauges?.get('inspectorDroppedRecords') ?? 0,
    droppedRecords: queue.droppedRecords,
    encodeErrors: errors.encodeErrors,
    transportErrors: errors.transportErrors,
  };
}

export function engineStatistics(
  gauges: Gauges,
  progress: Pick<
    EngineProgress,
    'steps' | 'completedStep' | 'processedRecords' | 'completedRecords' | 'heldMs' | 'sharing'
  >,
): EngineStats {
  return {
    steps: progress.steps,
    completedStep: progress.completedStep,
    processedRecords: progress.processedRecords,
    completedRecords: progress.completedRecords,
    heldMs: progress.heldMs ?? 0,
    stepMs: gauges.get('stepNanos') / 1e6,
    stateRows: gauges.get('stateRows'),
    stateBytes: gauges.get('stateBytes'),
    numEvaluationErrors: gauges.get('numEvaluationErrors'),
    sharing: progress.sharing ?? null,
  };
}
