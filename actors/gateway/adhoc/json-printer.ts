// A result as NDJSON: an object per row with every column, NULL as an explicit null.
//
// BIGINT and DECIMAL are numbers with all their digits; NaN and infinities, which JSON cannot say, are null. BINARY is a hex
// string and VARIANT a string that holds JSON, as Feldera's clients expect.
import { type NestedPrinter, nestedPrinter } from '../../../connectors/formats/nested-printer.ts';
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import type { Field, Schema } from '../../../runtime/batch/schema.ts';
import { formatSqlType } from '../../../runtime/batch/sql-type.ts';
import { CellSource, isNullCell, PrintedBytes, printCell } from './cell-printer.ts';
import { queryProblem } from './query-errors.ts';
import type { ResultPrinter } from './result-printer.ts';

const encoder = new TextEncoder();
const nullWord = encoder.encode('null');
const quoted: ReadonlySet<string> = new Set([
  'CHAR',
  'VARCHAR',
  'BINARY',
  'VARBINARY',
  'DATE',
  'TIME',
  'TIMESTAMP',
  'TIMESTAMP_TZ',
  'INTERVAL_MONTHS',
  'INTERVAL_MICROS',
  'UUID',
  'VARIANT',
]);
const mayNeedEscapes: ReadonlySet<string> = new Set(['CHAR', 'VARCHAR', 'VARIANT']);

interface JsonColumn {
  readonly source: CellSource;
  /** What stands before its value. */
  readonly opening: Uint8Array;
  readonly isQuoted: boolean;
  readonly isEscaped: boolean;
  readonly isFloat: boolean;
  /** Of ARRAY, MAP and ROW that are not printed as they are stored. */
  readonly nested: NestedPrinter | null;
}

export class JsonPrinter implements ResultPrinter {
  readonly #columns: readonly JsonColumn[];
  readonly #out: PrintedBytes = new PrintedBytes();
  readonly #cell: PrintedBytes = new PrintedBytes();
  readonly #refused: Field | null = null;

  /** `anyKeys`: keys of a MAP may be spelled as text, for readers that know the schema. */
  constructor(schema: Schema, anyKeys = false) {
    if (!anyKeys) this.#refused = schema.fields.find(hasOtherKeys) ?? null;
    this.#columns = schema.fields.map((field, i) => ({
      source: new CellSource(field),
      opening: encoder.encode(`${i === 0 ? '{' : ','}${JSON.stringify(field.name)}:`),
      isQuoted: quoted.has(field.type.kind),
      isEscaped: mayNeedEscapes.has(field.type.kind),
      isFloat: field.type.kind === 'REAL' || field.type.kind === 'DOUBLE',
      nested: nestedPrinter(field.type),
    }));
  }

  begin(): Uint8Array {
    return this.#out.take();
  }

  /** @throws HttpProblem for a MAP whose keys are no text: an object of JSON cannot say their type */
  frame(batch: ChangeBatch): Uint8Array {
    if (batch.rows > 0 && this.#refused !== null) throw otherKeys(this.#refused);
    this.#columns.forEach(({ source }, i) => {
      const column = batch.columns[i];
      if (column !== undefined) source.bind(column);
    });
    for (let row = 0; row < batch.rows; row++) {
      const start = this.#out.used;
      printObject(this.#columns, row, this.#out, this.#cell);
      const end = this.#out.used;
      for (let copies = batch.weights?.[row] ?? 1; copies > 1; copies--) {
        this.#out.reserve(end - start);
        this.#out.bytes.copyWithin(this.#out.used, start, end);
        this.#out.used += end - start;
      }
    }
    return this.#out.take();
  }

  end(): Uint8Array {
    return this.#out.take();
  }
}

function hasOtherKeys({ type }: Field): boolean {
  return type.kind === 'MAP' && type.key.kind !== 'CHAR' && type.key.kind !== 'VARCHAR';
}

function otherKeys({ name, type }: Field): Error {
  return queryProblem(`json has text keys only, column "${name}" is a ${formatSqlType(type)}; use arrow_ipc`);
}

// ── data plane ──

function printObject(columns: readonly JsonColumn[], row: number, out: PrintedBytes, cell: PrintedBytes): void {
  for (let c = 0; c < columns.length; c++) {
    const { source, opening, isQuoted, isEscaped, isFloat, nested } = columns[c]!;
    out.append(opening);
    if (isNullCell(source, row) || (isFloat && !Number.isFinite(source.ints[row]!))) {
      out.append(nullWord);
      continue;
    }
    if (nested !== null) {
      cell.used = 0;
      printCell(source, row, cell);
      out.reserve(cell.used);
      out.used = nested.print(cell.bytes, 0, cell.used, out.bytes, out.used);
      continue;
    }
    if (!isQuoted) {
      printCell(source, row, out);
      continue;
    }
    out.push(0x22);
    if (isEscaped) {
      cell.used = 0;
      printCell(source, row, cell);
      printEscaped(cell, out);
    } else printCell(source, row, out);
    out.push(0x22);
  }
  out.reserve(2);
  out.bytes[out.used++] = 0x7d;
  out.bytes[out.used++] = 0x0a;
}

function printEscaped(cell: PrintedBytes, out: PrintedBytes): void {
  out.reserve(cell.used * 6);
  const to = out.bytes;
  let at = out.used;
  for (let i = 0; i < cell.used; i++) {
    const byte = cell.bytes[i]!;
    if (byte === 0x22 || byte === 0x5c) to[at++] = 0x5c;
    if (byte >= 0x20) {
      to[at++] = byte;
      continue;
    }
    const letter = byte === 10 ? 0x6e : byte === 13 ? 0x72 : byte === 9 ? 0x74 : 0;
    to[at++] = 0x5c;
    if (letter > 0) {
      to[at++] = letter;
      continue;
    }
    to[at++] = 0x75;
    to[at++] = 0x30;
    to[at++] = 0x30;
    to[at++] = 0x30 + (byte >> 4);
    const low = byte & 15;
    to[at++] = low < 10 ? 0x30 + low : 0x57 + low;
  }
  out.used = at;
}
