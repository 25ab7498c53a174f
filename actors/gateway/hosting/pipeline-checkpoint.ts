// Checkpoints of pipelines: taken by the control thread between two steps, written by the store, read again at the next
// start. A checkpoint counts only when it is on disk.
import { systemClock } from '../../../runtime/clock.ts';
import type { CheckpointInfo, Store } from '../../store/messages.ts';
import type { CheckpointImage } from '../embedded/control-interface.ts';
import { HttpProblem } from '../http/http-problem.ts';
import { storedApiInputs } from './api-input-record.ts';
import type { HostedPipeline } from './hosted-pipeline.ts';
import { type CheckpointMetadata, checkpointIntervalMs, hasStorage } from './pipeline-record.ts';
import { stop, stopWith } from './pipeline-run.ts';

/** Returns its number at once; `checkpointSuccess` or `checkpointFailure` of the pipeline follows. */
export function beginCheckpoint(pipeline: HostedPipeline, store: Store): number {
  const sequence = ++pipeline.checkpointSequence;
  pipeline
    .exclusively((onlyWaits) => takeCheckpoint(pipeline, store, { onlyWaits }))
    .then(
      () => {
        pipeline.checkpointSuccess = sequence;
      },
      (error: unknown) => {
        const text = error instanceof Error ? error.message : String(error);
        pipeline.log('error', `checkpoint ${sequence} has failed: ${text}`);
        pipeline.checkpointFailure = { sequence_number: sequence, error: text, failed_at: pipeline.now() };
      },
    );
  return sequence;
}

/** Resolves when it is on disk. With `ends` no HTTP input enters the pipeline any more. `onlyWaits` is called when outputs are waited for. */
export async function takeCheckpoint(
  pipeline: HostedPipeline,
  store: Store,
  { ends = false, onlyWaits = () => {} }: { readonly ends?: boolean; readonly onlyWaits?: () => void } = {},
): Promise<void> {
  const deployment = pipeline.deployed();
  if (!hasStorage(pipeline.record)) {
    throw new HttpProblem({
      status: 400,
      code: 'StorageRequired',
      message: 'a checkpoint needs storage, which the runtime configuration switches off',
    });
  }
  // Rows of an open transaction enter no step: input would be held up in vain.
  const { transaction } = await deployment.call('stats', (control) => control.stats());
  if (transaction?.status === 'started') {
    throw new HttpProblem({
      status: 409,
      code: 'TransactionInProgress',
      message: 'there is no checkpoint within a transaction: commit it first',
      details: { transaction_id: transaction.id },
    });
  }
  pipeline.checkpointStartedAt = pipeline.now();
  try {
    const { image, upTo } = await deployment.journal.quiesced(async (upTo) => {
      const image = await deployment.wait('checkpoint', (control, waitId) => control.checkpoint(waitId));
      return { image, upTo };
    }, ends);
    if (!ends) onlyWaits();
    // HTTP input goes on while outputs take in what is theirs of it.
    const outputs = await deployment.wait('checkpoint', (control, waitId) => control.checkpointPrepared(waitId));
    await store.writeCheckpoint(pipeline.record.id, { ...image, outputs }, upTo);
    await deployment.call('checkpoint', (control) => control.checkpointStored());
  } finally {
    pipeline.checkpointStartedAt = null;
  }
  const all = await store.checkpoints(pipeline.record.id);
  const { connectorEdits = [], source } = pipeline.record;
  const { outputs } = await deployment.call('stats', (control) => control.stats());
  const sentByOutputs = Object.fromEntries(
    outputs.map(({ endpoint, transmittedRecords, transmittedBytes }) => {
      const before = deployment.sentBefore[endpoint] ?? { records: 0, bytes: 0 };
      return [endpoint, { records: before.records + transmittedRecords, bytes: before.bytes + transmittedBytes }];
    }),
  );
  pipeline.change({
    checkpoints: all.map(metadataOf),
    checkpointProgram: { programCode: source.programCode, edits: connectorEdits },
    apiInputs: storedApiInputs(deployment),
    sentByOutputs,
  });
}

/**
 * Takes a checkpoint, then stops; what has been computed still reaches the outputs. Without a checkpoint the pipeline stops
 * too, and its record says why: whoever asked for it must not believe that there is one.
 */
