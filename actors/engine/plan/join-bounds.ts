// Rows of a join that match nothing any more although their key may come again: those behind a watermark of the other side.
//
//   L ⋈[k = k ∧ l >= r] R      every later row of R has r >= W, so rows of L with l < W match none of them     (> alike)
//
// W is what the settled rows of R lie below. A row of L that may still go has to stay, so that what it matched can be taken back:
// L only grows, or is settled below l as well. Not here: keys behind a watermark (join-nodes.ts), the operator (operators/join.ts).
import { storageOf } from '../../../runtime/batch/sql-type.ts';
import type { Rel, Scalar } from '../sql/bound.ts';
import { moveColumns, sideOf } from './algebra.ts';
import type { Rels } from './built-relation.ts';
import type { NodeBuilder } from './node-builder.ts';

export interface JoinBound {
  readonly port: 0 | 1;
  /** Of the relation on that side. */
  readonly ordinal: number;
  /** Rows in which the column is below this match nothing any more; null: nothing is known. */
  readonly below: () => number | bigint | null;
}

/** `grows` says which of the two sides never delete. */
export function joinBounds(
  nodes: NodeBuilder,
  rel: Rels<'join'>,
  residual: readonly Scalar[],
  grows: readonly [boolean, boolean],
): readonly JoinBound[] {
  const width = rel.left.schema.fields.length;
  return residual.flatMap((predicate): JoinBound[] => {
    const [greater, lesser] = ordered(predicate);
    if (greater?.kind !== 'column' || lesser === undefined) return [];
    if (storageOf(greater.type) !== 'i64' || greater.type.kind !== lesser.type.kind) return [];
    const port = greater.ordinal < width ? 0 : 1;
    if (sideOf(lesser, width) !== (port === 0 ? 'right' : 'left')) return [];
    const own = moved(greater, port, width);
    const [side, other] = port === 0 ? [rel.left, rel.right] : [rel.right, rel.left];
    const settled = (of: Rel, scalar: Scalar): JoinBound['below'] | null => nodes.settled?.(of, scalar) ?? null;
    const coming = settled(other, moved(lesser, port === 0 ? 1 : 0, width));
    const going = grows[port] ? null : settled(side, own);
    if (coming === null || own.kind !== 'column' || (!grows[port] && going === null)) return [];
    return [{ port, ordinal: own.ordinal, below: () => lower(coming(), going) }];
  });
}

/** The greater and the lesser side of a comparison. */
function ordered(predicate: Scalar): readonly Scalar[] {
  if (predicate.kind !== 'operator') return [];
  const { operator, operands } = predicate;
  if (operator === '>=' || operator === '>') return operands;
  return operator === '<=' || operator === '<' ? operands.toReversed() : [];
}

function moved(scalar: Scalar, port: 0 | 1, width: number): Scalar {
  return port === 0 ? scalar : moveColumns(scalar, (ordinal) => ordinal - width);
}

function lower(coming: number | bigint | null, going: JoinBound['below'] | null): number | bigint | null {
  if (going === null || coming === null) return coming;
  const own = going();
  return own === null || own < coming ? own : coming;
}
