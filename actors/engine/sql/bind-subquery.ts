// Binder of subqueries in expressions: each becomes columns beside the rows that the expression is computed over, by joins that
// neither drop nor repeat a row.
//
//   (SELECT …)              its value: joined to every row; of several rows the query must make one (ONE_ROW fails at run time)
//   EXISTS (SELECT …)       joined to the distinct rows of outer columns for which there is any
//   x [NOT] IN (SELECT …)   joined to its distinct value that is x; two counts tell whether the answer without one is FALSE or NULL
//   ARRAY (SELECT …), MAP (SELECT …)   all of its rows as one value, see collection-query.ts
//   x < ANY / ALL (SELECT …)   the least and the greatest value, and the two counts
// A subquery that reads columns around it is made to stand alone first (dependent-query.ts). While a SELECT is bound, a subquery
// is only noted and its columns have ordinals from `subqueryOrdinal` on; `attach` makes the joins.
// Not here: subqueries in FROM (bind-from.ts).
import { type Field, makeSchema } from '../../../runtime/batch/schema.ts';
import { formatSqlType, type SqlType } from '../../../runtime/batch/sql-type.ts';
import type { Query } from './ast.ts';
import { makeCase } from './bind-case.ts';
import { bindComparison, not, operator } from './bind-comparison.ts';
import { findName } from './bind-name.ts';
import type { AggregateCall, AggregateFunction, ExpressionSource, Rel, Scalar } from './bound.ts';
import { caseBranch } from './case-branch.ts';
import { collectionOf, keysInFront, withOrderKeys } from './collection-query.ts';
import { overDomain, sameRows } from './dependent-query.ts';
import type { ExpressionContext, QuantifiedComparison, SubquerySink } from './expression-context.ts';
import { bindNamedFunction } from './named-function.ts';
import { isNumeric } from './numeric-types.ts';
import { type FindOuter, OuterColumns } from './outer-columns.ts';
import { columnOf, type QueryContext } from './query-context.ts';
import { mapScalarColumns, readsColumn, subqueryOrdinal } from './scalar-columns.ts';
import { SqlTypeMismatch } from './sql-errors.ts';
import { boolean, coerce, commonType, isBinary, literal } from './type-coercion.ts';
import { byValue, distinctRows } from './variant-equality.ts';

const bigint: SqlType = { kind: 'BIGINT' };

/** A relation with the columns that a subquery added, and where its expressions find what they named. */
export interface Attached {
  readonly rel: Rel;
  readonly place: (scalar: Scalar) => Scalar;
}

/** A query inside an expression, with what it takes from around. */
interface Subquery {
  readonly rel: Rel;
  readonly outer: readonly Scalar[];
}

interface Pending {
  /** Expressions over the rows around: the outer columns of the subquery, then whatever the condition needs. */
  readonly operands: readonly Scalar[];
  /** Makes the right side of the join from the distinct rows of outer columns. */
  readonly right: (domain: Rel | null) => Rel;
  readonly condition: (operands: readonly Scalar[], right: readonly Scalar[]) => Scalar;
  readonly first: number;
  readonly outerCount: number;
}

export class SubqueryJoins implements SubquerySink {
  readonly #context: QueryContext;
  readonly #bindQuery: (context: QueryContext, query: Query) => Rel;
  readonly #first: number;
  readonly #pending: Pending[] = [];
  #next: number;

  /** Sinks of one SELECT have different numbers. */
  constructor(context: QueryContext, bindQuery: (context: QueryContext, query: Query) => Rel, number: number) {
    this.#context = context;
    this.#bindQuery = bindQuery;
    this.#first = subqueryOrdinal + (number << 16);
    this.#next = this.#first;
  }

  get isEmpty(): boolean {
    return this.#pending.length === 0;
  }

  /** Whether any subquery takes something from around that `test` holds for. */
  reads(test: (ordinal: number) => boolean): boolean {
    return this.#pending.some(({ operands }) => operands.some((operand) => readsColumn(operand, test)));
  }

  scalar(context: ExpressionContext, query: Query, source: ExpressionSource): Scalar {
    const subquery = this.#bind(context, query);
    const [field] = this.#oneColumn(subquery, source);
    if (hasOneRowAtMost(subquery.rel)) {
      const [value] = this.#lookup(subquery, (rel) => rel, [{ ...field, nullable: true }]);
      return { ...value!, source };
    }
    const value = columnOf(field, 0);
    const fields = [
      { name: 'rows', type: bigint, nullable: true },
      { ...field, nullable: true },
    ];
    const calls = [aggregate('count', null, bigint, source), aggregate('min', value, field.type, source)];
    const [rows, only] = this.#lookup(subquery, (rel, outer) => grouped(rel, outer, calls, fields), fields);
    const isOne = bindNamedFunction('one_row', [rows!], source);
    return { ...makeCase([caseBranch(isOne, only!)], literal(null, field.type, source), source), source };
  }

