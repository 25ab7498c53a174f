// A result as a table of characters, as Feldera prints it:
//
//   +----+      borders of plus and minus, values to the left, one blank on each side
//   | id |
//   +----+      a cell of more than 64 characters is cut and ends in `...`
//   | 1  |      NULL is an empty cell, a line break in a value goes on in the next line of its cell
//   +----+
//
// Widths are known only when every row has been seen: all batches are surveyed first, then printed.
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import type { Schema } from '../../../runtime/batch/schema.ts';
import { CellSource, isNullCell, PrintedBytes, printCell } from './cell-printer.ts';
import type { ResultPrinter } from './result-printer.ts';

const cellLengthMax = 64;
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

export class TextPrinter implements ResultPrinter {
  readonly #sources: readonly CellSource[];
  readonly #widths: number[];
  readonly #scratch: PrintedBytes = new PrintedBytes();

  constructor(schema: Schema) {
    this.#sources = schema.fields.map((field) => new CellSource(field));
    this.#widths = schema.fields.map((field) => Math.max(...field.name.split('\n').map(widthOf)));
  }

  survey(batch: ChangeBatch): void {
    this.#bind(batch);
    this.#sources.forEach((source, c) => {
      let width = this.#widths[c] ?? 0;
      for (let row = 0; row < batch.rows; row++) {
        const text = this.#text(source, row);
        if (text.length <= width) continue;
        width = Math.max(width, ...text.split('\n').map(widthOf));
      }
      this.#widths[c] = width;
    });
  }

  begin(): Uint8Array {
    const border = this.#border();
    return encoder.encode(border + this.#row(this.#sources.map(({ field }) => field.name)) + border);
  }

  frame(batch: ChangeBatch): Uint8Array {
    this.#bind(batch);
    const rows: string[] = [];
    for (let row = 0; row < batch.rows; row++) {
      const text = this.#row(this.#sources.map((source) => this.#text(source, row)));
      for (let copies = batch.weights?.[row] ?? 1; copies > 0; copies--) rows.push(text);
    }
    return encoder.encode(rows.join(''));
  }

  end(): Uint8Array {
    return encoder.encode(this.#border());
  }

  #bind(batch: ChangeBatch): void {
    this.#sources.forEach((source, i) => {
      const column = batch.columns[i];
      if (column !== undefined) source.bind(column);
    });
  }

  #text(source: CellSource, row: number): string {
    if (isNullCell(source, row)) return '';
    const scratch = this.#scratch;
    scratch.used = 0;
    printCell(source, row, scratch);
    const text = decoder.decode(scratch.bytes.subarray(0, scratch.used));
    if (text.length <= cellLengthMax) return text;
    const characters = [...text];
    return characters.length <= cellLengthMax ? text : `${characters.slice(0, cellLengthMax).join('')}...`;
  }

  #border(): string {
    return `+${this.#widths.map((width) => `${'-'.repeat(width + 2)}+`).join('')}\n`;
  }

  #row(cells: readonly string[]): string {
    const lines = cells.map((cell) => cell.split('\n'));
    const height = Math.max(1, ...lines.map((parts) => parts.length));
    let row = '';
    for (let line = 0; line < height; line++) {
      const parts = lines.map((texts, c) => {
        const text = texts[line] ?? '';
        return ` ${text}${' '.repeat(Math.max(0, (this.#widths[c] ?? 0) - widthOf(text)))} |`;
      });
      row += `|${parts.join('')}\n`;
    }
    return row;
  }
}

/** Characters; surrogates make one. */
function widthOf(text: string): number {
  let width = 0;
  for (const _ of text) width++;
  return width;
}
