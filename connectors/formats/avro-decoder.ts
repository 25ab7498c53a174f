// The avro input format: one record of Avro in each message, as a row or as an event of Debezium.
//
// A message begins with the id of its schema, unless `skip_schema_id` says that it does not; schemas come from the registry
// (avro-lookup.ts) or, one for all messages, from the configuration. Each schema is planned once (avro-plan.ts). A message whose schema is
// unknown or does not fit the table, and one that is malformed, is counted, listed and left out whole.
//   raw        the record is a row to insert
//   debezium   the row `before`, if there is one, goes; the row `after`, if there is one, comes. With a primary key `before` needs no
//              other columns than those of the key.

import { BatchBuilder } from '../../runtime/batch/batch-builder.ts';
import { AvroMalformed } from '../sdk/avro-codec.ts';
import { AvroSchemaInvalid, type AvroType, parseAvroSchema } from '../sdk/avro-schema.ts';
import type { DecodeReport, Decoder, DecoderContext, Splitter, StreamInputFormat } from '../sdk/format.ts';
import type { ParameterValues } from '../sdk/parameters.ts';
import type { MessageBorders } from '../sdk/source.ts';
import { AvroLookup, type FoundSchemas, messageHeadBytes, schemaIdAt } from './avro-lookup.ts';
import { AvroUnfitSchema, planRow, type RowPlan, skipped, unfit, type ValuePlan } from './avro-plan.ts';
import { AvroInput, readAvroRow, readLength, skipAvro } from './avro-row.ts';
import { encodeDefaults } from './column-default.ts';
import { type ColumnTarget, makeTargets } from './column-target.ts';
import { avroInputDeclaration } from './input-declarations.ts';
import { Refusal, reportRefusal } from './refusal.ts';
import { RowWriter } from './row-writer.ts';
import type { SchemaText } from './schema-registry-client.ts';

export const avroInput: StreamInputFormat = {
  ...avroInputDeclaration,
  splitter: () => new NoBorders(),
  decoder: (configuration, context) => new AvroDecoder(configuration, context),
  lookup: (configuration, context) => {
    if (typeof configuration['schema'] !== 'string') return new AvroLookup(configuration, context);
    // A schema that does not fit the table is wrong before the first message comes.
    new AvroDecoder(configuration, { relation: context.relation, defaults: [], strict: false }).requireFit();
    return { find: () => undefined };
  },
};

/** Records do not say where they end: whoever gives messages does. */
class NoBorders implements Splitter {
  split(): number {
    return 0;
  }

  reset(): void {}
}

/** How the messages of one schema are read; or why they cannot be. */
type MessagePlan =
  | { readonly kind: 'row'; readonly row: RowPlan }
  | { readonly kind: 'event'; readonly fields: readonly EventField[] }
  | { readonly kind: 'unfit'; readonly reason: string };

/** Of a change event: a row that goes or comes, or something else. `branch` of its union is the row; -1: it is no union. */
type EventField =
  | { readonly sign: 1 | -1; readonly branch: number; readonly branches: readonly AvroType[]; readonly row: RowPlan }
  | { readonly sign: 0; readonly skip: ValuePlan };

class AvroDecoder implements Decoder {
  readonly defaults: (Uint8Array | null)[];
  readonly #context: DecoderContext;
  readonly #isDebezium: boolean;
  readonly #headBytes: number;
  readonly #targets: readonly ColumnTarget[];
  readonly #writer: RowWriter;
  readonly #refusal: Refusal = new Refusal();
  readonly #schemas: FoundSchemas;
  /** Of the one schema of all messages. */
  readonly #fixed: MessagePlan | null;
  readonly #plans = new Map<number, MessagePlan>();
  #latestId = -1;
  #latest: MessagePlan | null = null;

