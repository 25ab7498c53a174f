// The text of a program, and where a part of it stands.
//
// Syntax carries spans (offsets of UTF-16 units, end exclusive); they become lines and columns only when somebody asks.
// A program that is embedded in another file (a YAML block) knows how many lines stand above it and how far its lines are
// indented, so that places are those of the outer file.
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import type { Place } from '../../../runtime/errors.ts';
import type { ExpressionSource } from './bound.ts';
import type { Span } from './span.ts';
import type { Statement } from './statement-syntax.ts';
import type { UserFunction } from './user-function.ts';

export interface SqlTextOptions {
  readonly file?: string;
  /** Lines of the outer file above the first line of the text. */
  readonly lineOffset?: number;
  /** Columns by which every line of the text is indented in the outer file. */
  readonly columnOffset?: number;
  /** Functions and aggregates that the user has written. */
  readonly functions?: readonly UserFunction[];
}

export interface DeclaredFunction {
  readonly statement: Extract<Statement, { kind: 'create function' }>;
  readonly source: SqlText;
}

export class SqlText {
  readonly text: string;
  /** Types that CREATE TYPE has declared so far, by name. */
  readonly types: Map<string, SqlType> = new Map();
  /** Functions that CREATE FUNCTION has declared so far, by name, and the text in which each one stands. */
  readonly functions: Map<string, DeclaredFunction> = new Map();
  /** Functions and aggregates that the user has written, by name. */
  readonly userFunctions: ReadonlyMap<string, UserFunction>;
  readonly #options: SqlTextOptions;
  readonly #lineStarts: readonly number[];

  constructor(text: string, options: SqlTextOptions = {}) {
    this.text = text;
    this.#options = options;
    this.userFunctions = new Map(options.functions?.map((each) => [each.name, each]));
    const lineStarts = [0];
    for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) lineStarts.push(i + 1);
    this.#lineStarts = lineStarts;
  }

  /** Line and column (both from 1) of an offset. */
  place(offset: number): Place {
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    const line = low + 1 + (this.#options.lineOffset ?? 0);
    const column = offset - (this.#lineStarts[low] ?? 0) + 1 + (this.#options.columnOffset ?? 0);
    return this.#options.file === undefined ? { line, column } : { file: this.#options.file, line, column };
  }

  /** Where a span begins, with the place of its last character. */
  span(span: Span): Place {
    const end = this.place(Math.max(span.start, span.end - 1));
    return { ...this.place(span.start), endLine: end.line, endColumn: end.column };
  }

  slice(span: Span): string {
    return this.text.slice(span.start, span.end);
  }

  source(span: Span): ExpressionSource {
    return { place: this.span(span), text: this.slice(span) };
  }
}
