// The avro output format: a message for each change, with the row in the form of a schema that the registry knows.
//
//   raw              value: the row · header `op`: insert, update, delete · with an index: key: its columns
//   confluent_jdbc   key: the columns of the index · value: the row, or none where the row is gone
//
// With an index (a unique key, by the user's word) what happens to a key in a batch is one message: a row that goes while another one
// comes is an update. Without, deletions come before insertions, and a row of weight w is |w| messages. Messages begin with 0 and the id of
// their schema, unless `skip_schema_id`; schemas are registered when the connector opens. Key and value have schemas of their own.

import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import { hashRows, rowEquality } from '../../runtime/batch/row-key.ts';
import type { Relation } from '../../runtime/batch/schema.ts';
import { type AvroType, parseAvroSchema } from '../sdk/avro-schema.ts';
import type { Encoded, Encoder, FormatContext, OutputFormat } from '../sdk/format.ts';
import type { ParameterValues } from '../sdk/parameters.ts';
import { type CellPlan, planCell, writeAvroRow, writeLength } from './avro-cells.ts';
import { messageHeadBytes } from './avro-lookup.ts';
import { unfit } from './avro-plan.ts';
import { recordSchemaOf } from './avro-relation-schema.ts';
import { copiesOf } from './change-copies.ts';
import { type ColumnSource, makeSources } from './column-source.ts';
import { FormatConflictingOptions } from './format-errors.ts';
import { MessageList } from './message-list.ts';
import { OutputBytes } from './output-bytes.ts';
import { avroOutputDeclaration } from './output-declarations.ts';
import { SchemaRegistryClient } from './schema-registry-client.ts';

export const avroOutput: OutputFormat<Promise<Encoder>> = {
  ...avroOutputDeclaration,
  encoder: async (configuration, relation, context) => await openEncoder(configuration, relation, context),
};

const insert = 0;
const update = 1;
const remove = 2;
const operationHeaders: readonly Readonly<Record<string, string>>[] = [
  { op: 'insert' },
  { op: 'update' },
  { op: 'delete' },
];
const operationLetters: readonly number[] = [0x49, 0x55, 0x44];

/** How one part of a message is written: the bytes in front, and its fields in the order of the schema. */
interface PartPlan {
  readonly head: Uint8Array;
  /** Null: the field that says what the message does. */
  readonly fields: readonly (CellPlan | null)[];
}

interface EncoderPlan {
  readonly sources: readonly ColumnSource[];
  readonly value: PartPlan;
  readonly key: PartPlan | null;
  /** Ordinals of the unique key; empty: there is none. */
  readonly keyColumns: readonly number[];
  readonly isJdbc: boolean;
}

/** @throws a coded error */
async function openEncoder(
  configuration: ParameterValues,
  relation: Relation,
  context: FormatContext | undefined,
): Promise<Encoder> {
  const isJdbc = configuration['update_format'] === 'confluent_jdbc';
  const keyName = context?.key?.name ?? null;
  const keyColumns = context?.key?.columns ?? [];
  const urls = configuration['registry_urls'];
  const hasRegistry = Array.isArray(urls) && urls.length > 0;
  const cdcField = typeof configuration['cdc_field'] === 'string' ? configuration['cdc_field'] : null;
  const keyMode = configuration['key_mode'];
  if (isJdbc && keyName === null)
    throw conflict('update_format confluent_jdbc needs a key: give the connector an index');
  if (keyMode === 'key_fields' && keyName === null)
    throw conflict('key_mode key_fields needs an index of the connector');
  const namespace = typeof configuration['namespace'] === 'string' ? configuration['namespace'] : null;
  const given = configuration['schema'];
  const text =
    typeof given === 'string'
      ? given
      : recordSchemaOf(relation, { name: relation.name, namespace, columns: null, extraField: cdcField });
  const hasKey = keyName !== null && keyMode !== 'none';
  const keyText = hasKey
    ? recordSchemaOf(relation, { name: keyName, namespace, columns: keyColumns, extraField: null })
    : null;
  const sources = makeSources(relation, 'avro');
  const value = planFields(
    sources,
    parseAvroSchema(text),
    cdcField,
    sources.map((_, ordinal) => ordinal),
  );
  const key = keyText === null ? null : planFields(sources, parseAvroSchema(keyText), null, keyColumns);

  const client = hasRegistry && context !== undefined ? new SchemaRegistryClient(configuration, context) : null;
  const topic = String(context?.transport['topic'] ?? '');
  const head = async (record: string, part: 'key' | 'value', schema: string): Promise<Uint8Array> => {
    const subject = subjectOf(configuration, { topic, record, part, hasKey });
    const id = client === null ? 0 : await client.register(subject, schema);
    if (configuration['skip_schema_id'] === true) return new Uint8Array(0);
    const bytes = new Uint8Array(messageHeadBytes);
    new DataView(bytes.buffer).setUint32(1, id);
    return bytes;
  };
  const keyPart =
    key === null || keyText === null || keyName === null
      ? null
      : { head: await head(keyName, 'key', keyText), fields: key };
  const valuePart = { head: await head(relation.name, 'value', text), fields: value };
  return new AvroEncoder({ sources, value: valuePart, key: keyPart, keyColumns, isJdbc });
}

interface SubjectParts {
  readonly topic: string;
  readonly record: string;
  readonly part: 'key' | 'value';
  readonly hasKey: boolean;
}

