// Grammar of FROM: tables, subqueries, joins.
import type { Expression, Identifier, JoinKind, TableExpression } from './ast.ts';
import type { Rule } from './name-grammar.ts';
import { PivotGrammar } from './pivot-grammar.ts';
import type { Span } from './span.ts';
import { spanOf } from './token-text.ts';
import { keyword, Name, symbol, type TokenType } from './tokens.ts';

export abstract class FromGrammar extends PivotGrammar {
  readonly tableList: Rule<TableExpression> = this.RULE('tableList', () => {
    let left = this.SUBRULE(this.joinedTable);
    this.MANY(() => {
      const comma = this.CONSUME(symbol(','));
      const right = this.SUBRULE2(this.joinedTable);
      this.ACTION(() => (left = joined('cross', false, left, right, none, spanOf(comma))));
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
            const word = this.OR2([
              { ALT: () => this.CONSUME(keyword('JOIN')) },
              { ALT: () => this.CONSUME(keyword('APPLY')) },
            ]);
            const words = this.ACTION(() => this.spanFrom(start));
            const given = this.SUBRULE2(this.tablePrimary);
            this.ACTION(() => {
              const right = word.tokenType === keyword('APPLY') ? lateral(given) : given;
              left = joined('cross', false, left, right, none, words);
            });
          },
        },
        {
          ALT: () => {
            const start = this.CONSUME(keyword('OUTER'));
            this.CONSUME2(keyword('APPLY'));
            const words = this.ACTION(() => this.spanFrom(start));
            const right = this.SUBRULE4(this.tablePrimary);
            this.ACTION(() => {
              const on: Expression = { kind: 'boolean', value: true, span: words };
              left = joined('left', false, left, lateral(right), { ...none, on }, words);
            });
          },
        },
        {
          ALT: () => {
            const start = this.LA(1);
            const natural = this.OPTION(() => this.CONSUME(keyword('NATURAL'))) !== undefined;
            const given = this.OPTION2(() => this.SUBRULE(this.joinSide));
            // LEFT SEMI JOIN is SEMI JOIN.
            const kept = this.OPTION7(() =>
              this.OR3([{ ALT: () => this.CONSUME(keyword('SEMI')) }, { ALT: () => this.CONSUME(keyword('ANTI')) }]),
            );
            const asof = this.OPTION3(() => this.CONSUME(keyword('ASOF')));
            this.CONSUME2(keyword('JOIN'));
            const words = this.ACTION(() => this.spanFrom(start));
            const right = this.SUBRULE3(this.tablePrimary);
            const match = this.OPTION6(() => {
              this.CONSUME(keyword('MATCH_CONDITION'));
              return this.SUBRULE2(this.expression);
            });
            const on = this.OPTION4(() => {
              this.CONSUME(keyword('ON'));
              return this.SUBRULE(this.expression);
            });
            const using = this.OPTION5(() => {
              this.CONSUME(keyword('USING'));
              return this.SUBRULE(this.nameList);
            });
            this.ACTION(() => {
              const condition = {
                on: on ?? null,
                using: using ?? null,
                match: match ?? null,
                asof: asof !== undefined,
              };
              const side = kept === undefined ? given : kept.tokenType === keyword('SEMI') ? 'semi' : 'anti';
              left = joined(side ?? 'inner', natural, left, right, condition, words);
            });
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

  /** A table, and PIVOT or UNPIVOT behind it. */
  readonly tablePrimary: Rule<TableExpression> = this.RULE('tablePrimary', () => {
    let table = this.SUBRULE(this.plainTable);
    this.MANY({
      GATE: () => this.startsPivot(),
      DEF: () => {
        const turned = this.OR([{ ALT: () => this.SUBRULE(this.pivot) }, { ALT: () => this.SUBRULE(this.unpivot) }]);
        const alias = this.OPTION({
          GATE: () => !this.#startsJoinWord(),
          DEF: () => this.SUBRULE(this.tableAlias),
        });
        this.ACTION(() => {
          const span = { start: table.span.start, end: turned.span.end };
          table = { ...turned, table, alias: alias ?? null, span };
        });
      },
    });
    return table;
  });

  readonly plainTable: Rule<TableExpression> = this.RULE('plainTable', () => {
    const start = this.LA(1);
    return this.OR({
      DEF: [
        {
          GATE: () => this.#parenthesesHoldQuery(),
          ALT: () => {
            this.CONSUME(symbol('('));
            const query = this.SUBRULE(this.query);
            this.CONSUME(symbol(')'));
            const alias = this.OPTION({
              GATE: () => !this.#startsJoinWord(),
              DEF: () => this.SUBRULE(this.tableAlias),
            });
            return this.ACTION(
              (): TableExpression => ({
                kind: 'subquery',
                query,
                lateral: false,
                alias: alias ?? null,
                span: this.spanFrom(start),
              }),
            );
          },
        },
        {
          ALT: () => {
            this.CONSUME(keyword('LATERAL'));
            return this.OR2([
              { ALT: () => this.SUBRULE2(this.unnest) },
              {
                ALT: () => {
                  this.CONSUME3(symbol('('));
                  const query = this.SUBRULE2(this.query);
                  this.CONSUME3(symbol(')'));
                  const alias = this.OPTION3(() => this.SUBRULE3(this.tableAlias));
                  return this.ACTION(
                    (): TableExpression => ({
                      kind: 'subquery',
                      query,
                      lateral: true,
                      alias: alias ?? null,
                      span: this.spanFrom(start),
                    }),
                  );
                },
              },
            ]);
          },
        },
        {
          GATE: () => this.LA(2).tokenType === keyword('TABLE'),
          ALT: () => {
            this.CONSUME4(symbol('('));
            this.CONSUME(keyword('TABLE'));
            const name = this.SUBRULE2(this.identifier);
            this.CONSUME4(symbol(')'));
            const alias = this.OPTION4({
              GATE: () => !this.#startsJoinWord(),
              DEF: () => this.SUBRULE4(this.tableAlias),
            });
            return this.ACTION(
              (): TableExpression => ({ kind: 'table', name, alias: alias ?? null, span: this.spanFrom(start) }),
            );
          },
        },
        { ALT: () => this.SUBRULE(this.unnest) },
        { ALT: () => this.SUBRULE(this.windowTable) },
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
            const alias = this.OPTION2({
              GATE: () => !this.#startsJoinWord(),
              DEF: () => this.SUBRULE2(this.tableAlias),
            });
            return this.ACTION(
              (): TableExpression => ({ kind: 'table', name, alias: alias ?? null, span: this.spanFrom(start) }),
            );
          },
        },
      ],
      ERR_MSG: 'the name of a table or a subquery',
    });
  });

  /** What is no alias: ASOF, SEMI and ANTI before JOIN, PIVOT and UNPIVOT before what they turn, MATCH_CONDITION before its condition. */
  #startsJoinWord(): boolean {
    const [type, next] = [this.LA(1).tokenType, this.LA(2).tokenType];
    const beforeJoin = [keyword('ASOF'), keyword('SEMI'), keyword('ANTI')];
    return (
      (beforeJoin.includes(type) && next === keyword('JOIN')) ||
      (type === keyword('MATCH_CONDITION') && (next === symbol('(') || isName(next))) ||
      this.startsPivot()
    );
  }

  readonly unnest: Rule<TableExpression> = this.RULE('unnest', () => {
    const start = this.CONSUME(keyword('UNNEST'));
    const operands: Expression[] = [];
    this.CONSUME(symbol('('));
    this.AT_LEAST_ONE_SEP({
      SEP: symbol(','),
      DEF: () => {
        operands.push(this.SUBRULE(this.expression));
      },
    });
    this.CONSUME(symbol(')'));
    const ordinality = this.OPTION(() => {
      this.CONSUME(keyword('WITH'));
      return this.CONSUME(keyword('ORDINALITY'));
    });
    const alias = this.OPTION2(() => this.SUBRULE(this.tableAlias));
    return this.ACTION((): TableExpression => {
      const span = this.spanFrom(start);
      return { kind: 'unnest', operands, ordinality: ordinality !== undefined, alias: alias ?? null, span };
    });
  });

  /** ((SELECT …) UNION …) is a query, ((SELECT …) AS a JOIN b) is not: what follows the inner parentheses tells. */
  #parenthesesHoldQuery(): boolean {
    let distance = 1;
    while (this.LA(distance).tokenType === symbol('(')) distance++;
    const parentheses = distance - 1;
    if (!this.startsQuery(distance)) return false;
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

function isName(type: TokenType): boolean {
  return type === Name || type.CATEGORIES?.includes(Name) === true;
}

/** A subquery that sees the tables to its left. */
function lateral(table: TableExpression): TableExpression {
  return table.kind === 'subquery' ? { ...table, lateral: true } : table;
}

function joined(
  type: JoinKind,
  natural: boolean,
  left: TableExpression,
  right: TableExpression,
  condition: JoinCondition,
  wordsSpan: Span,
): TableExpression {
  const span = { start: left.span.start, end: right.span.end };
  return { kind: 'join', type, natural, left, right, ...condition, wordsSpan, span };
}

interface JoinCondition {
  readonly on: Expression | null;
  readonly using: readonly Identifier[] | null;
  readonly match: Expression | null;
  readonly asof: boolean;
}

const none: JoinCondition = { on: null, using: null, match: null, asof: false };
