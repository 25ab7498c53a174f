// Binder of subqueries in WHERE: each becomes columns beside those of FROM, by joins that neither drop nor repeat a row.
//
//   (SELECT …)         a query that aggregates without GROUP BY, so that it has one row at most: joined to every row
//   x [NOT] IN (SELECT …)   joined to its distinct value that is x; two counts tell whether the answer without one is FALSE or NULL
// Subqueries see none of the columns around them. The columns of FROM keep their ordinals. Made for one SELECT by
// bind-select.ts; not here: subqueries in FROM (bind-from.ts).
import { makeSchema } from '../../../runtime/batch/schema.ts';
import { formatSqlType } from '../../../runtime/batch/sql-type.ts';
import type { Query } from './ast.ts';
import { bindComparison, not, operator } from './bind-comparison.ts';
import type { ExpressionSource, Rel, Scalar } from './bound.ts';
import { caseBranch } from './case-branch.ts';
import type { SubquerySink } from './expression-context.ts';
import { columnOf, type QueryContext } from './query-context.ts';
import { SqlTypeMismatch, SqlUnsupported } from './sql-errors.ts';
import { boolean, coerce, commonType, literal } from './type-coercion.ts';

export class SubqueryJoins implements SubquerySink {
  /** FROM with the columns of the subqueries so far. */
  rel: Rel;
  readonly #context: QueryContext;
  readonly #bindQuery: (context: QueryContext, query: Query) => Rel;

  constructor(context: QueryContext, rel: Rel, bindQuery: (context: QueryContext, query: Query) => Rel) {
    this.#context = context;
    this.rel = rel;
    this.#bindQuery = bindQuery;
  }

  scalar(query: Query, source: ExpressionSource): Scalar {
    const rel = this.#oneColumn(query, source);
    if (!hasOneRowAtMost(rel)) {
      throw new SqlUnsupported(
        { construct: 'a subquery that may give several rows', instead: 'aggregate it, as in (SELECT MAX(x) FROM t)' },
        { place: source.place },
      );
    }
    const [value] = this.#join(rel, literal(true, boolean, source));
    return { ...value!, source };
  }

  contains(operand: Scalar, query: Query, negated: boolean, source: ExpressionSource): Scalar {
    const given = this.#oneColumn(query, source);
    const [field] = given.schema.fields;
    const type = commonType(operand.type, field!.type);
    if (type === null) {
      const detail = `${operand.source.text} is ${formatSqlType(operand.type)}, the subquery gives ${formatSqlType(field!.type)}`;
      throw new SqlTypeMismatch({ detail }, { place: source.place });
    }
    const schema = makeSchema([{ ...field!, type }]);
    const values: Rel = { kind: 'project', input: given, columns: [coerce(columnOf(field!, 0), type)], schema };
    const sought = coerce(operand, type);
    const width = this.rel.schema.fields.length;
    const same = bindComparison('=', sought, columnOf(schema.fields[0]!, width), source);
    const [found] = this.#join({ kind: 'distinct', input: values, schema }, same);
    const isFound = operator('is not null', [found!], source, false);
    const answer = sought.nullable || field!.nullable ? this.#orUnknown(isFound, sought, values, source) : isFound;
    return negated ? not(answer, source) : answer;
  }

  /** TRUE when found; else FALSE, but NULL when the value is NULL or one of several is, except among none. */
  #orUnknown(isFound: Scalar, sought: Scalar, values: Rel, source: ExpressionSource): Scalar {
    const bigint = { kind: 'BIGINT' } as const;
    const count = { function: 'count', distinct: false, filter: null, type: bigint, nullable: false, source } as const;
    const counts: Rel = {
      kind: 'aggregate',
      input: values,
      groups: [],
      aggregates: [
        { ...count, operand: null },
        { ...count, operand: columnOf(values.schema.fields[0]!, 0) },
      ],
      schema: makeSchema([
        { name: 'rows', type: bigint, nullable: false },
        { name: 'values', type: bigint, nullable: false },
      ]),
    };
    const [rows, known] = this.#join(counts, literal(true, boolean, source));
    const isEmpty = bindComparison('=', rows!, literal(0n, bigint, source), source);
    const hasNull = bindComparison('<', known!, rows!, source);
    const isUnknown = operator('or', [operator('is null', [sought], source, false), hasNull], source);
    return {
      kind: 'case',
      branches: [
        caseBranch(isFound, literal(true, boolean, source)),
        caseBranch(isEmpty, literal(false, boolean, source)),
        caseBranch(isUnknown, literal(null, boolean, source)),
      ],
      otherwise: literal(false, boolean, source),
      type: boolean,
      nullable: true,
      source,
    };
  }

  #oneColumn(query: Query, source: ExpressionSource): Rel {
    const rel = this.#bindQuery(this.#context, query);
    if (rel.schema.fields.length === 1) return rel;
    const detail = `a subquery in an expression gives one column, this one ${rel.schema.fields.length}`;
    throw new SqlTypeMismatch({ detail }, { place: source.place });
  }

  /** Joins what has one row at most for each row here; gives its columns, which are NULL where there is none. */
  #join(right: Rel, condition: Scalar): readonly Scalar[] {
    const before = this.rel.schema.fields;
    const added = right.schema.fields.map((field) => ({ ...field, nullable: true }));
    const schema = makeSchema([...before, ...added]);
    this.rel = { kind: 'join', type: 'left', left: this.rel, right, condition, schema };
    return added.map((field, i) => columnOf(field, before.length + i));
  }
}

function hasOneRowAtMost(rel: Rel): boolean {
  switch (rel.kind) {
    case 'aggregate':
      return rel.groups.length === 0;
    case 'project':
    case 'filter':
    case 'distinct':
      return hasOneRowAtMost(rel.input);
    case 'values':
      return rel.rows.length <= 1;
    case 'top':
      return rel.limit === 1 || hasOneRowAtMost(rel.input);
    default:
      return false;
  }
}