  collection(context: ExpressionContext, query: Query, collection: 'array' | 'map', source: ExpressionSource): Scalar {
    const { query: asked, keys, after } = withOrderKeys(query);
    const { rel, outer } = this.#bind(context, asked);
    const ordered = after.length === 0 ? { rel, keys } : keysInFront(rel, after, context.source);
    const gathered = collectionOf(ordered.rel, ordered.keys, collection, source);
    const [field] = gathered.schema.fields;
    const found = field === undefined ? [] : this.#lookup({ rel: gathered, outer }, (same) => same, [field]);
    return { ...found[0]!, source };
  }

  exists(context: ExpressionContext, query: Query, source: ExpressionSource): Scalar {
    const subquery = this.#bind(context, query);
    const mark: Field = { name: 'found', type: boolean, nullable: false };
    const found = (rel: Rel, outer: readonly Scalar[]): Rel => {
      const keys = outer.map(({ type, nullable }, i): Field => ({ name: `outer$${i}`, type, nullable }));
      const schema = makeSchema([mark, ...keys]);
      const columns = [literal(true, boolean, source), ...outer];
      return distinctRows({ kind: 'project', input: rel, columns, schema });
    };
    const [marked] = this.#lookup(subquery, found, [mark]);
    return operator('is not null', [marked!], source, false);
  }

