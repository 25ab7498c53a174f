// Filters on a rank: how many rows of each partition a window has to give, so that it need not number them all.
//
//   σ[n <= k](window[row_number as n])      only the first k rows of each partition are ever emitted
// Only where every function of the window looks at earlier rows alone. A filter that says no more than the limit, on a number
// that nobody else wants, is dropped with it.
import type { Rel, Scalar } from '../sql/bound.ts';
import { columnsOf } from './expression-shape.ts';

type WindowRel = Extract<Rel, { kind: 'window' }>;

const ranks: readonly string[] = ['row_number', 'rank', 'dense_rank'];

export function limitRank(
  window: WindowRel,
  predicates: readonly Scalar[],
): { readonly window: WindowRel; readonly predicates: readonly Scalar[] } {
  const looksBack = window.calls.every((call) => ranks.includes(call.function) || call.function === 'lag');
  if (!looksBack) return { window, predicates };
  const width = window.input.schema.fields.length;
  for (const predicate of predicates) {
    const found = bound(predicate);
    if (found === null) continue;
    const call = found.ordinal - width;
    if (call < 0 || !ranks.includes(window.calls[call]?.function ?? '')) continue;
    return {
      window: { ...window, limit: { call, most: found.most } },
      predicates: found.isWhole ? predicates.filter((each) => each !== predicate) : predicates,
    };
  }
  return { window, predicates };
}

interface Bound {
  readonly ordinal: number;
  readonly most: number;
  /** Whether the limit says all that the predicate says. */
  readonly isWhole: boolean;
}

/** column <= k, column < k, column = k, and these the other way round. */
function bound(predicate: Scalar): Bound | null {
  if (predicate.kind !== 'operator') return null;
  const [a, b] = predicate.operands;
  if (a === undefined || b === undefined || columnsOf(predicate).length !== 1) return null;
  const flipped = a.kind === 'literal';
  const [column, literal] = flipped ? [b, a] : [a, b];
  if (column.kind !== 'column' || literal.kind !== 'literal' || typeof literal.value !== 'bigint') return null;
  const most = Number(literal.value);
  if (!Number.isSafeInteger(most)) return null;
  const { ordinal } = column;
  switch (predicate.operator) {
    case '<=':
    case '>=':
      return (predicate.operator === '<=') === flipped ? null : { ordinal, most, isWhole: true };
    case '<':
    case '>':
      return (predicate.operator === '<') === flipped ? null : { ordinal, most: most - 1, isWhole: true };
    case '=':
      return { ordinal, most, isWhole: most <= 1 };
    default:
      return null;
  }
}