  /** @throws FormatBadDefault, FormatUnsupportedType */
  constructor(configuration: ParameterValues, context: DecoderContext) {
    const { relation, defaults } = context;
    this.#context = context;
    this.#isDebezium = configuration['update_format'] === 'debezium';
    this.#headBytes = configuration['skip_schema_id'] === true ? 0 : messageHeadBytes;
    this.#targets = makeTargets(relation, new BatchBuilder(relation.schema, 8).columns, 'avro');
    this.defaults = encodeDefaults(this.#targets, defaults);
    this.#writer = new RowWriter(this.#targets);
    // SAFETY: what AvroLookup has found.
    this.#schemas = (context.found ?? {}) as FoundSchemas;
    const { schema } = configuration;
    this.#fixed = typeof schema === 'string' ? this.#plan({ text: schema, references: [] }) : null;
  }

  /** @throws AvroUnfitSchema */
  requireFit(): void {
    if (this.#fixed?.kind === 'unfit') throw unfit(this.#fixed.reason);
  }

  decode(bytes: Uint8Array, builder: BatchBuilder, report: DecodeReport): void {
    const messages = { starts: Int32Array.of(0), ends: Int32Array.of(bytes.length) };
    this.decodeMessages(bytes, messages, builder, report, null);
  }

  decodeMessages(
    bytes: Uint8Array,
    { starts, ends }: MessageBorders,
    builder: BatchBuilder,
    report: DecodeReport,
    before: ((message: number) => void) | null,
  ): void {
    const input = new AvroInput(bytes);
    const count = starts.length;
    this.#writer.start(builder, count);
    for (let i = 0; i < count; i++) {
      before?.(i);
      input.at = starts[i]!;
      input.end = ends[i]!;
      const row = this.#writer.row;
      if (this.#decodeMessage(input)) continue;
      this.#writer.rollback();
      if (this.#writer.row > row) this.#writer.rollbackTo(row);
      const refused = { bytes, record: report.records + i + 1, start: starts[i]!, end: ends[i]! };
      reportRefusal(report, this.#refusal, refused, this.#context.relation.schema.fields);
    }
    this.#writer.finish();
    report.records += count;
  }

  /** False: refused. */
  #decodeMessage(input: AvroInput): boolean {
    const plan = this.#planAt(input);
    if (plan === null) return false;
    try {
      const isGood = plan.kind === 'row' ? this.#insertRow(input, plan.row) : this.#applyEvent(input, plan);
      if (!isGood || input.at === input.end) return isGood;
      this.#refusal.set('malformed', -1, input.at, -1, 'there are bytes behind the record');
    } catch (thrown) {
      if (!(thrown instanceof AvroMalformed)) throw thrown;
      this.#refusal.set('malformed', -1, input.at, -1, thrown.message);
    }
    return false;
  }

  #insertRow(input: AvroInput, plan: RowPlan): boolean {
    this.#writer.prepare();
    if (!readAvroRow(input, plan, this.#writer.row, this.defaults, this.#refusal)) return false;
    this.#writer.commit();
    return true;
  }

  #applyEvent(input: AvroInput, { fields }: Extract<MessagePlan, { kind: 'event' }>): boolean {
    for (const field of fields) {
      if (field.sign === 0) {
        skipAvro(input, field.skip.type, 0);
        continue;
      }
      const branch = field.branch < 0 ? field.branch : readLength(input);
      if (branch !== field.branch) {
        const other = field.branches[branch];
        if (other === undefined) throw new AvroMalformed({ detail: 'a union has no such branch' });
        skipAvro(input, other, 0);
        continue;
      }
      this.#writer.prepare();
      if (!readAvroRow(input, field.row, this.#writer.row, this.defaults, this.#refusal)) return false;
      if (field.sign > 0) this.#writer.commit();
      else this.#writer.commitNow(-1);
    }
    return true;
  }

  /** For the message at hand; the input is then behind its head. Null: refused. */
  #planAt(input: AvroInput): Exclude<MessagePlan, { kind: 'unfit' }> | null {
    const start = input.at;
    if (this.#headBytes > 0) {
      if (input.end - start < messageHeadBytes || input.bytes[start] !== 0) {
        const detail = 'the message does not begin with 0 and the id of a schema';
        this.#refusal.set('malformed', -1, start, -1, detail);
        return null;
      }
      input.at = start + messageHeadBytes;
    }
    const plan = this.#fixed ?? this.#planOf(schemaIdAt(input.bytes, start));
    if (plan.kind !== 'unfit') return plan;
    this.#refusal.set('malformed', -1, start, -1, plan.reason);
    return null;
  }

  #planOf(id: number): MessagePlan {
    if (id === this.#latestId && this.#latest !== null) return this.#latest;
    let plan = this.#plans.get(id);
    if (plan === undefined) {
      const schema = this.#schemas[id] ?? null;
      plan = schema === null ? { kind: 'unfit', reason: `the registry has no Avro schema ${id}` } : this.#plan(schema);
      this.#plans.set(id, plan);
    }
    this.#latestId = id;
    this.#latest = plan;
    return plan;
  }

  #plan({ text, references }: SchemaText): MessagePlan {
    const { strict } = this.#context;
    try {
      const type = parseAvroSchema(text, references);
      if (this.#isDebezium) return { kind: 'event', fields: this.#planEvent(type) };
      return { kind: 'row', row: planRow(type, { targets: this.#targets, only: null, strict }) };
    } catch (thrown) {
      if (!(thrown instanceof AvroUnfitSchema || thrown instanceof AvroSchemaInvalid)) throw thrown;
      return { kind: 'unfit', reason: thrown instanceof AvroUnfitSchema ? thrown.fields.detail : thrown.message };
    }
  }

  /** @throws AvroUnfitSchema */
  #planEvent(type: AvroType): readonly EventField[] {
    if (type.kind !== 'record' || !type.fields.some(({ name }) => name === 'after')) {
      throw unfit('it is no change event of Debezium: a record with a field "after"');
    }
    const { strict, relation } = this.#context;
    const key = relation.primaryKey.length > 0 ? relation.primaryKey : null;
    return type.fields.map(({ name, type: inner }) => {
      const sign = name === 'after' ? 1 : name === 'before' ? -1 : 0;
      if (sign === 0) return { sign, skip: skipped(inner) };
      const branches = inner.kind === 'union' ? inner.branches : [inner];
      const branch = branches.findIndex((each) => each.kind === 'record');
      const record = branches[branch];
      if (record === undefined) throw unfit(`its field "${name}" holds no record`);
      const row = planRow(record, { targets: this.#targets, only: sign < 0 ? key : null, strict });
      return { sign, branch: inner.kind === 'union' ? branch : -1, branches, row };
    });
  }
}
