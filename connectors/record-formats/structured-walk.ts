// Structured data while it is walked: the bytes it lies in, where they end, and what is printed of them.
// Members of an object are found before they are printed, because their names are sorted.
import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';
import type { PrintedBytes } from './printed-bytes.ts';

export const StructuredBytesMalformed: CodedErrorClass<{ readonly offset: number }> = defineError(
  'record.structured_bytes_malformed',
  { help: 'The connector that made the record has written structured data that cannot be read.' },
  (f) => `structured data of a record is malformed at byte ${f.offset}`,
);

/** Levels of lists and objects within one another. */
export const depthMax = 200;

export interface StructuredWalk {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly end: number;
  readonly output: PrintedBytes;
}

/**
 * Members of an object by name: name start, name end, value start, value end; four numbers a member. Of a name that comes twice the
 * last counts, as for every reader of such maps.
 */
export function sortMembers(bytes: Uint8Array, members: readonly number[]): readonly number[] {
  const count = members.length / 4;
  let isSorted = true;
  for (let i = 1; i < count && isSorted; i++) {
    isSorted = compareNames(bytes, members[4 * i - 4]!, members[4 * i - 3]!, members[4 * i]!, members[4 * i + 1]!) < 0;
  }
  if (isSorted) return members;
  const order = Array.from({ length: count }, (_, i) => i);
  order.sort(
    (a, b) => compareNames(bytes, members[4 * a]!, members[4 * a + 1]!, members[4 * b]!, members[4 * b + 1]!) || a - b,
  );
  const kept = order.filter((member, i) => {
    const next = order[i + 1];
    if (next === undefined) return true;
    return (
      compareNames(
        bytes,
        members[4 * member]!,
        members[4 * member + 1]!,
        members[4 * next]!,
        members[4 * next + 1]!,
      ) !== 0
    );
  });
  return kept.flatMap((member) => members.slice(4 * member, 4 * member + 4));
}

// ── data plane ──

function compareNames(bytes: Uint8Array, a: number, aEnd: number, b: number, bEnd: number): number {
  const length = Math.min(aEnd - a, bEnd - b);
  for (let i = 0; i < length; i++) {
    const difference = bytes[a + i]! - bytes[b + i]!;
    if (difference !== 0) return difference;
  }
  return aEnd - a - (bEnd - b);
}
