// One message of an egress stream, read from its line.
import { ClientError } from './client-error.ts';
import { type NumberForms, parseJson } from './exact-json.ts';

export interface EgressMessage<Row> {
  readonly sequenceNumber: number;
  /** 1 when the message carries data and so uses up its number, 0 when it repeats the latest one. */
  readonly ownNumber: 0 | 1;
  readonly snapshot: boolean;
  readonly snapshotEnd: boolean;
  readonly incarnation: string | null;
  readonly rows: readonly Row[];
  readonly weights: readonly number[];
  readonly processedSteps: number | null;
}

/** @throws ClientError `client.malformed_reply` */
export function readMessage<Row>(line: string, forms: NumberForms): EgressMessage<Row> {
  const value = parseJson(line, forms);
  const fields: Readonly<Record<string, unknown>> = typeof value === 'object' && value !== null ? { ...value } : {};
  const { sequence_number: number, json_data: data = [], incarnation, processed_steps: steps } = fields;
  if ((typeof number !== 'number' && typeof number !== 'bigint') || !Array.isArray(data)) throw malformed(line);
  const rows: Row[] = [];
  const weights: number[] = [];
  for (const change of data) {
    const isDelete = typeof change === 'object' && change !== null && 'delete' in change;
    const row: unknown = isDelete ? change.delete : change?.insert;
    if (typeof row !== 'object' || row === null) throw malformed(line);
    // SAFETY: the user's own generic says what rows look like.
    rows.push(row as Row);
    weights.push(isDelete ? -1 : 1);
  }
  return {
    sequenceNumber: Number(number),
    ownNumber: rows.length > 0 ? 1 : 0,
    snapshot: fields['snapshot'] === true,
    snapshotEnd: fields['snapshot_end'] === true,
    incarnation: typeof incarnation === 'string' ? incarnation : null,
    rows,
    weights,
    processedSteps: typeof steps === 'number' || typeof steps === 'bigint' ? Number(steps) : null,
  };
}

function malformed(line: string): ClientError {
  return new ClientError({
    code: 'client.malformed_reply',
    message: `this is no message of an egress stream: ${line.slice(0, 200)}`,
    retryable: true,
  });
}
