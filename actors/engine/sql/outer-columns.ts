// Columns of the queries around a subquery: how the subquery names them, and what they are there.
//
// Each subquery has a list of the expressions that it takes from around it. Inside of it the i-th is a column with ordinal
// outerOrdinal + i, wherever in the subquery it stands; dependent-query.ts makes real columns of them. A name that the query
// around does not know either is asked for one query further out, and becomes one of that query's own list.
import type { Identifier } from './ast.ts';
import type { ColumnReference, ExpressionSource, Scalar } from './bound.ts';
import { outerOrdinal } from './scalar-columns.ts';
import { scalarKey } from './scalar-key.ts';

/** What a name means in the query around, or null when nothing has it. */
export type FindOuter = (path: readonly Identifier[], source: ExpressionSource) => Scalar | null;

export class OuterColumns {
  readonly #find: FindOuter;
  readonly #arguments: Scalar[] = [];
  readonly #keys: string[] = [];
  readonly #around: OuterColumns | undefined;

  /** `around`: the list of the query around, when that is a subquery itself. */
  constructor(find: FindOuter, around: OuterColumns | undefined) {
    this.#find = find;
    this.#around = around;
  }

  /** Expressions over the query around. */
  get arguments(): readonly Scalar[] {
    return this.#arguments;
  }

  resolve(path: readonly Identifier[], source: ExpressionSource): Scalar | null {
    const found = this.#find(path, source);
    return found === null || found.kind === 'literal' ? found : this.#own(found, source);
  }

  /** A column of the list `home` of a query further out, which a query of its WITH reads, as one of this list. */
  adopt(column: ColumnReference, home: OuterColumns): ColumnReference {
    if (home === this) return column;
    return this.#own(this.#around?.adopt(column, home) ?? column, column.source);
  }

  #own(found: Scalar, source: ExpressionSource): ColumnReference {
    const key = scalarKey(found);
    let at = this.#keys.indexOf(key);
    if (at < 0) {
      at = this.#keys.push(key) - 1;
      this.#arguments.push(found);
    }
    return { kind: 'column', ordinal: outerOrdinal + at, type: found.type, nullable: found.nullable, source };
  }
}
