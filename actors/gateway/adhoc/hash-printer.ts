// A result as one hash: upper-case hex SHA-256 over its schema, its row count and its rows in any order.
//
// Each row is hashed by itself (SHA-256 of its JSON text) and the hashes are added lane by lane, so that equal multisets of
// rows have equal hashes however they are ordered or cut into batches. Comparable between Millrace servers only.
import { createHash, hash } from 'node:crypto';
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import type { Schema } from '../../../runtime/batch/schema.ts';
import { formatSqlType } from '../../../runtime/batch/sql-type.ts';
import { JsonPrinter } from './json-printer.ts';
import type { ResultPrinter } from './result-printer.ts';

const nothing = new Uint8Array(0);

export class HashPrinter implements ResultPrinter {
  readonly #schema: Schema;
  readonly #printer: JsonPrinter;
  readonly #sums: Int32Array = new Int32Array(8);
  #rows = 0;

  constructor(schema: Schema) {
    this.#schema = schema;
    this.#printer = new JsonPrinter(schema, true);
  }

  begin(): Uint8Array {
    return nothing;
  }

  frame(batch: ChangeBatch): Uint8Array {
    // One line for each row, whatever its weight. Line breaks in values are escaped.
    const bytes = this.#printer.frame({ ...batch, weights: null });
    for (let row = 0, start = 0; row < batch.rows; row++) {
      const end = bytes.indexOf(0x0a, start);
      const weight = batch.weights?.[row] ?? 1;
      addHash(this.#sums, hash('sha256', bytes.subarray(start, end), 'buffer'), weight);
      this.#rows += weight;
      start = end + 1;
    }
    return nothing;
  }

  end(): Uint8Array {
    const fields = this.#schema.fields.map(({ name, type, nullable }) => [name, formatSqlType(type), nullable]);
    const whole = createHash('sha256')
      .update(JSON.stringify(fields))
      .update(`\n${this.#rows}\n`)
      .update(new Uint8Array(this.#sums.buffer))
      .digest('hex');
    return new TextEncoder().encode(whole.toUpperCase());
  }
}

// ── data plane ──

function addHash(sums: Int32Array, bytes: Uint8Array, weight: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 32);
  for (let lane = 0; lane < 8; lane++) {
    sums[lane] = (sums[lane]! + Math.imul(view.getInt32(lane * 4, true), weight)) | 0;
  }
}
