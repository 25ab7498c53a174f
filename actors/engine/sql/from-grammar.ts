// Grammar of FROM: tables, subqueries, joins.
import type { Expression, Identifier, JoinKind, Pivot, TableAlias, TableExpression, Unpivot } from './ast.ts';
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
            this.OPTION3(() => this.CONSUME(keyword('ASOF')));
            this.CONSUME2(keyword('JOIN'));
            const words = this.ACTION(() => this.spanFrom(start));
            const right = this.SUBRULE3(this.tablePrimary);
            const match = this.OPTION6(() => {
              this.CONSUME(keyword('MATCH_CONDITION'));
              this.CONSUME(symbol('('));
              const condition = this.SUBRULE2(this.expression);
              this.CONSUME(symbol(')'));
              return condition;
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
              const condition = { on: on ?? null, using: using ?? null, match: match ?? null };
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
      GATE: () => this.#startsPivot(),
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

  readonly pivot: Rule<Omit<Pivot, 'table' | 'alias'>> = this.RULE('pivot', () => {
    const start = this.CONSUME(keyword('PIVOT'));
    const aggregates: { call: Expression; alias: Identifier | null }[] = [];
    const values: { parts: readonly Expression[]; alias: Identifier | null; span: Span }[] = [];
    this.CONSUME(symbol('('));
    this.AT_LEAST_ONE_SEP({
      SEP: symbol(','),
      DEF: () => {
        const call = this.SUBRULE(this.expression);
        const alias = this.OPTION(() => this.SUBRULE(this.shortAlias));
        aggregates.push({ call, alias: alias ?? null });
      },
    });
    this.CONSUME(keyword('FOR'));
    const axes = this.SUBRULE(this.nameOrList);
    this.CONSUME(keyword('IN'));
    this.CONSUME2(symbol('('));
    this.AT_LEAST_ONE_SEP2({
      SEP: symbol(','),
      DEF: () => {
        const value = this.SUBRULE2(this.expression);
        const alias = this.OPTION2(() => this.SUBRULE2(this.shortAlias));
        this.ACTION(() => {
          const isList = axes.length > 1 && value.kind === 'call' && value.name.name === 'row';
          values.push({ parts: isList ? value.arguments : [value], alias: alias ?? null, span: value.span });
        });
      },
    });
    this.CONSUME2(symbol(')'));
    this.CONSUME(symbol(')'));
    return this.ACTION(() => ({ kind: 'pivot' as const, aggregates, axes, values, span: this.spanFrom(start) }));
  });

  readonly unpivot: Rule<Omit<Unpivot, 'table' | 'alias'>> = this.RULE('unpivot', () => {
    const start = this.CONSUME(keyword('UNPIVOT'));
    const nulls = this.OPTION(() => {
      const word = this.OR([
        { ALT: () => this.CONSUME(keyword('INCLUDING')) },
        { ALT: () => this.CONSUME(keyword('EXCLUDING')) },
      ]);
      this.CONSUME(keyword('NULLS'));
      return word;
    });
    const values: { columns: readonly Identifier[]; labels: readonly Expression[] | null }[] = [];
    this.CONSUME(symbol('('));
    const measures = this.SUBRULE(this.nameOrList);
    this.CONSUME(keyword('FOR'));
    const axes = this.SUBRULE2(this.nameOrList);
    this.CONSUME(keyword('IN'));
    this.CONSUME2(symbol('('));
    this.AT_LEAST_ONE_SEP({
      SEP: symbol(','),
      DEF: () => {
        const columns = this.SUBRULE3(this.nameOrList);
        const label = this.OPTION2(() => {
          this.CONSUME(keyword('AS'));
          return this.SUBRULE(this.expression);
        });
        this.ACTION(() => {
          const isList = label?.kind === 'call' && label.name.name === 'row';
          values.push({ columns, labels: label === undefined ? null : isList ? label.arguments : [label] });
        });
      },
    });
    this.CONSUME2(symbol(')'));
    this.CONSUME(symbol(')'));
    return this.ACTION(() => {
      const keepsNulls = nulls?.tokenType === keyword('INCLUDING');
      return { kind: 'unpivot' as const, keepsNulls, measures, axes, values, span: this.spanFrom(start) };
    });
  });

  readonly nameOrList: Rule<readonly Identifier[]> = this.RULE('nameOrList', () =>
    this.OR([
      { ALT: () => this.SUBRULE(this.nameList) },
      {
        ALT: () => {
          const name = this.SUBRULE(this.identifier);
          return [name];
        },
      },
    ]),
  );

  readonly shortAlias: Rule<Identifier> = this.RULE('shortAlias', () => {
    this.OPTION(() => this.CONSUME(keyword('AS')));
    return this.SUBRULE(this.identifier);
  });

  #startsPivot(): boolean {
    const [type, next] = [this.LA(1).tokenType, this.LA(2).tokenType];
    if (type === keyword('PIVOT')) return next === symbol('(');
    const hasNulls = next === keyword('INCLUDING') || next === keyword('EXCLUDING');
    return type === keyword('UNPIVOT') && (next === symbol('(') || hasNulls);
  }

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

  /** What is no alias: ASOF, SEMI and ANTI before JOIN, PIVOT and UNPIVOT before what they turn, MATCH_CONDITION before its parenthesis. */
  #startsJoinWord(): boolean {
    const [type, next] = [this.LA(1).tokenType, this.LA(2).tokenType];
    const beforeJoin = [keyword('ASOF'), keyword('SEMI'), keyword('ANTI')];
    return (
      (beforeJoin.includes(type) && next === keyword('JOIN')) ||
      (type === keyword('MATCH_CONDITION') && next === symbol('(')) ||
      this.#startsPivot()
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
    return this.ACTION(() => name?.name ?? null);
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

/** One argument of a window of time, behind its table. */
export interface WindowArgument {
  readonly name: string | null;
  /** DESCRIPTOR(…). */
  readonly columns: readonly Identifier[] | null;
  readonly size: Expression | null;
}

/** In which order the sizes stand that are named. */
const sizeOrder: readonly string[] = ['slide', 'size', 'offset'];

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
}

const none: JoinCondition = { on: null, using: null, match: null };
