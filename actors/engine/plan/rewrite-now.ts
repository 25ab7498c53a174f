// NOW() in a query: rows whose time comes or goes, and everything else.
//
//   σ(x op f(NOW()))(R)    f growing, x of the row alone: stays as it is and becomes a temporal filter, which costs what a tick
//                          changes (operators/temporal-filter.ts); `=` is `>=` and `<=`
//   anything else          R × now, NOW() being the column of `now`: each tick computes every row again
// Conditions of inner joins become filters over the join first. Returns a relation with the same schema and the same rows.
// Inside a recursion there is only the second way, since its relations are computed in a circuit of their own.
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import type { ColumnReference, Rel, Scalar, ScalarOperator } from '../sql/bound.ts';
import { cannotFail } from '../sql/cannot-fail.ts';
import { clockRelation, queryReadsNow, readsNow, replaceNow } from '../sql/clock.ts';
import { growsWith } from '../sql/watermarks.ts';
import { columnReference, conjunction, conjuncts, moveColumns } from './algebra.ts';
import { columnsOf } from './expression-shape.ts';

/** `value`, of a row, compared with `bound`, which grows with NOW() and reads nothing else. */
export interface TemporalCondition {
  readonly value: Scalar;
  readonly operator: '<' | '<=' | '>' | '>=';
  readonly bound: Scalar;
}

type Comparison = TemporalCondition['operator'];
const mirrored: Readonly<Record<Comparison, Comparison>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' };

/** null: the predicate has another form. */
export function temporalCondition(predicate: Scalar): TemporalCondition | null {
  if (predicate.kind !== 'operator' || !isComparison(predicate.operator)) return null;
  const { operator } = predicate;
  const [left, right] = predicate.operands;
  if (left === undefined || right === undefined || readsNow(left) === readsNow(right)) return null;
  const [value, bound] = readsNow(left) ? [right, left] : [left, right];
  if (columnsOf(bound).length > 0 || !isTime(bound.type)) return null;
  const place: ColumnReference = {
    kind: 'column',
    ordinal: 0,
    type: bound.type,
    nullable: false,
    source: bound.source,
  };
  if (growsWith(replaceNow(bound, (now) => ({ ...place, type: now.type }))) === null) return null;
  return { value, operator: bound === right ? operator : mirrored[operator], bound };
}

/** The query without NOW() but in temporal filters. */
export function joinClock(rel: Rel): Rel {
  return queryReadsNow(rel) ? new ClockJoin(true).rewrite(rel) : rel;
}

/** The query with its NOW() replaced by a value, for queries that are run once. */
export function atTime(rel: Rel, micros: bigint): Rel {
  if (!queryReadsNow(rel)) return rel;
  const clock = clockRelation.schema;
  const row: Scalar = { kind: 'literal', value: micros, type: clock.fields[0]!.type, nullable: false, source: nowhere };
  return new ClockJoin(false, { kind: 'values', rows: [[row]], schema: clock }).rewrite(rel);
}

const nowhere = { place: {}, text: 'NOW()' };

class ClockJoin {
  readonly #filters: boolean;
  readonly #clock: Rel;

  constructor(
    filters: boolean,
    clock: Rel = { kind: 'scan', relation: clockRelation.name, schema: clockRelation.schema },
  ) {
    this.#filters = filters;
    this.#clock = clock;
  }

