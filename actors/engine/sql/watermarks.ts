// How far the values of a column can still change: the watermarks of LATENESS, followed through queries.
//
// A column that grows with a column of a table (by casts, truncation, constant offsets, windows of time) has that column's
// watermark, put through the same expression: rows below it are as they will stay. Of several tables the lowest counts. A join
// keeps the watermark of either side, GROUP BY that of a group, UNION needs one of every branch.
// Conservative: what is not known to grow has none. Not here: the values themselves, which move with the rows (late-rows.ts).
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import type { Rel, Scalar, TableDefinition, ViewDefinition, Watermark } from './bound.ts';
import { readsNow } from './clock.ts';
import { mapScalarColumns, moveScalarColumns, readsColumn } from './scalar-columns.ts';

export interface DeclaredRelations {
  readonly tables: readonly TableDefinition[];
  readonly views: readonly ViewDefinition[];
  /**
   * Only what is settled: a row of the relation below the watermark neither comes nor goes any more. Without it a row of a join
   * has the watermark of one side although the other side may still bring and take such rows.
   */
  readonly settled?: true;
}

/** The watermarks of a column; null when nothing bounds it. */
export function watermarksOf(declared: DeclaredRelations, rel: Rel, ordinal: number): readonly Watermark[] | null {
  switch (rel.kind) {
    case 'scan':
      return ofScan(declared, rel.relation, ordinal);
    case 'project': {
      const column = rel.columns[ordinal];
      return column === undefined ? null : watermarksOfScalar(declared, rel.input, column);
    }
    case 'filter':
      if (declared.settled === true && readsNow(rel.predicate)) return null;
      return watermarksOf(declared, rel.input, ordinal);
    case 'distinct':
    case 'repeat':
      return watermarksOf(declared, rel.input, ordinal);
    case 'window':
      // What follows in its partition may still change what is computed for a row.
      if (declared.settled === true && !rel.partition.includes(ordinal)) return null;
      return ordinal < rel.input.schema.fields.length ? watermarksOf(declared, rel.input, ordinal) : null;
    case 'explode':
      return ordinal < rel.input.schema.fields.length - 1 ? watermarksOf(declared, rel.input, ordinal) : null;
    case 'aggregate': {
      const group = rel.groups[ordinal];
      return group === undefined ? null : watermarksOfScalar(declared, rel.input, group);
    }
    case 'join':
    case 'asof': {
      if (declared.settled === true) return rel.kind === 'join' ? ofJoinKey(declared, rel, ordinal) : null;
      const width = rel.left.schema.fields.length;
      if (ordinal < width) return watermarksOf(declared, rel.left, ordinal);
      // A row of the right side may still be padded, or get a partner, later.
      return rel.kind === 'join' && rel.type === 'inner' ? watermarksOf(declared, rel.right, ordinal - width) : null;
    }
    case 'union': {
      const all = rel.inputs.map((input) => watermarksOf(declared, input, ordinal));
      return all.every((one) => one !== null) ? all.flat() : null;
    }
    case 'values':
    case 'top':
    case 'fixpoint':
      return null;
  }
}

/** A column that is equal to one of the other side: no row below comes from either. */
function ofJoinKey(
  declared: DeclaredRelations,
  rel: Extract<Rel, { kind: 'join' }>,
  ordinal: number,
): readonly Watermark[] | null {
  const width = rel.left.schema.fields.length;
  if (ordinal >= width && rel.type !== 'inner') return null;
  for (const equality of equalities(rel.condition)) {
    const [one, two] = equality.operands;
    for (const [own, other] of [[one, two] as const, [two, one] as const]) {
      if (own?.kind !== 'column' || own.ordinal !== ordinal || other === undefined) continue;
      const isOther = ordinal < width ? (c: number) => c < width : (c: number) => c >= width;
      if (readsColumn(other, isOther)) continue;
      const toLeft = watermarksOfScalar(declared, rel.left, ordinal < width ? own : other);
      const moved = moveScalarColumns(ordinal < width ? other : own, (c) => c - width);
      const toRight = watermarksOfScalar(declared, rel.right, moved);
      if (toLeft !== null && toRight !== null) return [...toLeft, ...toRight];
    }
  }
  return null;
}

