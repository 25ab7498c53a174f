// The events and the log of a pipeline as they are kept on disk (history-saver.ts).
import type { PipelineEvent } from './event-history.ts';
import type { StoredLog } from './log-buffer.ts';

export interface StoredHistory {
  readonly events: readonly PipelineEvent[];
  readonly log: StoredLog;
  /** Written at the end of the server: nothing is missing. */
  readonly isWhole: boolean;
}
