// A result as CSV with a header line: fields are quoted where they hold a comma, a quote or a line break.
//
// NULL is an empty field, the empty string is `""`.
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import type { Schema } from '../../../runtime/batch/schema.ts';
import { CellSource, isNullCell, PrintedBytes, printCell } from './cell-printer.ts';
import type { ResultPrinter } from './result-printer.ts';

const encoder = new TextEncoder();

export class CsvPrinter implements ResultPrinter {
  readonly #sources: readonly CellSource[];
  readonly #out: PrintedBytes = new PrintedBytes();
  readonly #cell: PrintedBytes = new PrintedBytes();

  constructor(schema: Schema) {
    this.#sources = schema.fields.map((field) => new CellSource(field));
  }

  begin(): Uint8Array {
    const names = this.#sources.map(({ field: { name } }) =>
      name === '' || /[",\r\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name,
    );
    return encoder.encode(`${names.join(',')}\n`);
  }

  frame(batch: ChangeBatch): Uint8Array {
    this.#sources.forEach((source, i) => {
      const column = batch.columns[i];
      if (column !== undefined) source.bind(column);
    });
    for (let row = 0; row < batch.rows; row++) {
      for (let copies = batch.weights?.[row] ?? 1; copies > 0; copies--) {
        printLine(this.#sources, row, this.#out, this.#cell);
      }
    }
    return this.#out.take();
  }

  end(): Uint8Array {
    return this.#out.take();
  }
}

// ── data plane ──

function printLine(sources: readonly CellSource[], row: number, out: PrintedBytes, cell: PrintedBytes): void {
  for (let c = 0; c < sources.length; c++) {
    const source = sources[c]!;
    if (c > 0) out.push(0x2c);
    if (isNullCell(source, row)) continue;
    if (!source.isBytes) {
      printCell(source, row, out);
      continue;
    }
    cell.used = 0;
    printCell(source, row, cell);
    printField(cell, out);
  }
  out.push(0x0a);
}

function printField(cell: PrintedBytes, out: PrintedBytes): void {
  let isPlain = cell.used > 0;
  for (let i = 0; i < cell.used && isPlain; i++) {
    const byte = cell.bytes[i]!;
    isPlain = byte !== 0x22 && byte !== 0x2c && byte !== 10 && byte !== 13;
  }
  if (isPlain) {
    out.append(cell.bytes.subarray(0, cell.used));
    return;
  }
  out.reserve(cell.used * 2 + 2);
  out.bytes[out.used++] = 0x22;
  for (let i = 0; i < cell.used; i++) {
    const byte = cell.bytes[i]!;
    if (byte === 0x22) out.bytes[out.used++] = 0x22;
    out.bytes[out.used++] = byte;
  }
  out.bytes[out.used++] = 0x22;
}
