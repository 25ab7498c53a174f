// When state behind a watermark is forgotten, and which records lie behind it.
//
// Nobody has to be told: no row of such a key comes or goes any more (sql/watermarks.ts, `settled`). Records are looked through
// when their number has doubled since the last time, so that the cost for each that comes is constant, and there are at most twice
// as many as are alive (and a thousand).
import type { RecordTable } from '../state/record-table.ts';
import type { LayoutColumn } from '../state/row-layout.ts';
import { readNumber } from './window-frames.ts';

const rowsMin = 1024;

export interface ForgottenKey {
  /** Position among the columns of the key. */
  readonly position: number;
  /** What is below will not change any more; null: nothing is known to. */
  readonly below: () => number | bigint | null;
}

export class Forgetting {
  readonly #key: ForgottenKey;
  #rowsMax = rowsMin;

  constructor(key: ForgottenKey) {
    this.#key = key;
  }

  /** The records to forget: none unless it is time for it. `rows` is how many there are to count. */
  due(rows: number, table: RecordTable, columns: readonly LayoutColumn[]): readonly number[] {
    if (rows < this.#rowsMax) return [];
    const below = this.#key.below();
    const place = columns[this.#key.position];
    if (below === null || place === undefined) return [];
    const { words, width } = table;
    const gone: number[] = [];
    for (const id of table.ids()) {
      const base = id * width;
      if (place.nullWord >= 0 && (words[base + place.nullWord]! & place.nullBit) !== 0) continue;
      if (readNumber(words, base + place.offset, place.storage) < below) gone.push(id);
    }
    return gone;
  }

  /** So many rows are left. */
  done(rows: number): void {
    this.#rowsMax = Math.max(rowsMin, 2 * rows);
  }
}