  rewrite(rel: Rel): Rel {
    switch (rel.kind) {
      case 'scan':
        return rel;
      case 'values': {
        if (!queryReadsNow(rel)) return rel;
        const inputs = rel.rows.map(
          (row): Rel => ({
            kind: 'project',
            input: this.#clock,
            columns: row.map((each) => placed(each, 0)),
            schema: rel.schema,
          }),
        );
        const [only] = inputs;
        return only !== undefined && inputs.length === 1 ? only : { kind: 'union', inputs, schema: rel.schema };
      }
      case 'filter':
        return this.#filter(this.rewrite(rel.input), conjuncts(rel.predicate));
      case 'project': {
        const input = this.rewrite(rel.input);
        if (!rel.columns.some(readsNow)) return { ...rel, input };
        const width = input.schema.fields.length;
        return { ...rel, input: this.#crossed(input), columns: rel.columns.map((column) => placed(column, width)) };
      }
      case 'aggregate': {
        const input = this.rewrite(rel.input);
        const width = input.schema.fields.length;
        const groups = rel.groups.map((group) => placed(group, width));
        const aggregates = rel.aggregates.map((call) => ({
          ...call,
          operand: call.operand === null ? null : placed(call.operand, width),
          filter: call.filter === null ? null : placed(call.filter, width),
        }));
        const isTimeless = !queryReadsNow({ ...rel, input });
        return isTimeless ? { ...rel, input } : { ...rel, input: this.#crossed(input), groups, aggregates };
      }
      case 'join':
        return this.#join(rel);
      case 'asof':
        return { ...rel, left: this.rewrite(rel.left), right: this.rewrite(rel.right) };
      case 'union':
        return { ...rel, inputs: rel.inputs.map((input) => this.rewrite(input)) };
      case 'fixpoint': {
        const inner = new ClockJoin(false, this.#clock);
        return { ...rel, bodies: rel.bodies.map(({ name, query }) => ({ name, query: inner.rewrite(query) })) };
      }
      case 'distinct':
      case 'repeat':
      case 'window':
      case 'explode':
      case 'top':
        return { ...rel, input: this.rewrite(rel.input) };
    }
  }

  /** Predicates that cannot fail come first, those that may only see rows that are there now. */
  #filter(input: Rel, predicates: readonly Scalar[]): Rel {
    const first = predicates.filter((predicate) => !readsNow(predicate) && cannotFail(predicate));
    const temporal = this.#filters ? predicates.flatMap(temporalPredicates) : [];
    const isTemporal = (predicate: Scalar): boolean => this.#filters && temporalPredicates(predicate).length > 0;
    const rest = predicates.filter((predicate) => !first.includes(predicate) && !isTemporal(predicate));
    let rel = filtered(input, first);
    for (const predicate of temporal) rel = filtered(rel, [predicate]);
    if (!rest.some(readsNow)) return filtered(rel, rest);
    const width = input.schema.fields.length;
    const crossed = filtered(
      this.#crossed(rel),
      rest.map((predicate) => placed(predicate, width)),
    );
    const columns = input.schema.fields.map((_, ordinal) => columnReference(input, ordinal));
    return { kind: 'project', input: crossed, columns, schema: input.schema };
  }

  #join(rel: Extract<Rel, { kind: 'join' }>): Rel {
    const left = this.rewrite(rel.left);
    const right = this.rewrite(rel.right);
    const timeless = { ...rel, left, right };
    if (!readsNow(rel.condition)) return timeless;
    const predicates = conjuncts(rel.condition);
    if (rel.type === 'inner') {
      const kept = predicates.filter((predicate) => !readsNow(predicate));
      const condition = conjunction(kept) ?? { ...trueLiteral, source: rel.condition.source };
      return this.#filter({ ...timeless, condition }, predicates.filter(readsNow));
    }
    // The clock comes in with the left side, and its column goes again.
    const width = left.schema.fields.length;
    const wide = this.#crossed(left);
    const moved = moveColumns(rel.condition, (ordinal) => (ordinal < width ? ordinal : ordinal + 1));
    const schema = { ...rel.schema, fields: [...wide.schema.fields, ...rel.schema.fields.slice(width)] };
    const joined: Rel = { ...timeless, left: wide, condition: placed(moved, width), schema };
    const columns = rel.schema.fields.map((_, ordinal) =>
      columnReference(joined, ordinal < width ? ordinal : ordinal + 1),
    );
    return { kind: 'project', input: joined, columns, schema: rel.schema };
  }

  /** Every row with the time as its last column. */
  #crossed(left: Rel): Rel {
    const right = this.#clock;
    const schema = { ...left.schema, fields: [...left.schema.fields, ...right.schema.fields] };
    return { kind: 'join', type: 'inner', left, right, condition: trueLiteral, schema };
  }
}

const trueLiteral: Scalar = {
  kind: 'literal',
  value: true,
  type: { kind: 'BOOLEAN' },
  nullable: false,
  source: nowhere,
};

/** The temporal conditions that a predicate stands for; none when it has another form. */
function temporalPredicates(predicate: Scalar): readonly Scalar[] {
  if (predicate.kind !== 'operator') return [];
  const both: readonly ScalarOperator[] = predicate.operator === '=' ? ['>=', '<='] : [predicate.operator];
  const parts = both.map((operator): Scalar => ({ ...predicate, operator }));
  return parts.every((part) => temporalCondition(part) !== null) ? parts : [];
}

function filtered(input: Rel, predicates: readonly Scalar[]): Rel {
  const predicate = conjunction(predicates);
  return predicate === null ? input : { kind: 'filter', input, predicate, schema: input.schema };
}

/** NOW() as the column `ordinal`. */
function placed(scalar: Scalar, ordinal: number): Scalar {
  return replaceNow(scalar, ({ type, nullable, source }) => ({ kind: 'column', ordinal, type, nullable, source }));
}

function isComparison(operator: ScalarOperator): operator is Comparison {
  return operator in mirrored;
}

function isTime(type: SqlType): boolean {
  return type.kind === 'TIMESTAMP' || type.kind === 'DATE';
}
