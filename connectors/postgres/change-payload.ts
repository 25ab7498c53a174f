// Lines of changes gathered into one payload, with the position behind each of them.
//
// A position is { lsn, skip }: the end of the last transaction that is whole, and how many changes of the next one have
// been given out. The server sends transactions whole and in the order of their commits, so that it is exact.
import type { BytesPayload, Position } from '../sdk/source.ts';
import { formatLsn } from './pgoutput.ts';

export interface ChangePosition {
  readonly lsn: bigint;
  readonly skip: number;
}

export function positionOf({ lsn, skip }: ChangePosition): Position {
  return { lsn: formatLsn(lsn), skip };
}

export class ChangePayload {
  #lines: string[] = [];
  #length = 0;
  /** ends[i]: bytes up to and with line i; positions[i]: behind it. */
  #ends: number[] = [];
  #positions: ChangePosition[] = [];
  readonly #start: ChangePosition;

  /** `start`: the position before the first line. */
  constructor(start: ChangePosition) {
    this.#start = start;
  }

  get bytes(): number {
    return this.#length;
  }

  /** Behind the last line. */
  get last(): ChangePosition {
    return this.#positions.at(-1) ?? this.#start;
  }

  add(line: string, behind: ChangePosition): void {
    this.#lines.push(line);
    this.#length += Buffer.byteLength(line);
    this.#ends.push(this.#length);
    this.#positions.push(behind);
  }

  /** The transaction of the last line is whole. */
  committed(behind: ChangePosition): void {
    if (this.#positions.length > 0) this.#positions[this.#positions.length - 1] = behind;
  }

  finish(): BytesPayload {
    const bytes = new Uint8Array(this.#length);
    Buffer.from(bytes.buffer).write(this.#lines.join(''), 'utf8');
    const [ends, positions, start] = [this.#ends, this.#positions, this.#start];
    return {
      kind: 'bytes',
      bytes,
      positionAfter: (length) => {
        let low = 0;
        let high = ends.length;
        while (low < high) {
          const middle = (low + high) >> 1;
          if ((ends[middle] ?? 0) <= length) low = middle + 1;
          else high = middle;
        }
        return positionOf(positions[low - 1] ?? start);
      },
    };
  }
}
