// Subqueries that name columns of the query around them, made into relations that stand alone.
//
// The domain is the set of rows of outer columns that occur. `overDomain` gives what the subquery would give for each of
// them, with the row of the domain beside it:
//   D ⋉ σp(R) = σp'(D ⋉ R)      D ⋉ π(R) = π'(D ⋉ R)      D ⋉ γ[g; a](R) = γ[g, d; a](D ⋉ R)      D ⋉ (R ⋈ S) = (D ⋉ R) ⋈ S
// and where a part reads no outer column, D ⋉ R is the plain product; the filters above it make a join of that. An aggregate
// without groups has a row over no input as well: it is joined to the domain from the left.
// Columns of the result: those of the relation, then those of the domain.
import { type Field, makeSchema } from '../../../runtime/batch/schema.ts';
import { bindComparison, operator } from './bind-comparison.ts';
import type { ExpressionSource, Rel, Scalar, WindowCall } from './bound.ts';
import { caseBranch } from './case-branch.ts';
import { isDependent } from './outer-in-relation.ts';
import { columnOf } from './query-context.ts';
import { mapScalarColumns, outerOrdinal } from './scalar-columns.ts';
import { SqlUnsupported } from './sql-errors.ts';
import { boolean, literal } from './type-coercion.ts';

const nowhere: ExpressionSource = { place: {}, text: '' };

/** The rows of `rel` for each row of the domain. @throws SqlUnsupported */
export function overDomain(rel: Rel, domain: Rel): Rel {
  return new DomainRewriting(domain).apply(rel);
}

/** left_i IS NOT DISTINCT FROM right_i for all of them; TRUE of none. */
export function sameRows(left: readonly Scalar[], right: readonly Scalar[]): Scalar {
  const tests = left.map((one, i) => {
    const other = right[i] ?? one;
    const name = one.nullable || other.nullable ? 'is not distinct from' : '=';
    return bindComparison(name, one, other, nowhere);
  });
  const [first, ...rest] = tests;
  if (first === undefined) return literal(true, boolean, nowhere);
  return rest.reduce((all, test) => operator('and', [all, test], nowhere), first);
}

class DomainRewriting {
  readonly #domain: Rel;
  readonly #fields: readonly Field[];

  constructor(domain: Rel) {
    this.#domain = domain;
    this.#fields = domain.schema.fields;
  }

