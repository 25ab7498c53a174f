// Syntax of statements: what a program declares, before any name is resolved. Queries and expressions in them are those of ast.ts.
import type { Expression, Identifier, Query, TypeName, UnsupportedExpression } from './ast.ts';
import type { Span } from './span.ts';

export interface Property {
  readonly key: string;
  readonly value: string;
  readonly keySpan: Span;
  readonly valueSpan: Span;
}

export interface ColumnDefinition {
  readonly name: Identifier;
  readonly type: TypeName;
  /** null: not said. */
  readonly nullable: boolean | null;
  readonly primaryKey: boolean;
  readonly default: Expression | null;
  /** LATENESS: how far a value may lie behind the greatest one before it. */
  readonly lateness: Expression | null;
  /** WATERMARK: how much later another row has to be before a row counts. */
  readonly watermark: Expression | null;
  readonly unsupported: UnsupportedExpression | null;
  /** What is said of it a second time, and where. */
  readonly repeated: { readonly what: string; readonly span: Span } | null;
  readonly span: Span;
}

export type TableElement =
  | { readonly kind: 'column'; readonly column: ColumnDefinition }
  | { readonly kind: 'primary key'; readonly columns: readonly Identifier[]; readonly span: Span }
  /** FOREIGN KEY and UNIQUE: read and left aside. */
  | { readonly kind: 'ignored' }
  | UnsupportedExpression;

/** DECLARE RECURSIVE VIEW: the columns of a view that is created further below, and read before. */
export interface DeclareRecursive {
  readonly kind: 'declare recursive';
  readonly name: Identifier;
  readonly columns: readonly { readonly name: Identifier; readonly type: TypeName; readonly nullable: boolean }[];
  readonly span: Span;
}

/** CREATE INDEX name ON relation (column, …) */
export interface CreateIndex {
  readonly kind: 'create index';
  readonly name: Identifier;
  readonly relation: Identifier;
  readonly columns: readonly Identifier[];
  readonly span: Span;
}

/** LATENESS view.column expression */
export interface ViewLateness {
  readonly kind: 'lateness';
  /** The view. */
  readonly name: Identifier;
  readonly column: Identifier;
  readonly lateness: Expression;
  readonly span: Span;
}

/** SET name = value */
export interface SetOption {
  readonly kind: 'set option';
  readonly name: Identifier;
  readonly span: Span;
}

export type Statement =
  | SetOption
  | CreateIndex
  | ViewLateness
  | DeclareRecursive
  | {
      readonly kind: 'create table';
      readonly name: Identifier;
      readonly elements: readonly TableElement[];
      readonly properties: readonly Property[];
      readonly span: Span;
    }
  | {
      readonly kind: 'create function';
      readonly name: Identifier;
      readonly parameters: readonly { readonly name: Identifier; readonly type: TypeName }[];
      readonly returns: TypeName;
      /** null: declared only, as functions of other languages are. */
      readonly body: Expression | null;
      readonly span: Span;
    }
  | { readonly kind: 'create type'; readonly name: Identifier; readonly type: TypeName; readonly span: Span }
  | {
      readonly kind: 'create view';
      readonly view: 'view' | 'materialized' | 'local';
      readonly name: Identifier;
      readonly columns: readonly Identifier[] | null;
      readonly properties: readonly Property[];
      readonly query: Query;
      readonly span: Span;
    };
