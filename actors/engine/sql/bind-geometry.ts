// Binder of ST_DISTANCE: two points as their four coordinates.
import { sameSqlType } from '../../../runtime/batch/sql-type.ts';
import { fieldOf } from './bind-nested.ts';
import type { ExpressionSource, Scalar } from './bound.ts';
import { types } from './function-rows.ts';
import { pointType } from './functions-geometry.ts';
import { bindNamedFunction } from './named-function.ts';
import { SqlInvalidArguments } from './sql-errors.ts';
import { literal } from './type-coercion.ts';

/** @throws SqlInvalidArguments */
export function bindDistance(points: readonly Scalar[], source: ExpressionSource): Scalar {
  if (points.length !== 2 || !points.every(({ type }) => type.kind === 'NULL' || sameSqlType(type, pointType))) {
    const detail = 'takes two points, each made by ST_POINT(x, y)';
    throw new SqlInvalidArguments({ function: 'ST_DISTANCE', detail }, { place: source.place });
  }
  const coordinates = points.flatMap((point) => [0, 1].map((at) => coordinate(point, at, source)));
  return { ...bindNamedFunction('st_distance', coordinates, source), source };
}

function coordinate(point: Scalar, at: number, source: ExpressionSource): Scalar {
  if (point.type.kind === 'NULL') return literal(null, types.double, source);
  const made = point.kind === 'function' && point.name === 'st_point' ? point.operands[at] : undefined;
  return made ?? fieldOf(point, at, source);
}