function subjectOf(configuration: ParameterValues, { topic, record, part, hasKey }: SubjectParts): string {
  const isJdbc = configuration['update_format'] === 'confluent_jdbc';
  const suffix = hasKey ? `-${part}` : '';
  switch (configuration['subject_name_strategy'] ?? (isJdbc ? 'topic_name' : 'record_name')) {
    case 'topic_name':
      return topic + suffix;
    case 'topic_record_name':
      return `${topic}-${record}${suffix}`;
    default:
      return record;
  }
}

function conflict(detail: string): Error {
  return new FormatConflictingOptions({ format: 'avro', detail });
}

/** A way for each field of the schema, and no column of `wanted` left out. @throws AvroUnfitSchema */
function planFields(
  sources: readonly ColumnSource[],
  type: AvroType,
  extraField: string | null,
  wanted: readonly number[],
): readonly (CellPlan | null)[] {
  if (type.kind !== 'record') throw unfit('it is no record');
  const fields = type.fields.map((field) => {
    if (field.name === extraField) return null;
    const ordinal = wanted.find((each) => {
      const column = sources[each]?.field;
      const isSame = column?.quoted !== true && column?.name.toLowerCase() === field.name.toLowerCase();
      return column?.name === field.name || isSame;
    });
    const source = ordinal === undefined ? undefined : sources[ordinal];
    if (ordinal === undefined || source === undefined) throw unfit(`there is no column for its field "${field.name}"`);
    return planCell(source, ordinal, field.type);
  });
  const lost = wanted.find((ordinal) => !fields.some((plan) => plan?.ordinal === ordinal));
  if (lost !== undefined) throw unfit(`it has no field for column ${sources[lost]?.field.name ?? ''}`);
  return fields;
}

class AvroEncoder implements Encoder {
  readonly #plan: EncoderPlan;
  readonly #output: OutputBytes = new OutputBytes();
  readonly #messages: MessageList = new MessageList();
  #at = 0;

  constructor(plan: EncoderPlan) {
    this.#plan = plan;
  }

  encode(batch: ChangeBatch): Encoded {
    this.#at = 0;
    this.#messages.clear();
    this.#plan.sources.forEach((source, c) => {
      source.bind(batch.columns[c]!);
    });
    if (this.#plan.keyColumns.length > 0) this.#encodeKeyed(batch);
    else {
      this.#encodePass(batch, true);
      this.#encodePass(batch, false);
    }
    const { key, isJdbc } = this.#plan;
    const messages = this.#messages.messages(key !== null, isJdbc ? [{}, {}, {}] : operationHeaders);
    return { bytes: this.#output.bytes.subarray(0, this.#at), records: messages.count, messages };
  }

  #encodePass(batch: ChangeBatch, deletions: boolean): void {
    const { weights, rows } = batch;
    for (let row = 0; row < rows; row++) {
      const weight = weights === null ? 1 : weights[row]!;
      if (weight < 0 !== deletions) continue;
      for (let copy = copiesOf(weight); copy > 0; copy--) this.#write(batch, row, deletions ? remove : insert);
    }
  }

  /** One message for each key: its last insertion, or its deletion. */
  #encodeKeyed(batch: ChangeBatch): void {
    const { weights, rows, columns } = batch;
    const keys = this.#plan.keyColumns.map((ordinal) => columns[ordinal]!);
    const hashes = hashRows(keys, rows);
    const equal = rowEquality(keys);
    // Rows of one key, each pointing at the one before; the latest by hash.
    const latest = new Map<number, number>();
    const previous = new Int32Array(rows).fill(-1);
    const removedBy = new Int32Array(rows).fill(-1);
    const insertedBy = new Int32Array(rows).fill(-1);
    const order: number[] = [];
    for (let row = 0; row < rows; row++) {
      let first = latest.get(hashes[row]!) ?? -1;
      while (first >= 0 && !equal(first, row)) first = previous[first]!;
      if (first < 0) {
        first = row;
        previous[row] = latest.get(hashes[row]!) ?? -1;
        latest.set(hashes[row]!, row);
        order.push(row);
      }
      if (weights !== null && weights[row]! < 0) removedBy[first] = row;
      else insertedBy[first] = row;
    }
    for (const first of order) {
      const inserted = insertedBy[first]!;
      const removed = removedBy[first]!;
      if (inserted < 0) this.#write(batch, removed, remove);
      else this.#write(batch, inserted, removed < 0 ? insert : update);
    }
  }

  #write(batch: ChangeBatch, row: number, operation: number): void {
    const { key, value, isJdbc } = this.#plan;
    if (key !== null) this.#writePart(key, batch, row, operation);
    const keyEnd = this.#at;
    const hasValue = !(isJdbc && operation === remove);
    if (hasValue) this.#writePart(value, batch, row, operation);
    this.#messages.add(keyEnd, this.#at, hasValue, operation);
  }

  #writePart({ head, fields }: PartPlan, batch: ChangeBatch, row: number, operation: number): void {
    const output = this.#output;
    output.reserve(this.#at, head.length);
    output.bytes.set(head, this.#at);
    this.#at += head.length;
    let from = 0;
    // The field that says what the message does stands between others, or behind them all.
    for (let f = 0; f <= fields.length; f++) {
      if (f < fields.length && fields[f] !== null) continue;
      // SAFETY: no field between the two is null.
      const part = (from === 0 && f === fields.length ? fields : fields.slice(from, f)) as readonly CellPlan[];
      this.#at = writeAvroRow(part, batch.columns, row, output, this.#at);
      if (f < fields.length) {
        output.reserve(this.#at, 2);
        this.#at = writeLength(1, output.bytes, this.#at);
        output.bytes[this.#at++] = operationLetters[operation]!;
      }
      from = f + 1;
    }
  }
}
