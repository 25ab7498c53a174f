// Grammar of FROM: tables, subqueries, joins.
import type { Expression, Identifier, JoinKind, TableAlias, TableExpression } from './ast.ts';
import { ExpressionGrammar } from './expression-grammar.ts';
import type { Rule } from './name-grammar.ts';
import type { Span } from './sql-text.ts';
import { spanOf } from './token-text.ts';
import { keyword, Name, symbol, type TokenType } from './tokens.ts';

export class FromGrammar extends ExpressionGrammar {
  readonly tableList: Rule<TableExpression> = this.RULE('tableList', () => {
    let left = this.SUBRULE(this.joinedTable);
    this.MANY(() => {
      const comma = this.CONSUME(symbol(','));
      const right = this.SUBRULE2(this.joinedTable);
      this.ACTION(() => (left = joined('cross', false, left, right, null, null, spanOf(comma))));
    });
    return left;
  });

  readonly joinedTable: Rule<TableExpression> = this.RULE('joinedTable', () => {
    let left = this.SUBRULE(this.tablePrimary);
    this.MANY(() => {
      this.OR([
        {
          ALT: () => {
            const start = this.CONSUME(keyword('CROSS'));
            this.CONSUME(keyword('JOIN'));
            const words = this.ACTION(() => this.spanFrom(start));
            const right = this.SUBRULE2(this.tablePrimary);
            this.ACTION(() => (left = joined('cross', false, left, right, null, null, words)));
          },
        },
        {
          ALT: () => {
            const start = this.LA(1);
            const natural = this.OPTION(() => this.CONSUME(keyword('NATURAL'))) !== undefined;
            const side = this.OPTION2(() => this.SUBRULE(this.joinSide));
            this.CONSUME2(keyword('JOIN'));
            const words = this.ACTION(() => this.spanFrom(start));
            const right = this.SUBRULE3(this.tablePrimary);
            const on = this.OPTION4(() => {
              this.CONSUME(keyword('ON'));
              return this.SUBRULE(this.expression);
            });
            const using = this.OPTION5(() => {
              this.CONSUME(keyword('USING'));
              return this.SUBRULE(this.nameList);
            });
            this.ACTION(() => (left = joined(side ?? 'inner', natural, left, right, on ?? null, using ?? null, words)));
          },
        },
      ]);
    });
    return left;
  });

  readonly joinSide: Rule<JoinKind> = this.RULE('joinSide', () =>
    this.OR([
      {
        ALT: () => {
          this.CONSUME(keyword('INNER'));
          return 'inner' as const;
        },
      },
      {
        ALT: () => {
          this.CONSUME(keyword('LEFT'));
          this.OPTION(() => this.CONSUME(keyword('OUTER')));
          return 'left' as const;
        },
      },
      {
        ALT: () => {
          this.CONSUME(keyword('RIGHT'));
          this.OPTION2(() => this.CONSUME2(keyword('OUTER')));
          return 'right' as const;
        },
      },
      {
        ALT: () => {
          this.CONSUME(keyword('FULL'));
          this.OPTION3(() => this.CONSUME3(keyword('OUTER')));
          return 'full' as const;
        },
      },
    ]),
  );

  readonly tablePrimary: Rule<TableExpression> = this.RULE('tablePrimary', () => {
    const start = this.LA(1);
    return this.OR({
      DEF: [
        {
          GATE: () => this.#parenthesesHoldQuery(),
          ALT: () => {
            this.CONSUME(symbol('('));
            const query = this.SUBRULE(this.query);
            this.CONSUME(symbol(')'));
            const alias = this.OPTION(() => this.SUBRULE(this.tableAlias));
            return this.ACTION(
              (): TableExpression => ({ kind: 'subquery', query, alias: alias ?? null, span: this.spanFrom(start) }),
            );
          },
        },
        {
          ALT: () => {
            this.CONSUME2(symbol('('));
            const table = this.SUBRULE(this.tableList);
            this.CONSUME2(symbol(')'));
            return table;
          },
        },
        {
          ALT: () => {
            const name = this.SUBRULE(this.identifier);
            const alias = this.OPTION2(() => this.SUBRULE2(this.tableAlias));
            return this.ACTION(
              (): TableExpression => ({ kind: 'table', name, alias: alias ?? null, span: this.spanFrom(start) }),
            );
          },
        },
      ],
      ERR_MSG: 'the name of a table or a subquery',
    });
  });

  readonly tableAlias: Rule<TableAlias> = this.RULE('tableAlias', () => {
    this.OPTION(() => this.CONSUME(keyword('AS')));
    const token = this.SUBRULE(this.identifier);
    const columns = this.OPTION2(() => this.SUBRULE(this.nameList));
    return this.ACTION(() => ({ name: token, columns: columns ?? null }));
  });

  /** ((SELECT …) UNION …) is a query, ((SELECT …) AS a JOIN b) is not: what follows the inner parentheses tells. */
  #parenthesesHoldQuery(): boolean {
    let distance = 1;
    while (this.LA(distance).tokenType === symbol('(')) distance++;
    const parentheses = distance - 1;
    const first = this.LA(distance).tokenType;
    if (first !== keyword('SELECT') && first !== keyword('VALUES') && first !== keyword('WITH')) return false;
    let depth = parentheses;
    while (depth > 1) {
      const type = this.LA(distance++).tokenType;
      if (type === symbol('(')) depth++;
      else if (type === symbol(')')) depth--;
      else if (this.LA(distance).image === '') return true;
    }
    const next = this.LA(distance).tokenType;
    return parentheses === 1 || (next !== keyword('AS') && next !== keyword('JOIN') && !this.#isJoinOrName(next));
  }

  #isJoinOrName(type: TokenType): boolean {
    const joins = ['INNER', 'LEFT', 'RIGHT', 'FULL', 'CROSS', 'NATURAL'].map(keyword);
    return joins.includes(type) || type.CATEGORIES?.includes(Name) === true || type === symbol(',');
  }
}

function joined(
  type: JoinKind,
  natural: boolean,
  left: TableExpression,
  right: TableExpression,
  on: Expression | null,
  using: readonly Identifier[] | null,
  wordsSpan: Span,
): TableExpression {
  const span = { start: left.span.start, end: right.span.end };
  return { kind: 'join', type, natural, left, right, on, using, wordsSpan, span };
}
