// When state behind a watermark is forgotten, and which records lie behind it.
//
// Nobody has to be told: no row of such a key comes or goes any more (sql/watermarks.ts, `settled`). Records are looked through
// when their number has doubled since the last time, so that the cost for each that comes is constant, and there are at most twice
// as many as are alive (and a thousand).
import type { RecordTable } from '../state/record-table.ts';
import type { LayoutColumn } from '../state/row-layout.ts';
import { readNumber } from './window-frames.ts';

const rowsMin = 1024;
const none: Int32Array = new Int32Array(0);

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
  due(rows: number, table: RecordTable, columns: readonly LayoutColumn[]): Int32Array {
    if (rows < this.#rowsMax) return none;
    const below = this.#key.below();
    const place = columns[this.#key.position];
    if (below === null || place === undefined) return none;
    const { words, width } = table;
    const ids = table.ids();
    if (place.storage === 'i64') {
      const bound = BigInt(below);
      const high = Number(BigInt.asIntN(32, bound >> 32n));
      const low = Number(BigInt.asUintN(32, bound));
      return ids.subarray(0, keepBelow(words, width, place.offset, place.nullWord, place.nullBit, high, low, ids));
    }
    let kept = 0;
    for (const id of ids) {
      const base = id * width;
      if (place.nullWord >= 0 && (words[base + place.nullWord]! & place.nullBit) !== 0) continue;
      if (readNumber(words, base + place.offset, place.storage) < below) ids[kept++] = id;
    }
    return ids.subarray(0, kept);
  }

  /** So many rows are left. */
  done(rows: number): void {
    this.#rowsMax = Math.max(rowsMin, 2 * rows);
  }
}

// ── data plane ──

/** Moves the records whose 64-bit value is below (high, low) to the front of `ids`; returns how many there are. */
function keepBelow(
  words: Int32Array,
  width: number,
  offset: number,
  nullWord: number,
  nullBit: number,
  high: number,
  low: number,
  ids: Int32Array,
): number {
  let kept = 0;
  for (let i = 0; i < ids.length; i++) {
    const base = ids[i]! * width;
    if (nullWord >= 0 && (words[base + nullWord]! & nullBit) !== 0) continue;
    const own = words[base + offset + 1]!;
    if (own < high || (own === high && words[base + offset]! >>> 0 < low)) ids[kept++] = ids[i]!;
  }
  return kept;
}