function equalities(condition: Scalar): readonly Extract<Scalar, { kind: 'operator' }>[] {
  if (condition.kind !== 'operator') return [];
  if (condition.operator === 'and') return condition.operands.flatMap(equalities);
  return condition.operator === '=' ? [condition] : [];
}

function ofScan(declared: DeclaredRelations, name: string, ordinal: number): readonly Watermark[] | null {
  const { tables, views } = declared;
  const view = views.find(({ relation }) => relation.name === name);
  const bounded = view?.relation.schema.fields[ordinal];
  if (bounded !== undefined && view?.lateness?.[ordinal] != null) {
    const { type, nullable } = bounded;
    const source = { place: {}, text: bounded.name };
    return [{ table: name, value: { kind: 'column', ordinal, type, nullable, source } }];
  }
  // What waits for a watermark comes when that has passed.
  if (declared.settled === true && view?.emitFinal !== undefined) return null;
  if (view !== undefined) return watermarksOf(declared, view.query, ordinal);
  const table = tables.find(({ relation }) => relation.name === name);
  const field = table?.relation.schema.fields[ordinal];
  if (table === undefined || field === undefined || table.lateness?.[ordinal] == null) return null;
  // A new row of a key takes the old one away, however old it is.
  const { primaryKey } = table.relation;
  if (declared.settled === true && primaryKey.length > 0 && !primaryKey.includes(ordinal)) return null;
  const source = { place: {}, text: field.name };
  return [{ table: name, value: { kind: 'column', ordinal, type: field.type, nullable: field.nullable, source } }];
}

/** The watermarks of an expression of a relation's columns. */
export function watermarksOfScalar(
  declared: DeclaredRelations,
  input: Rel,
  scalar: Scalar,
): readonly Watermark[] | null {
  const lowest = atLastNumber(input, scalar);
  const ordinal = growsWith(lowest);
  if (ordinal === null) return null;
  const inner = watermarksOf(declared, input, ordinal);
  if (inner === null) return null;
  return inner.map(({ table, value }) => ({ table, value: mapScalarColumns(lowest, () => value) }));
}

/** Of the windows of a row (HOP) the one that begins first: the one with the greatest number, which is the same for all rows. */
function atLastNumber(input: Rel, scalar: Scalar): Scalar {
  if (input.kind !== 'explode' || input.input.kind !== 'project') return scalar;
  const number = input.schema.fields.length - 1;
  const count = input.input.columns.at(-1);
  if (count?.kind !== 'literal') return scalar;
  return mapScalarColumns(scalar, (column) => (column.ordinal === number ? count : column));
}

/** Functions that do not fall while one operand grows and the others stay. */
const growing: readonly string[] = [
  '+',
  'date_trunc',
  'timestamp_trunc',
  'time_trunc',
  'floor_to',
  'ceil_to',
  'timestampadd',
  'tumble_start',
  'tumble_end',
  'floor',
  'ceil',
];

/** Types between which a cast keeps the order. Not TIME, which is the same every day, and not BOOLEAN: -1 and 1 are TRUE. */
const ordered: readonly SqlType['kind'][] = [
  'TINYINT',
  'SMALLINT',
  'INTEGER',
  'BIGINT',
  'DECIMAL',
  'REAL',
  'DOUBLE',
  'DATE',
  'TIMESTAMP',
  'INTERVAL_MICROS',
  'INTERVAL_MONTHS',
];

/** The only column of an expression that grows with it; null when it is no such expression. */
export function growsWith(scalar: Scalar): number | null {
  switch (scalar.kind) {
    case 'column':
      return scalar.ordinal;
    case 'cast': {
      const [from, to] = [scalar.operand.type.kind, scalar.type.kind];
      const isOrdered = from === to || (ordered.includes(from) && ordered.includes(to));
      return isOrdered ? growsWith(scalar.operand) : null;
    }
    case 'operator':
    case 'function': {
      const name = scalar.kind === 'operator' ? scalar.operator : scalar.name;
      const varying = scalar.operands.filter((operand) => readsColumn(operand, () => true));
      const [only, second] = varying;
      if (only === undefined || second !== undefined) return null;
      // A time of day begins anew at midnight.
      if (scalar.type.kind === 'TIME' && (name === '+' || name === '-')) return null;
      const minus = name === '-' && scalar.operands[0] === only;
      return minus || growing.includes(name) ? growsWith(only) : null;
    }
    default:
      return null;
  }
}
