// Changes as events of Debezium for a topic: what its connectors write, and sinks of Kafka Connect (its JDBC sink for instance) take.
//
//   key     {"schema":…,"payload":{key fields}}                   without `key_fields`: the whole row
//   value   {"schema":…,"payload":{"op":"c","after":{row}}}       or {"op":"d","before":{row}}
//
// Every deletion of a batch precedes every insertion: an update is a `d` and a `c` under the same key. A row of weight w is |w| events.
// Rows are as connect-row.ts prints them.
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import type { Field, Relation } from '../../runtime/batch/schema.ts';
import { nearestName } from '../../runtime/nearest-name.ts';
import type { Encoded, Encoder } from '../sdk/format.ts';
import { copiesOf } from './change-copies.ts';
import { type ColumnSource, makeSources } from './column-source.ts';
import { type ConnectColumn, connectColumns, printConnectRow } from './connect-row.ts';
import { connectStruct } from './connect-schema.ts';
import { FormatUnknownColumn } from './format-errors.ts';
import { MessageList } from './message-list.ts';
import { makeStamp, OutputBytes, printStamp, type Stamp } from './output-bytes.ts';

export class DebeziumEncoder implements Encoder {
  readonly #sources: readonly ColumnSource[];
  readonly #columns: readonly ConnectColumn[];
  readonly #keyColumns: readonly ConnectColumn[];
  readonly #keyHead: Stamp;
  readonly #insertHead: Stamp;
  readonly #deleteHead: Stamp;
  readonly #messages: MessageList = new MessageList();
  readonly #output: OutputBytes = new OutputBytes();
  #at = 0;

  /** `keyFields` null: the whole row is the key. @throws FormatUnknownColumn, FormatUnsupportedType */
  constructor(keyFields: readonly string[] | null, relation: Relation) {
    const { fields } = relation.schema;
    this.#sources = makeSources(relation, 'json');
    const keys = (keyFields ?? fields.map(({ name }) => name)).map((name) => ordinalOf(name, fields, relation));
    this.#columns = connectColumns(this.#sources);
    this.#keyColumns = connectColumns(keys.map((ordinal) => this.#sources[ordinal]!));
    const row = (field: string): object => connectStruct(fields, { field, optional: true });
    const envelope = {
      type: 'struct',
      fields: [row('before'), row('after'), { type: 'string', optional: false, field: 'op' }],
      optional: false,
    };
    const key = connectStruct(
      keys.map((ordinal) => fields[ordinal]!),
      { optional: false },
    );
    const head = (schema: object, payload: string): Stamp =>
      makeStamp(`{"schema":${JSON.stringify(schema)},"payload":${payload}`);
    this.#keyHead = head(key, '');
    this.#insertHead = head(envelope, '{"op":"c","after":');
    this.#deleteHead = head(envelope, '{"op":"d","before":');
  }

  encode(batch: ChangeBatch): Encoded {
    this.#at = 0;
    this.#messages.clear();
    this.#sources.forEach((source, c) => {
      source.bind(batch.columns[c]!);
    });
    if (batch.weights !== null) this.#encodePass(batch.rows, batch.weights, true);
    this.#encodePass(batch.rows, batch.weights, false);
    const messages = this.#messages.messages(true, [{}]);
    return { bytes: this.#output.bytes.subarray(0, this.#at), records: messages.count, messages };
  }

  #encodePass(rows: number, weights: Int32Array | null, deletions: boolean): void {
    for (let row = 0; row < rows; row++) {
      const weight = weights === null ? 1 : weights[row]!;
      if (weight < 0 !== deletions) continue;
      for (let copy = copiesOf(weight); copy > 0; copy--) this.#write(row, deletions);
    }
  }

  #write(row: number, isDeletion: boolean): void {
    this.#print(this.#keyHead, this.#keyColumns, row, 1);
    const keyEnd = this.#at;
    this.#print(isDeletion ? this.#deleteHead : this.#insertHead, this.#columns, row, 2);
    this.#messages.add(keyEnd, this.#at, true, 0);
  }

  /** A row behind what stands before it, and so many braces. */
  #print(head: Stamp, columns: readonly ConnectColumn[], row: number, braces: number): void {
    const output = this.#output;
    output.reserve(this.#at, head.bytes.length);
    const at = printStamp(head, output.bytes, output.view, this.#at);
    this.#at = printConnectRow(columns, row, output, at);
    output.reserve(this.#at, braces);
    output.bytes.fill(0x7d, this.#at, this.#at + braces);
    this.#at += braces;
  }
}

function ordinalOf(wanted: string, fields: readonly Field[], { name: relation }: Relation): number {
  const exact = fields.findIndex(({ name }) => name === wanted);
  const found =
    exact >= 0 ? exact : fields.findIndex(({ name, quoted }) => quoted !== true && name === wanted.toLowerCase());
  if (found >= 0) return found;
  const names = fields.map(({ name }) => name);
  throw new FormatUnknownColumn(
    { option: 'key_fields', column: wanted, relation },
    { suggestion: nearestName(wanted, names) },
  );
}
