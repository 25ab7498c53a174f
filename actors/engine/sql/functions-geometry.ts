// Points of a plane and their distance: ST_POINT, ST_DISTANCE.
//
// A point is a ROW(x DOUBLE, y DOUBLE). The binder gives ST_DISTANCE the four coordinates (bind-geometry.ts), so that no point is made for it.
import { nestedText } from '../../../runtime/batch/public-values.ts';
import { isNested, type SqlType } from '../../../runtime/batch/sql-type.ts';
import type { FunctionDefinition } from './function-definition.ts';
import { strictRow, typed, types } from './function-rows.ts';

export const pointType: SqlType = {
  kind: 'ROW',
  fields: ['x', 'y'].map((name) => ({ name, type: types.double })),
};

export const geometryFunctions: readonly FunctionDefinition[] = [
  {
    name: 'st_point',
    synopsis: 'ST_POINT(x, y)',
    category: 'numeric',
    summary: 'A point of the plane, as ROW(x DOUBLE, y DOUBLE).',
    example: ['ST_POINT(1, 2).y', '2e0'],
    deterministic: true,
    overloads: [strictRow(['double', 'double'], pointType, typed(point))],
  },
  {
    name: 'st_distance',
    synopsis: 'ST_DISTANCE(point, point)',
    category: 'numeric',
    summary: 'How far two points are from one another.',
    example: ['ST_DISTANCE(ST_POINT(0, 0), ST_POINT(3, 4))', '5e0'],
    deterministic: true,
    overloads: [strictRow(['double', 'double', 'double', 'double'], types.double, typed(distance))],
  },
];

function point(x: number, y: number): string | null {
  return isNested(pointType) ? (nestedText({ x, y }, pointType) ?? null) : null;
}

function distance(x1: number, y1: number, x2: number, y2: number): number {
  return Math.hypot(x1 - x2, y1 - y2);
}
