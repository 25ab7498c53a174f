// Checkpoints of pipelines: taken by the control thread between two steps, written by the store, read again at the next
// start. A checkpoint counts only when it is on disk.
import type { CheckpointInfo, Store } from '../../store/messages.ts';
import type { CheckpointImage } from '../embedded/control-interface.ts';
import { HttpProblem } from '../server/http-problem.ts';
import type { HostedPipeline } from './hosted-pipeline.ts';
import type { CheckpointMetadata } from './pipeline-record.ts';
import { stop, stopWith } from './pipeline-run.ts';

/** Returns its number at once; `checkpointSuccess` or `checkpointFailure` of the pipeline follows. */
export function beginCheckpoint(pipeline: HostedPipeline, store: Store): number {
  const sequence = ++pipeline.checkpointSequence;
  pipeline
    .exclusively(() => takeCheckpoint(pipeline, store))
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

/** Resolves when it is on disk. */
export async function takeCheckpoint(pipeline: HostedPipeline, store: Store): Promise<void> {
  const deployment = pipeline.deployed();
  if (pipeline.record.source.runtimeConfig['storage'] === null) {
    throw new HttpProblem({
      status: 400,
      code: 'StorageRequired',
      message: 'a checkpoint needs storage, which the runtime configuration switches off',
    });
  }
  const image = await deployment.wait('checkpoint', (control, waitId) => control.checkpoint(waitId));
  await store.writeCheckpoint(pipeline.record.id, image);
  const all = await store.checkpoints(pipeline.record.id);
  pipeline.change({ checkpoints: all.map(metadataOf) });
}

/**
 * Takes a checkpoint, then stops; what has been computed still reaches the outputs. Without a checkpoint the pipeline stops
 * too, and its record says why: whoever asked for it must not believe that there is one.
 */
export async function suspend(pipeline: HostedPipeline, store: Store): Promise<void> {
  if (pipeline.record.resources !== 'Provisioned') return await stop(pipeline, { force: true });
  try {
    await takeCheckpoint(pipeline, store);
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

/** The latest, for the next start; null when there is none. */
export async function latestCheckpoint(pipeline: HostedPipeline, store: Store): Promise<CheckpointImage | null> {
  if ((pipeline.record.checkpoints ?? []).length === 0) return null;
  const read = await store.readCheckpoint(pipeline.record.id);
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
