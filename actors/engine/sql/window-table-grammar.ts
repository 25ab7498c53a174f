// Grammar of windows of time as tables: TABLE(TUMBLE(…)), TABLE(HOP(…)), TABLE(SESSION(…)); and of what tables are called.
import type { Expression, Identifier, TableAlias, TableExpression } from './ast.ts';
import { ExpressionGrammar } from './expression-grammar.ts';
import type { Rule } from './name-grammar.ts';
import { keyword, symbol } from './tokens.ts';

/** One argument of a window of time, behind its table. */
export interface WindowArgument {
  readonly name: string | null;
  /** DESCRIPTOR(…). */
  readonly columns: readonly Identifier[] | null;
  readonly size: Expression | null;
}

/** In which order the sizes stand that are named. */
const sizeOrder: readonly string[] = ['slide', 'size', 'offset'];

export abstract class WindowTableGrammar extends ExpressionGrammar {
  /** TABLE(TUMBLE(TABLE t, DESCRIPTOR(c), size)), TABLE(HOP(data => TABLE t, timecol => DESCRIPTOR(c), slide => …, size => …)) */
  readonly windowTable: Rule<TableExpression> = this.RULE('windowTable', () => {
    const start = this.CONSUME(keyword('TABLE'));
    const given: WindowArgument[] = [];
    this.CONSUME(symbol('('));
    const name = this.SUBRULE(this.identifier);
    this.CONSUME2(symbol('('));
    this.SUBRULE(this.argumentName);
    const table = this.SUBRULE(this.tableArgument);
    this.CONSUME(symbol(','));
    this.AT_LEAST_ONE_SEP({
      SEP: symbol(','),
      DEF: () => {
        given.push(this.SUBRULE(this.windowArgument));
      },
    });
    this.CONSUME2(symbol(')'));
    this.CONSUME(symbol(')'));
    const alias = this.OPTION(() => this.SUBRULE(this.tableAlias));
    return this.ACTION((): TableExpression => {
      const lists = given.filter(({ columns }) => columns !== null);
      const times = lists.find((list) => list.name === 'timecol') ?? lists.find((list) => list.name === null);
      const keys = lists.find((list) => list !== times);
      const inOrder = (a: WindowArgument, b: WindowArgument): number =>
        sizeOrder.indexOf(a.name ?? '') - sizeOrder.indexOf(b.name ?? '');
      const sizes = given.filter(({ columns }) => columns === null).sort(inOrder);
      return {
        kind: 'window table',
        function: name,
        table,
        column: times?.columns?.[0] ?? null,
        keys: keys?.columns ?? [],
        sizes: sizes.flatMap(({ size }) => (size === null ? [] : [size])),
        alias: alias ?? null,
        span: this.spanFrom(start),
      };
    });
  });

  /** data => */
  readonly argumentName: Rule<string | null> = this.RULE('argumentName', () => {
    const name = this.OPTION({
      GATE: () => this.LA(2).tokenType === symbol('=>'),
      DEF: () => {
        const word = this.SUBRULE(this.identifier);
        this.CONSUME(symbol('=>'));
        return word;
      },
    });
    // Quoted as unquoted, in any case: the names belong to the function.
    return this.ACTION(() => name?.name.toLowerCase() ?? null);
  });

  /** TABLE t, (SELECT …) */
  readonly tableArgument: Rule<TableExpression> = this.RULE('tableArgument', () =>
    this.OR([
      {
        ALT: () => {
          this.CONSUME(keyword('TABLE'));
          const table = this.SUBRULE(this.identifier);
          return this.ACTION((): TableExpression => ({ kind: 'table', name: table, alias: null, span: table.span }));
        },
      },
      {
        ALT: () => {
          const first = this.CONSUME(symbol('('));
          const query = this.SUBRULE(this.query);
          this.CONSUME(symbol(')'));
          const span = this.ACTION(() => this.spanFrom(first));
          return { kind: 'subquery' as const, query, lateral: false, alias: null, span };
        },
      },
    ]),
  );

  /** DESCRIPTOR(c, …), or an expression; each may be named. */
  readonly windowArgument: Rule<WindowArgument> = this.RULE('windowArgument', () => {
    const name = this.SUBRULE(this.argumentName);
    return this.OR([
      {
        GATE: () => this.LA(2).tokenType === symbol('('),
        IGNORE_AMBIGUITIES: true,
        ALT: () => {
          this.CONSUME(keyword('DESCRIPTOR'));
          const columns = this.SUBRULE(this.nameList);
          return { name, columns, size: null };
        },
      },
      {
        IGNORE_AMBIGUITIES: true,
        ALT: () => {
          const size = this.SUBRULE(this.expression);
          return { name, columns: null, size };
        },
      },
    ]);
  });

  readonly tableAlias: Rule<TableAlias> = this.RULE('tableAlias', () => {
    this.OPTION(() => this.CONSUME(keyword('AS')));
    const token = this.SUBRULE(this.identifier);
    const columns = this.OPTION2(() => this.SUBRULE(this.nameList));
    return this.ACTION(() => ({ name: token, columns: columns ?? null }));
  });
}