  contains(
    context: ExpressionContext,
    operand: Scalar,
    query: Query,
    negated: boolean,
    source: ExpressionSource,
  ): Scalar {
    const { subquery, field, sought } = this.#values(context, operand, query, source);
    const found: Field = { ...field, nullable: true };
    const [match] = this.#join(subquery, distinctRows, [found], [sought], ([value], [column]) =>
      bindComparison('=', value!, column!, source),
    );
    const isFound = operator('is not null', [match!], source, false);
    if (!sought.nullable && !field.nullable) return negated ? not(isFound, source) : isFound;
    const { rows, known } = this.#counts(subquery, field, source);
    const yes = literal(true, boolean, source);
    const answer = makeCase(
      [
        caseBranch(isFound, yes),
        caseBranch(isEmpty(rows, source), not(yes, source)),
        caseBranch(isUnknown(sought, rows, known, source), literal(null, boolean, source)),
      ],
      not(yes, source),
      source,
    );
    return negated ? not(answer, source) : answer;
  }

  compares(
    context: ExpressionContext,
    { operand, operator: name, all, query }: QuantifiedComparison,
    source: ExpressionSource,
  ): Scalar {
    if (name === '=' && !all) return this.contains(context, operand, query, false, source);
    if (name === '<>' && all) return this.contains(context, operand, query, true, source);
    const { subquery, field, sought } = this.#values(context, operand, query, source);
    const value = columnOf(field, 0);
    const optional = { ...field, nullable: true };
    const fields = [
      { name: 'rows', type: bigint, nullable: true },
      { name: 'values', type: bigint, nullable: true },
      { ...optional, name: 'least' },
      { ...optional, name: 'greatest' },
    ];
    const calls = [
      aggregate('count', null, bigint, source),
      aggregate('count', value, bigint, source),
      aggregate('min', value, field.type, source),
      aggregate('max', value, field.type, source),
    ];
    const [rows, known, least, greatest] = this.#lookup(
      subquery,
      (rel, outer) => grouped(rel, outer, calls, fields),
      fields,
    );
    const against = (extreme: Scalar | undefined): Scalar => bindComparison(name, sought, extreme!, source);
    // x < ANY: below the greatest; x < ALL: below the least; = and <> are about both.
    const wantsGreatest = (name === '<' || name === '<=') !== all;
    const both = operator(all ? 'and' : 'or', [against(least), against(greatest)], source);
    const plain = name === '=' || name === '<>' ? both : against(wantsGreatest ? greatest : least);
    const decided = operator(all ? 'is false' : 'is true', [plain], source, false);
    const whenDecided = literal(!all, boolean, source);
    const otherwise = literal(all, boolean, source);
    return makeCase(
      [
        caseBranch(isEmpty(rows!, source), otherwise),
        caseBranch(decided, whenDecided),
        caseBranch(isUnknown(sought, rows!, known!, source), literal(null, boolean, source)),
      ],
      otherwise,
      source,
    );
  }

  /**
   * Joins every subquery to `rel`; none may be added afterwards. `place` says what an expression that was bound becomes over
   * `rel`, but for the columns of subqueries.
   */
  attach(rel: Rel, place: (scalar: Scalar) => Scalar): Attached {
    const columns = new Map<number, Scalar>();
    const placed = (scalar: Scalar): Scalar =>
      mapScalarColumns(place(scalar), (column) => {
        const found = columns.get(column.ordinal);
        return found === undefined ? column : { ...found, source: column.source };
      });
    let joined = rel;
    for (const { operands, right, condition, first, outerCount } of this.#pending) {
      const given = operands.map(placed);
      const outer = given.slice(0, outerCount);
      // Outer columns are of the rows around, which no subquery beside this one adds or takes.
      const side = right(outerCount === 0 ? null : domainOf(rel, outer));
      const before = joined.schema.fields;
      const added = side.schema.fields.map((field) => ({ ...field, nullable: true }));
      const references = side.schema.fields.map((field, i) => columnOf(field, before.length + i));
      const schema = makeSchema([...before, ...added]);
      joined = {
        kind: 'join',
        type: 'left',
        left: joined,
        right: side,
        condition: condition(given, references),
        schema,
      };
      for (const [i, field] of added.entries()) columns.set(first + i, columnOf(field, before.length + i));
    }
    return { rel: joined, place: placed };
  }

  #bind(context: ExpressionContext, query: Query): Subquery {
    const find: FindOuter = (path, source) => findName({ ...context, aliases: null }, path, source);
    const outer = new OuterColumns(find, context.outer);
    const rel = this.#bindQuery({ ...this.#context, outer }, query);
    return { rel, outer: outer.arguments };
  }

  #oneColumn({ rel }: Subquery, source: ExpressionSource): readonly [Field] {
    const [field, second] = rel.schema.fields;
    if (field !== undefined && second === undefined) return [field];
    const detail = `a subquery in an expression gives one column, this one ${rel.schema.fields.length}`;
    throw new SqlTypeMismatch({ detail }, { place: source.place });
  }

  /** A subquery of values that are compared with an operand, both of one type. */
  #values(
    context: ExpressionContext,
    operand: Scalar,
    query: Query,
    source: ExpressionSource,
  ): { readonly subquery: Subquery; readonly field: Field; readonly sought: Scalar } {
    const given = asRow(this.#bind(context, query), operand, source);
    const [field] = this.#oneColumn(given, source);
    const type = commonType(operand.type, field.type) ?? apart(operand.type, field.type);
    if (type === null) {
      const detail = `${operand.source.text} is ${formatSqlType(operand.type)}, the subquery gives ${formatSqlType(field.type)}`;
      throw new SqlTypeMismatch({ detail }, { place: source.place });
    }
    const typed = { ...field, type };
    const schema = makeSchema([typed]);
    const rel: Rel = { kind: 'project', input: given.rel, columns: [coerce(columnOf(field, 0), type)], schema };
    return { subquery: { rel, outer: given.outer }, field: typed, sought: coerce(operand, type) };
  }

  #counts(
    subquery: Subquery,
    field: Field,
    source: ExpressionSource,
  ): { readonly rows: Scalar; readonly known: Scalar } {
    const fields = ['rows', 'values'].map((name) => ({ name, type: bigint, nullable: true }));
    const calls = [aggregate('count', null, bigint, source), aggregate('count', columnOf(field, 0), bigint, source)];
    const [rows, known] = this.#lookup(subquery, (rel, outer) => grouped(rel, outer, calls, fields), fields);
    return { rows: rows!, known: known! };
  }

  /** Joins what has one row at most for each row of outer columns; gives its first columns. */
  #lookup(
    subquery: Subquery,
    make: (rel: Rel, outer: readonly Scalar[]) => Rel,
    fields: readonly Field[],
  ): readonly Scalar[] {
    return this.#join(subquery, make, fields, [], () => literal(true, boolean, { place: {}, text: '' }));
  }

  /** `make` gets the subquery with the outer columns behind its own, and says where they lie; it keeps them last. */
  #join(
    { rel, outer }: Subquery,
    make: (rel: Rel, outer: readonly Scalar[]) => Rel,
    fields: readonly Field[],
    more: readonly Scalar[],
    condition: (operands: readonly Scalar[], right: readonly Scalar[]) => Scalar,
  ): readonly Scalar[] {
    const first = this.#next;
    const width = rel.schema.fields.length;
    const count = outer.length;
    this.#next += fields.length + count;
    this.#pending.push({
      operands: [...outer, ...more],
      right: (domain) => {
        if (domain === null) return make(rel, []);
        const over = overDomain(rel, domain);
        return make(
          over,
          domain.schema.fields.map((field, i) => columnOf(field, width + i)),
        );
      },
      condition: (operands, right) => {
        const own = condition(operands.slice(count), right.slice(0, fields.length));
        if (count === 0) return own;
        const same = sameRows(operands.slice(0, count), right.slice(fields.length));
        return more.length === 0 ? same : operator('and', [same, own], own.source);
      },
      first,
      outerCount: count,
    });
    return fields.map((field, i) => columnOf({ ...field, nullable: true }, first + i));
  }
}

