// Aggregation of one SELECT: its groups, its aggregates, and expressions over the result.
//
// Expressions of an aggregate query are bound over the rows before grouping; an aggregate in them is a column
// reference from `aggregateOrdinal` on. `overGroups` then rewrites the whole expression for the rows after grouping:
// what equals a group expression becomes the group's column, aggregates move behind the groups, and a column that is left
// is an error.

import type { AggregateCall, ExpressionSource, Scalar } from './bound.ts';
import { caseBranch } from './case-branch.ts';
import type { AggregateSink } from './expression-context.ts';
import { aggregateOrdinal, groupingOrdinal, subqueryOrdinal } from './scalar-columns.ts';
import { aggregateKey, scalarKey } from './scalar-key.ts';
import { SqlNotGrouped } from './sql-errors.ts';

/** What is the same for all rows of a grouping set. */
export type Grouping = readonly number[] | 'group id';

export class GroupAggregation implements AggregateSink {
  readonly groups: readonly Scalar[];
  readonly #groupKeys: readonly string[];
  readonly #calls: AggregateCall[] = [];
  readonly #ordinals = new Map<string, number>();
  readonly #groupings: Grouping[] = [];
  /** Whether a group may be left out of a row, as in GROUPING SETS: then it is NULL. */
  readonly #mayBeAbsent: boolean;

  constructor(groups: readonly Scalar[], mayBeAbsent: boolean) {
    this.groups = groups;
    this.#mayBeAbsent = mayBeAbsent;
    this.#groupKeys = groups.map(scalarKey);
  }

  /** The bits of each GROUPING(), as positions of groups, or GROUP_ID(). */
  get groupings(): readonly Grouping[] {
    return this.#groupings;
  }

  groupId(source: ExpressionSource): Scalar {
    return this.#constantOfSets('group id', source);
  }

  grouping(groups: readonly Scalar[], source: ExpressionSource): Scalar {
    const positions = groups.map((group) => this.#groupKeys.indexOf(scalarKey(group)));
    const missing = groups[positions.indexOf(-1)];
    if (missing !== undefined) throw new SqlNotGrouped({ expression: missing.source.text }, { place: source.place });
    return this.#constantOfSets(positions, source);
  }

  #constantOfSets(grouping: Grouping, source: ExpressionSource): Scalar {
    const at = this.#groupings.push(grouping) - 1;
    return { kind: 'column', ordinal: groupingOrdinal + at, type: { kind: 'BIGINT' }, nullable: false, source };
  }

  get calls(): readonly AggregateCall[] {
    return this.#calls.map((call) => this.#withOrder(call));
  }

  /** ARRAY_AGG gathers in the order of the rows, as far as aggregates see them: their operands and conditions, as they stand. */
  #withOrder(call: AggregateCall): AggregateCall {
    const { operand } = call;
    if (call.function !== 'array_agg' || call.distinct || operand?.kind !== 'function') return call;
    const seen = new Map<string, Scalar>();
    for (const other of this.#calls) {
      const of =
        other.operand?.kind === 'function' && other.function === 'array_agg'
          ? other.operand.operands[0]
          : other.operand;
      for (const part of [of ?? null, other.filter])
        if (part !== null && part.kind !== 'literal') seen.set(scalarKey(part), part);
    }
    return { ...call, operand: { ...operand, operands: [...operand.operands, ...seen.values()] } };
  }

  add(call: Omit<AggregateCall, 'nullable'>): Scalar {
    const { operand, filter, type, source } = call;
    // A group has at least one row, so that an argument that is never NULL gives a value; a filter may leave no row.
    const mayBeEmpty = this.groups.length === 0 || this.#mayBeAbsent || filter !== null;
    const nullable =
      call.function !== 'count' &&
      call.function !== 'array_agg' &&
      (mayBeEmpty || operand === null || operand.nullable);
    const full: AggregateCall = { ...call, nullable };
    const key = aggregateKey(full);
    const known = this.#ordinals.get(key);
    const ordinal = known ?? this.#calls.length;
    if (known === undefined) {
      this.#calls.push(full);
      this.#ordinals.set(key, ordinal);
    }
    return { kind: 'column', ordinal: aggregateOrdinal + ordinal, type, nullable, source };
  }

  /** An expression over the rows before grouping as one over those after it. @throws SqlNotGrouped */
  overGroups(scalar: Scalar): Scalar {
    const group = scalar.kind === 'literal' ? -1 : this.#groupKeys.indexOf(scalarKey(scalar));
    if (group >= 0) {
      const { type, source } = scalar;
      return { kind: 'column', ordinal: group, type, nullable: scalar.nullable || this.#mayBeAbsent, source };
    }
    switch (scalar.kind) {
      case 'literal':
        return scalar;
      case 'column': {
        // What comes from subqueries, windows and the queries around is the same for all rows of a group.
        if (scalar.ordinal >= subqueryOrdinal) return scalar;
        if (scalar.ordinal >= groupingOrdinal) {
          const ordinal = scalar.ordinal - groupingOrdinal + this.groups.length + this.#calls.length;
          return { ...scalar, ordinal };
        }
        if (scalar.ordinal >= aggregateOrdinal) {
          return { ...scalar, ordinal: scalar.ordinal - aggregateOrdinal + this.groups.length };
        }
        throw new SqlNotGrouped({ expression: scalar.source.text }, { place: scalar.source.place });
      }
      case 'operator':
      case 'function': {
        const operands = scalar.operands.map((operand) => this.overGroups(operand));
        return { ...scalar, operands, nullable: scalar.nullable || mayNowBeNull(scalar.operands, operands) };
      }
      case 'cast':
      case 'in list': {
        const operand = this.overGroups(scalar.operand);
        return { ...scalar, operand, nullable: scalar.nullable || mayNowBeNull([scalar.operand], [operand]) };
      }
      case 'case': {
        const branches = scalar.branches.map(({ when, then }) =>
          caseBranch(this.overGroups(when), this.overGroups(then)),
        );
        const otherwise = this.overGroups(scalar.otherwise);
        const nullable = [...branches.map(({ then }) => then), otherwise].some((result) => result.nullable);
        return { ...scalar, branches, otherwise, nullable: scalar.nullable || nullable };
      }
    }
  }
}

/** A group that is left out of a row makes NULL of what is never NULL before. */
function mayNowBeNull(before: readonly Scalar[], after: readonly Scalar[]): boolean {
  return after.some((operand, i) => operand.nullable && before[i]?.nullable === false);
}
