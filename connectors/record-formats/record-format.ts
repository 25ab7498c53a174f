// How records become text, one a line: the formats that `sdk.record.format` names.
//
// A printer prints whole batches from columns. A record that cannot be printed (a template that fails on it) is left out and
// reported with its row: the dead-letter queue decides. One printer belongs to one destination; the bytes are valid until its next call.
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import type { FailedRecord } from '../sdk/processor.ts';

export interface PrintedRecords {
  /** Every line ends with a line feed. */
  readonly bytes: Uint8Array;
  /** Ascending. */
  readonly failed: readonly FailedRecord[];
}

export interface RecordPrinter {
  /** Rows start .. end of a batch of records. */
  print(batch: ChangeBatch, start: number, end: number): PrintedRecords;
}