export async function suspend(pipeline: HostedPipeline, store: Store): Promise<void> {
  if (pipeline.record.resources !== 'Provisioned') return await stop(pipeline, { force: true });
  try {
    await takeCheckpoint(pipeline, store, { ends: true });
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return await stopWith(pipeline, {
      message: `the pipeline was stopped without a checkpoint: ${text}`,
      error_code: 'SuspendError',
      details: null,
    });
  }
  await stop(pipeline, { force: false });
}

/** How often it is looked whether a source waits for a checkpoint. */
const acknowledgementMs = 1_000;

/**
 * Takes checkpoints as often as the configuration says and, every second, where a source waits to hear that what it has sent is safe, until
 * the deployment ends. Busy or idle pipelines are left out.
 */
export function checkpointRegularly(pipeline: HostedPipeline, store: Store): void {
  const { deployment, record } = pipeline;
  const intervalMs = checkpointIntervalMs(record);
  if (deployment === null || deployment.ended.aborted || !hasStorage(record) || record.relay !== undefined) return;
  let isBusy = false;
  let stepsBefore = -1;
  let refusal: string | null = null;
  let dueAt = intervalMs === null ? Number.POSITIVE_INFINITY : systemClock.monotonic() + intervalMs;
  const turn = async (onlyWaits: () => void): Promise<void> => {
    const { engine, transaction, awaitsCheckpoint, positionMoves } = await deployment.call('stats', (control) =>
      control.stats(),
    );
    const isDue = systemClock.monotonic() >= dueAt;
    if (isDue) dueAt = systemClock.monotonic() + (intervalMs ?? 0);
    if (transaction !== null || (!isDue && !awaitsCheckpoint)) return;
    const steps = (engine?.steps ?? 0) + positionMoves;
    if (steps === stepsBefore || pipeline.deployment !== deployment || deployment.ended.aborted) return;
    const sequence = ++pipeline.checkpointSequence;
    try {
      await takeCheckpoint(pipeline, store, { onlyWaits });
      pipeline.checkpointSuccess = sequence;
      stepsBefore = steps;
      refusal = null;
    } catch (error) {
      if (deployment.ended.aborted) return;
      const text = error instanceof Error ? error.message : String(error);
      // The same reason once a second says nothing new.
      if (text !== refusal) pipeline.log('error', `checkpoint ${sequence} has failed: ${text}`);
      refusal = text;
      pipeline.checkpointFailure = { sequence_number: sequence, error: text, failed_at: pipeline.now() };
    }
  };
  const timer = systemClock.every(Math.min(acknowledgementMs, intervalMs ?? acknowledgementMs), () => {
    if (isBusy || record.resources !== 'Provisioned') return;
    isBusy = true;
    pipeline
      .exclusively(turn)
      // A pipeline that is ending does not answer.
      .catch(() => {})
      .finally(() => {
        isBusy = false;
      });
  });
  deployment.ended.addEventListener('abort', () => timer.cancel(), { once: true });
}

/** The latest, for the next start; null when there is none. */
export async function latestCheckpoint(pipeline: HostedPipeline, store: Store): Promise<CheckpointImage | null> {
  // The store is asked in any case: a server that was killed may not have noted its latest checkpoint in the record.
  const read = await store.readCheckpoint(pipeline.record.id);
  if (read === null && (pipeline.record.checkpoints ?? []).length === 0) return null;
  if (read === null) {
    throw new HttpProblem({
      status: 500,
      code: 'CheckpointMissing',
      message: `the checkpoint of pipeline '${pipeline.name}' is not in the store`,
    });
  }
  return read.image;
}

function metadataOf(info: CheckpointInfo): CheckpointMetadata {
  // Clients read a number; the first 48 bits of ours are one that they can hold.
  const fingerprint = Number.parseInt(info.fingerprint.slice(0, 12), 16);
  return {
    uuid: info.uuid,
    identifier: null,
    fingerprint: Number.isNaN(fingerprint) ? 0 : fingerprint,
    size: info.bytes,
    steps: info.steps,
    processed_records: info.processedRecords,
  };
}
