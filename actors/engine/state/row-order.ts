// A total order of whole rows in state: sort keys first, then the remaining columns from left to right.
//
// The remaining columns break ties (ascending, NULL first), so that ORDER BY … LIMIT has one answer whatever the order in
// which rows came. Rows that compare equal are equal.
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import type { RowLayout } from './row-layout.ts';
import type { StringPool } from './string-pool.ts';
import { type ValueOrder, valueOrder } from './value-order.ts';

export interface OrderKey {
  readonly ordinal: number;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

/** Negative, 0 or positive: the row at word `atA` of `a` against the one at word `atB` of `b`. */
export type RowOrder = (a: Int32Array, atA: number, b: Int32Array, atB: number) => number;

interface OrderStep {
  readonly order: ValueOrder;
  readonly offset: number;
  readonly nullWord: number;
  readonly nullBit: number;
  readonly sign: 1 | -1;
  /** What a NULL on the left only gives. */
  readonly nullSign: 1 | -1;
}

export function rowOrder(layout: RowLayout, keys: readonly OrderKey[], pool: StringPool): RowOrder {
  const rest = layout.columns.map((_, ordinal) => ordinal).filter((c) => keys.every((key) => key.ordinal !== c));
  return keyOrder(
    layout,
    [...keys, ...rest.map((ordinal) => ({ ordinal, descending: false, nullsFirst: true }))],
    pool,
  );
}

/** The order by the keys alone: rows that compare equal are peers. */
export function keyOrder(layout: RowLayout, all: readonly OrderKey[], pool: StringPool): RowOrder {
  const steps = all.map((key): OrderStep => {
    const { offset, nullWord, nullBit, type } = layout.columns[key.ordinal]!;
    const order = valueOrder(type satisfies SqlType, pool);
    return { order, offset, nullWord, nullBit, sign: key.descending ? -1 : 1, nullSign: key.nullsFirst ? -1 : 1 };
  });
  return (a, atA, b, atB) => {
    for (let s = 0; s < steps.length; s++) {
      const step = steps[s]!;
      if (step.nullWord >= 0) {
        const nullA = a[atA + step.nullWord]! & step.nullBit;
        const nullB = b[atB + step.nullWord]! & step.nullBit;
        if (nullA !== nullB) return nullA !== 0 ? step.nullSign : -step.nullSign;
        if (nullA !== 0) continue;
      }
      const compared = step.order(a, atA + step.offset, b, atB + step.offset);
      if (compared !== 0) return step.sign * compared;
    }
    return 0;
  };
}
