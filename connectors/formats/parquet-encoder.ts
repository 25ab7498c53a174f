// Insertions become a Parquet file, a row group for every so many rows.
//
// A Parquet file cannot take a row back, so a batch with a deletion is an encode error: nothing of that batch is
// written. Rows wait in the encoder until their row group is full or the output ends; `finish` writes the rest and the
// directory, without which the file cannot be read. hyparquet-writer lays out pages and directory; values are handed to
// it a column at a time.
import type { SchemaElement } from 'hyparquet';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import { type Column, isValid } from '../../runtime/batch/column.ts';
import { readCell } from '../../runtime/batch/scalar-values.ts';
import type { Field, Relation } from '../../runtime/batch/schema.ts';
import { formatSqlType } from '../../runtime/batch/sql-type.ts';
import type { Encoder } from '../sdk/format.ts';
import { FormatUnsupportedType } from './format-errors.ts';
import { ParquetDeletion } from './parquet-errors.ts';

export class ParquetEncoder implements Encoder {
  readonly #relation: Relation;
  readonly #groupRows: number;
  readonly #bytes: ByteWriter = new ByteWriter();
  readonly #file: ParquetWriter;
  #columns: unknown[][];
  #rows = 0;

  constructor(relation: Relation, groupRows: number) {
    this.#relation = relation;
    this.#groupRows = groupRows;
    const { fields } = relation.schema;
    const root: SchemaElement = { name: 'root', num_children: fields.length };
    this.#file = new ParquetWriter({
      writer: this.#bytes,
      schema: [root, ...fields.map(schemaElementOf)],
      createdBy: 'millrace',
    });
    this.#columns = fields.map(() => []);
  }

  encode(batch: ChangeBatch): { readonly bytes: Uint8Array; readonly records: number } {
    const records = this.#countInsertions(batch);
    for (let row = 0; row < batch.rows; ) {
      const end = Math.min(batch.rows, row + Math.max(1, this.#groupRows - this.#rows));
      for (let i = 0; i < batch.columns.length; i++) {
        appendCells(batch.columns[i] as Column, batch.weights, row, end, this.#columns[i] as unknown[]);
      }
      this.#rows = this.#columns[0]?.length ?? 0;
      row = end;
      if (this.#rows >= this.#groupRows) this.#writeGroup();
    }
    return { bytes: this.#takeBytes(), records };
  }

  finish(): Uint8Array {
    if (this.#rows > 0) this.#writeGroup();
    // JSON texts are written as they are. Under this name the writer would print values as JSON by itself, and so lose
    // digits; readers that do not know logical types need the name in the directory.
    for (const element of this.#file.schema) if (element.logical_type?.type === 'JSON') element.converted_type = 'JSON';
    void this.#file.finish();
    return this.#takeBytes();
  }

  /** @throws ParquetDeletion */
  #countInsertions(batch: ChangeBatch): number {
    const { weights } = batch;
    if (weights === null) return batch.rows;
    let insertions = 0;
    let deletions = 0;
    for (let row = 0; row < batch.rows; row++) {
      const weight = weights[row] ?? 1;
      if (weight > 0) insertions += weight;
      else deletions -= weight;
    }
    if (deletions > 0) throw new ParquetDeletion({ relation: this.#relation.name, records: deletions });
    return insertions;
  }

  #writeGroup(): void {
    const { fields } = this.#relation.schema;
    const columnData = fields.map(({ name, type }, i) => {
      return { name, data: this.#columns[i] ?? [], statistics: type.kind !== 'VARIANT' };
    });
    // The writer has no `flush`, so nothing of this is asynchronous.
    void this.#file.write({ columnData, rowGroupSize: this.#rows });
    this.#columns = fields.map(() => []);
    this.#rows = 0;
  }

  /** What the writer has laid out since the last call. Offsets in the file go on counting. */
  #takeBytes(): Uint8Array {
    const bytes = this.#bytes.getBytes();
    this.#bytes.index = 0;
    return bytes;
  }
}

/** @throws FormatUnsupportedType */
function schemaElementOf(field: Field): SchemaElement {
  const { type } = field;
  const named: Pick<SchemaElement, 'name' | 'repetition_type'> = {
    name: field.name,
    repetition_type: field.nullable ? 'OPTIONAL' : 'REQUIRED',
  };
  switch (type.kind) {
    case 'BOOLEAN':
      return { ...named, type: 'BOOLEAN' };
    case 'TINYINT':
      return { ...named, type: 'INT32', converted_type: 'INT_8' };
    case 'SMALLINT':
      return { ...named, type: 'INT32', converted_type: 'INT_16' };
    case 'INTEGER':
      return { ...named, type: 'INT32' };
    case 'BIGINT':
      return { ...named, type: 'INT64' };
    case 'REAL':
      return { ...named, type: 'FLOAT' };
    case 'DOUBLE':
      return { ...named, type: 'DOUBLE' };
    case 'DECIMAL': {
      const decimal = { ...named, converted_type: 'DECIMAL' as const, precision: type.precision, scale: type.scale };
      if (type.precision <= 18) return { ...decimal, type: 'INT64' };
      return { ...decimal, type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16 };
    }
    case 'CHAR':
    case 'VARCHAR':
      return { ...named, type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } };
    case 'BINARY':
    case 'VARBINARY':
      return { ...named, type: 'BYTE_ARRAY' };
    case 'VARIANT':
    case 'ARRAY':
    case 'MAP':
    case 'ROW':
      return { ...named, type: 'BYTE_ARRAY', logical_type: { type: 'JSON' } };
    case 'DATE':
      return { ...named, type: 'INT32', converted_type: 'DATE' };
    case 'TIME':
      return { ...named, type: 'INT64', logical_type: { type: 'TIME', isAdjustedToUTC: false, unit: 'NANOS' } };
    case 'TIMESTAMP':
      return {
        ...named,
        type: 'INT64',
        logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: false, unit: 'MICROS' },
      };
    case 'UUID':
      return { ...named, type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16, logical_type: { type: 'UUID' } };
    default:
      throw new FormatUnsupportedType({ format: 'parquet', column: field.name, type: formatSqlType(type) });
  }
}

/** Rows `start .. end` as the values that the writer takes, each as often as its weight says. */
function appendCells(column: Column, weights: Int32Array | null, start: number, end: number, to: unknown[]): void {
  const entries = new Map<number, unknown>();
  for (let row = start; row < end; row++) {
    let value: unknown = null;
    if (isValid(column.validity, row)) {
      if (column.layout === 'dictionary') {
        const code = column.codes[row] ?? 0;
        if (!entries.has(code)) entries.set(code, readCell(column, row));
        value = entries.get(code);
      } else {
        value = readCell(column, row);
      }
    }
    for (let copies = weights === null ? 1 : (weights[row] ?? 1); copies > 0; copies--) to.push(value);
  }
}
