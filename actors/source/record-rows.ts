// From records to rows of a table: what a source of records brings into a pipeline with SQL.
//
//   create, snapshot   {insert: after}
//   update             {delete: before, insert: after} where before is known, else {insert: after}, which needs a primary key
//   delete             {delete: before} or, where that is not known, {delete: key}
//
// The members of a payload are columns by name; raw bytes are read as one JSON object. Columns named opencdc_position, opencdc_key,
// opencdc_metadata and opencdc_operation take those of the record where the payload has no such member; a table with one column,
// a VARIANT, takes the record whole. Values keep what they are (row-objects.ts) or the record is refused: counted and listed, never thrown.
import type { DecodeError } from '../../connectors/sdk/format.ts';
import { errorsMax } from '../../connectors/sdk/format.ts';
import type { ConnectorRecord, RecordData } from '../../connectors/sdk/record.ts';
import { recordsOf } from '../../connectors/sdk/record-batch.ts';
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import { rowsToBatch } from '../../runtime/batch/row-objects.ts';
import type { Relation } from '../../runtime/batch/schema.ts';
import { parseVariant } from '../../runtime/batch/variant-json.ts';
import { encodeAll } from './encoded-batch.ts';
import type { Decoded } from './piece-decoder.ts';

type Row = Readonly<Record<string, unknown>>;

/** Why a record is no row. */
class NotARow extends Error {}

export class RecordRows {
  readonly #relation: Relation;
  readonly #defaults: readonly (string | null)[];
  /** Columns of the record itself, by what they take. */
  readonly #own: ReadonlyMap<string, (record: ConnectorRecord) => unknown>;
  /** The column that takes a record whole. */
  readonly #whole: string | null;

  constructor(relation: Relation, defaults: readonly (string | null)[]) {
    const { fields } = relation.schema;
    this.#relation = relation;
    this.#defaults = defaults;
    this.#own = new Map(Object.entries(ownColumns).filter(([name]) => fields.some((field) => field.name === name)));
    const [only] = fields;
    this.#whole = fields.length === 1 && only?.type.kind === 'VARIANT' ? only.name : null;
  }

  convert(batch: ChangeBatch): Decoded {
    const changes: unknown[] = [];
    const numbers: number[] = [];
    const errors: DecodeError[] = [];
    let numParseErrors = 0;
    const refuse = (number: number, reason: string, field: string | null, suggestion: string | null): void => {
      numParseErrors++;
      if (errors.length >= errorsMax) return;
      const code = 'source.record_not_a_row';
      errors.push({ record: number, offset: 0, code, message: reason, field, fragment: '', suggestion });
    };
    for (const [i, record] of recordsOf(batch).entries()) {
      try {
        changes.push(this.#changeOf(record));
        numbers.push(i + 1);
      } catch (error) {
        if (!(error instanceof NotARow)) throw error;
        refuse(i + 1, error.message, null, null);
      }
    }
    const made = rowsToBatch(changes, this.#relation, this.#defaults, { updateFormat: 'insert_delete' });
    for (const { row, reason, field, suggestion } of made.problems) {
      refuse(numbers[row - 1] ?? row, reason, field, suggestion);
    }
    const batches = made.batch.rows === 0 ? [] : encodeAll([made.batch]);
    const { numUnknownFields } = made;
    return { batches, records: batch.rows, numParseErrors, numUnknownFields, errors, fatal: null };
  }

  #changeOf(record: ConnectorRecord): unknown {
    const { operation, before, after, key } = record;
    if (this.#whole !== null) return { insert: { [this.#whole]: wholeRecord(record) } };
    if (operation === 'delete') {
      if (before !== null) return { delete: rowOf(before, 'before') };
      return { delete: this.#keyRow(key) };
    }
    const insert = this.#withOwn(rowOf(after, 'after'), record);
    if (operation !== 'update') return { insert };
    if (before !== null) return { delete: rowOf(before, 'before'), insert };
    if (this.#relation.primaryKey.length === 0) {
      throw new NotARow('an update without what was before needs a table with a primary key');
    }
    return { insert };
  }

  #withOwn(row: Row, record: ConnectorRecord): Row {
    if (this.#own.size === 0) return row;
    const full: Record<string, unknown> = { ...row };
    for (const [name, take] of this.#own) if (!Object.hasOwn(row, name)) full[name] = take(record);
    return full;
  }

  /** A structured key by its members; a raw one as JSON, or as it is where the primary key has one column. */
  #keyRow(key: RecordData): Row {
    if (key === null) throw new NotARow('a deletion needs what was before, or a key');
    const { primaryKey, schema } = this.#relation;
    const only = primaryKey.length === 1 ? schema.fields[primaryKey[0] ?? 0] : undefined;
    if (!(key instanceof Uint8Array)) return key;
    const text = textOf(key, 'the key');
    const parsed = parsedOrNull(text);
    if (isRow(parsed)) return parsed;
    if (only === undefined) throw new NotARow('the key is no object, and the primary key has several columns');
    return { [only.name]: parsed ?? text };
  }
}

const ownColumns: Readonly<Record<string, (record: ConnectorRecord) => unknown>> = {
  opencdc_position: ({ position }) => shown(position),
  opencdc_key: ({ key }) => shown(key),
  opencdc_metadata: ({ metadata }) => metadata,
  opencdc_operation: ({ operation }) => operation,
};

function rowOf(data: RecordData, which: string): Row {
  if (data === null) throw new NotARow(`the record has no payload '${which}'`);
  if (!(data instanceof Uint8Array)) return data;
  const parsed = parsedOrNull(textOf(data, `payload '${which}'`));
  if (!isRow(parsed)) throw new NotARow(`payload '${which}' is raw bytes that are no JSON object`);
  return parsed;
}

function wholeRecord(record: ConnectorRecord): unknown {
  const { position, operation, metadata, key, before, after } = record;
  return {
    position: shown(position),
    operation,
    metadata,
    key: shown(key),
    payload: { before: shown(before), after: shown(after) },
  };
}

/** Raw bytes as what their JSON says, else as text, else as base64. */
function shown(data: RecordData): unknown {
  if (!(data instanceof Uint8Array)) return data;
  const text = decoded(data);
  return text === null ? Buffer.from(data).toString('base64') : (parsedOrNull(text) ?? text);
}

function textOf(bytes: Uint8Array, what: string): string {
  const text = decoded(bytes);
  if (text === null) throw new NotARow(`${what} is raw bytes that are no UTF-8`);
  return text;
}

function decoded(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

function parsedOrNull(text: string): unknown {
  try {
    return parseVariant(text);
  } catch {
    return null;
  }
}

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