  apply(rel: Rel): Rel {
    if (!isDependent(rel)) return this.#product(rel);
    const width = rel.schema.fields.length;
    switch (rel.kind) {
      case 'scan':
      case 'fixpoint':
        return this.#product(rel);
      case 'values':
        return this.#values(rel);
      case 'filter': {
        const input = this.apply(rel.input);
        return { ...rel, input, predicate: this.#resolve(rel.predicate, width), schema: input.schema };
      }
      case 'project': {
        const from = rel.input.schema.fields.length;
        const columns = [...rel.columns.map((column) => this.#resolve(column, from)), ...this.#columns(from)];
        return { ...rel, input: this.apply(rel.input), columns, schema: this.#beside(rel.schema.fields) };
      }
      case 'join':
        return this.#join(rel);
      case 'aggregate':
        return this.#aggregate(rel);
      case 'distinct': {
        const input = this.apply(rel.input);
        return { ...rel, input, schema: input.schema };
      }
      case 'union': {
        const inputs = rel.inputs.map((input) => this.apply(input));
        return { ...rel, inputs, schema: this.#beside(rel.schema.fields) };
      }
      case 'repeat':
        return { ...rel, input: this.#lastBehind(rel.input), schema: this.#beside(rel.schema.fields) };
      case 'explode': {
        const others = rel.schema.fields.slice(0, -1);
        const last = rel.schema.fields.slice(-1);
        const schema = makeSchema([...others, ...this.#fields, ...last]);
        const exploded: Rel = { ...rel, input: this.#lastBehind(rel.input), schema };
        return this.#reordered(exploded, others.length, last.length);
      }
      case 'top':
        return this.#top(rel);
      case 'window': {
        const before = rel.input.schema.fields;
        const partition = [...rel.partition, ...this.#fields.map((_, i) => before.length + i)];
        const calls = rel.schema.fields.slice(before.length);
        const schema = makeSchema([...before, ...this.#fields, ...calls]);
        return this.#reordered(
          { ...rel, input: this.apply(rel.input), partition, schema },
          before.length,
          calls.length,
        );
      }
      case 'asof': {
        if (isDependent(rel.right)) {
          const instead = 'name outer columns on its left side only';
          throw new SqlUnsupported({ construct: 'ASOF JOIN with a right side that reads outer columns', instead });
        }
        const left = this.apply(rel.left);
        const own = rel.schema.fields.slice(0, rel.left.schema.fields.length);
        const right = rel.schema.fields.slice(own.length);
        const schema = makeSchema([...own, ...this.#fields, ...right]);
        return this.#reordered({ ...rel, left, schema }, own.length, right.length);
      }
    }
  }

  #beside(fields: readonly Field[]): Rel['schema'] {
    return makeSchema([...fields, ...this.#fields]);
  }

  /** References to the columns of the domain where they begin at ordinal `from`. */
  #columns(from: number): Scalar[] {
    return this.#fields.map((field, i) => columnOf(field, from + i));
  }

  /** Outer columns as columns of the domain, which begin at ordinal `from`. */
  #resolve(scalar: Scalar, from: number): Scalar {
    return mapScalarColumns(scalar, (column) =>
      column.ordinal < outerOrdinal ? column : { ...column, ordinal: from + column.ordinal - outerOrdinal },
    );
  }

  #product(rel: Rel): Rel {
    const condition = literal(true, boolean, nowhere);
    const schema = this.#beside(rel.schema.fields);
    return { kind: 'join', type: 'inner', left: rel, right: this.#domain, condition, schema };
  }

  #values(rel: Extract<Rel, { kind: 'values' }>): Rel {
    const schema = this.#beside(rel.schema.fields);
    const inputs = rel.rows.map(
      (row): Rel => ({
        kind: 'project',
        input: this.#domain,
        columns: [...row.map((scalar) => this.#resolve(scalar, 0)), ...this.#columns(0)],
        schema,
      }),
    );
    const [only] = inputs;
    return only !== undefined && inputs.length === 1 ? only : { kind: 'union', inputs, schema };
  }

  #join(rel: Extract<Rel, { kind: 'join' }>): Rel {
    const size = this.#fields.length;
    const leftWidth = rel.left.schema.fields.length;
    const width = rel.schema.fields.length;
    const [leftFields, rightFields] = [rel.schema.fields.slice(0, leftWidth), rel.schema.fields.slice(leftWidth)];
    const rightIs = isDependent(rel.right);
    if (rel.type === 'inner' && rightIs && !isDependent(rel.left)) {
      const right = this.apply(rel.right);
      return { ...rel, right, condition: this.#resolve(rel.condition, width), schema: this.#beside(rel.schema.fields) };
    }
    const left = this.apply(rel.left);
    const moved = mapScalarColumns(rel.condition, (column) => {
      if (column.ordinal >= outerOrdinal) return { ...column, ordinal: leftWidth + column.ordinal - outerOrdinal };
      return column.ordinal < leftWidth ? column : { ...column, ordinal: column.ordinal + size };
    });
    if (!rightIs) {
      const schema = makeSchema([...leftFields, ...this.#fields, ...rightFields]);
      return this.#reordered({ ...rel, left, condition: moved, schema }, leftWidth, rightFields.length);
    }
    const right = this.apply(rel.right);
    const again = this.#fields.map((field) => (rel.type === 'left' ? { ...field, nullable: true } : field));
    const schema = makeSchema([...leftFields, ...this.#fields, ...rightFields, ...again]);
    const same = sameRows(this.#columns(leftWidth), this.#columns(width + size));
    const condition = operator('and', [same, moved], rel.condition.source);
    return this.#reordered({ ...rel, left, right, condition, schema }, leftWidth, rightFields.length);
  }

  #aggregate(rel: Extract<Rel, { kind: 'aggregate' }>): Rel {
    const from = rel.input.schema.fields.length;
    const count = rel.groups.length;
    const resolve = (scalar: Scalar | null): Scalar | null => (scalar === null ? null : this.#resolve(scalar, from));
    const groupFields = rel.schema.fields.slice(0, count);
    const callFields = rel.schema.fields.slice(count);
    const schema = makeSchema([...groupFields, ...this.#fields, ...callFields]);
    const grouped: Rel = {
      kind: 'aggregate',
      input: this.apply(rel.input),
      groups: [...rel.groups.map((group) => this.#resolve(group, from)), ...this.#columns(from)],
      aggregates: rel.aggregates.map((call) => ({
        ...call,
        operand: resolve(call.operand),
        filter: resolve(call.filter),
      })),
      schema,
    };
    if (count > 0) return this.#reordered(grouped, count, callFields.length);
    const size = this.#fields.length;
    const optional = [...this.#fields, ...callFields].map((field) => ({ ...field, nullable: true }));
    const joined: Rel = {
      kind: 'join',
      type: 'left',
      left: this.#domain,
      right: grouped,
      condition: sameRows(this.#columns(0), this.#columns(size)),
      schema: makeSchema([...this.#fields, ...optional]),
    };
    const values = callFields.map((field, i): Scalar => {
      const value = columnOf({ ...field, nullable: true }, 2 * size + i);
      // Only a count and an array have a value over no rows.
      if (field.nullable) return value;
      const isNull = operator('is null', [value], nowhere, false);
      const zero = literal(rel.aggregates[i]?.function === 'array_agg' ? '[]' : 0n, field.type, nowhere);
      const branches = [caseBranch(isNull, zero)];
      return { kind: 'case', branches, otherwise: value, type: field.type, nullable: false, source: nowhere };
    });
    return {
      kind: 'project',
      input: joined,
      columns: [...values, ...this.#columns(0)],
      schema: this.#beside(callFields),
    };
  }

  /** ORDER BY … LIMIT for each row of the domain: the rows whose number is in the window. */
  #top(rel: Extract<Rel, { kind: 'top' }>): Rel {
    const input = this.apply(rel.input);
    const width = rel.schema.fields.length;
    const place: Field = { name: 'place', type: { kind: 'BIGINT' }, nullable: false };
    const call: WindowCall = {
      function: 'row_number',
      operand: null,
      filter: null,
      offset: 0,
      fallback: null,
      ignoreNulls: false,
      frame: { unit: 'rows', start: { kind: 'unbounded' }, end: { kind: 'current' } },
      type: place.type,
      nullable: false,
      source: nowhere,
    };
    const schema = makeSchema([...input.schema.fields, place]);
    const partition = this.#fields.map((_, i) => width + i);
    const numbered: Rel = { kind: 'window', input, partition, order: rel.keys, calls: [call], limit: null, schema };
    const number = columnOf(place, schema.fields.length - 1);
    const bound = (value: number): Scalar => literal(BigInt(value), place.type, nowhere);
    const tests = [
      ...(rel.offset === 0 ? [] : [bindComparison('>', number, bound(rel.offset), nowhere)]),
      ...(rel.limit === null ? [] : [bindComparison('<=', number, bound(rel.offset + rel.limit), nowhere)]),
    ];
    const [one, two] = tests;
    if (one === undefined) return input;
    const predicate = two === undefined ? one : operator('and', [one, two], nowhere);
    const kept: Rel = { kind: 'filter', input: numbered, predicate, schema };
    return { kind: 'project', input: kept, columns: input.schema.fields.map(columnOf), schema: input.schema };
  }

  /** The input over the domain, with its last column behind those of the domain. */
  #lastBehind(input: Rel): Rel {
    const over = this.apply(input);
    const { fields } = over.schema;
    const last = input.schema.fields.length - 1;
    const order = [...fields.keys()].filter((ordinal) => ordinal !== last);
    const columns = [...order, last].map((ordinal) => columnOf(fields[ordinal] ?? fields[0]!, ordinal));
    const schema = makeSchema([...order, last].map((ordinal) => fields[ordinal] ?? fields[0]!));
    return { kind: 'project', input: over, columns, schema };
  }

  /** `rel` has `first` columns, those of the domain, `then` more (and perhaps others): the domain goes to the end. */
  #reordered(rel: Rel, first: number, then: number): Rel {
    const size = this.#fields.length;
    const order = [
      ...Array.from({ length: first }, (_, i) => i),
      ...Array.from({ length: then }, (_, i) => first + size + i),
      ...Array.from({ length: size }, (_, i) => first + i),
    ];
    const fields = order.map((ordinal) => rel.schema.fields[ordinal] ?? rel.schema.fields[0]!);
    const columns = order.map((ordinal, i) => columnOf(fields[i] ?? fields[0]!, ordinal));
    return { kind: 'project', input: rel, columns, schema: makeSchema(fields) };
  }
}
