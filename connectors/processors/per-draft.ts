// Processors that change one record at a time, as a function of a draft: what it throws refuses that record.
import { type Processor, perRecord } from '../sdk/processor.ts';
import type { ConnectorRecord } from '../sdk/record.ts';
import type { RecordDraft } from './field-reference.ts';

export function perDraft(change: (draft: RecordDraft) => Promise<void> | void): Pick<Processor, 'process'> {
  return perRecord((record) => {
    const draft = draftOf(record);
    const changed = change(draft);
    return changed === undefined ? draft : changed.then(() => draft);
  });
}

/** perRecord makes a record for every row and keeps none, so its maps may be changed; metadata is copied, since null counts too. */
export function draftOf(record: ConnectorRecord): RecordDraft {
  return { ...record, metadata: { ...record.metadata } };
}

/** Raw data in a field is text or bytes; null: it is something else. */
export function rawText(value: unknown): string | null {
  if (typeof value === 'string') return value;
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.length).toString() : null;
}