/** (a, b) IN (SELECT x, y …): the columns of the subquery as one ROW. */
function asRow(subquery: Subquery, operand: Scalar, source: ExpressionSource): Subquery {
  const { fields } = subquery.rel.schema;
  if (operand.type.kind !== 'ROW' || fields.length !== operand.type.fields.length || fields.length < 2) return subquery;
  const row = bindNamedFunction('row', fields.map(columnOf), source);
  const schema = makeSchema([{ name: 'row', type: row.type, nullable: false }]);
  return { ...subquery, rel: { kind: 'project', input: subquery.rel, columns: [row], schema } };
}

/** Bytes and numbers are values of no common type: beside one another they are never equal, as VARIANTs are not. */
function apart(a: SqlType, b: SqlType): SqlType | null {
  const isPair = (isBinary(a) && isNumeric(b)) || (isNumeric(a) && isBinary(b));
  return isPair ? { kind: 'VARIANT' } : null;
}

/** The distinct rows of some expressions. */
export function domainOf(rel: Rel, columns: readonly Scalar[]): Rel {
  const fields = columns.map(({ type, nullable }, i): Field => ({ name: `outer$${i}`, type, nullable }));
  const schema = makeSchema(fields);
  return distinctRows({ kind: 'project', input: rel, columns, schema });
}

function aggregate(
  name: AggregateFunction,
  operand: Scalar | null,
  type: SqlType,
  source: ExpressionSource,
): AggregateCall {
  return { function: name, operand, distinct: false, filter: null, type, nullable: name !== 'count', source };
}

/** The aggregates for each row of outer columns, those at the end. */
function grouped(
  input: Rel,
  outer: readonly Scalar[],
  aggregates: readonly AggregateCall[],
  fields: readonly Field[],
): Rel {
  const keys = outer.map(({ type, nullable }, i): Field => ({ name: `outer$${i}`, type, nullable }));
  const made = fields.map((field, i) => ({ ...field, nullable: aggregates[i]?.nullable !== false }));
  const schema = makeSchema([...keys, ...made]);
  const rel: Rel = { kind: 'aggregate', input, groups: outer.map(byValue), aggregates, schema };
  if (keys.length === 0) return rel;
  const columns = [...made.map((field, i) => columnOf(field, keys.length + i)), ...keys.map(columnOf)];
  return { kind: 'project', input: rel, columns, schema: makeSchema([...made, ...keys]) };
}

function isEmpty(rows: Scalar, source: ExpressionSource): Scalar {
  const isZero = bindComparison('=', rows, literal(0n, bigint, source), source);
  return operator(
    'or',
    [operator('is null', [rows], source, false), operator('is true', [isZero], source, false)],
    source,
    false,
  );
}

/** Whether the value is NULL, or one of those that it is compared with. */
function isUnknown(sought: Scalar, rows: Scalar, known: Scalar, source: ExpressionSource): Scalar {
  const hasNull = bindComparison('<', known, rows, source);
  return operator('or', [operator('is null', [sought], source, false), hasNull], source);
}

/** Whether a query has one row at most, for each row of the query around it. */
export function hasOneRowAtMost(rel: Rel): boolean {
  switch (rel.kind) {
    case 'aggregate':
      return rel.groups.length === 0;
    case 'project':
    case 'filter':
    case 'distinct':
      return hasOneRowAtMost(rel.input);
    case 'join':
      return hasOneRowAtMost(rel.left) && hasOneRowAtMost(rel.right);
    case 'values':
      return rel.rows.length <= 1;
    case 'top':
      return rel.limit !== null && (rel.limit <= 1 || hasOneRowAtMost(rel.input));
    default:
      return false;
  }
}
