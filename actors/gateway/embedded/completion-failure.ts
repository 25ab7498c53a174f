// What a wait for the end of all inputs rejects with: the connectors that have failed, and why the first of them has.
import { errorFromData } from '../../../runtime/errors.ts';
import type { PipelineStats } from '../../supervisor/messages.ts';
import { CompletionFailed } from './embedded-errors.ts';

interface Unfinished {
  readonly failed: readonly string[];
  /** They wait for a failed one. */
  readonly stuck: readonly string[];
}

/** `stats`: after the failure; null where they cannot be had any more. */
export function completionFailure({ failed, stuck }: Unfinished, stats: PipelineStats | null): Error {
  const connectors = stats === null ? [] : [...stats.inputs, ...stats.outputs];
  const first = connectors.find(({ endpoint, error }) => error !== null && failed.includes(endpoint))?.error ?? null;
  return new CompletionFailed({ failed, stuck }, first === null ? {} : { cause: errorFromData(first) });
}
