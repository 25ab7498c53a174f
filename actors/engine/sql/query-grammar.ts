// Grammar of queries: WITH, SELECT, VALUES, UNION, EXCEPT, INTERSECT, ORDER BY and LIMIT.
import type {
  CommonTable,
  Expression,
  Identifier,
  OrderItem,
  Query,
  QueryBody,
  Select,
  SelectItem,
  Values,
  WindowSpecification,
} from './ast.ts';
import { GroupGrammar } from './group-grammar.ts';
import type { Rule } from './name-grammar.ts';
import { identifierOf, spanOf, unquote } from './token-text.ts';
import { type IToken, keyword, Label, ReadQuery, StringLiteral, symbol } from './tokens.ts';

type Star = Extract<SelectItem, { kind: 'star' }>;

export abstract class QueryGrammar extends GroupGrammar {
  override readonly query: Rule<Query> = this.RULE('query', () => {
    const start = this.LA(1);
    const common: CommonTable[] = [];
    let recursive = false;
    this.OPTION(() => {
      this.CONSUME(keyword('WITH'));
      recursive = this.OPTION5(() => this.CONSUME(keyword('RECURSIVE'))) !== undefined;
      this.AT_LEAST_ONE_SEP({
        SEP: symbol(','),
        DEF: () => {
          common.push(this.SUBRULE(this.commonTable));
        },
      });
    });
    const body = this.SUBRULE(this.queryBody);
    const orderBy: readonly OrderItem[] = this.OPTION2(() => this.SUBRULE(this.orderClause)) ?? [];
    let limit: Expression | null = null;
    let offset: Expression | null = null;
    this.MANY(() =>
      this.OR([
        {
          ALT: () => {
            this.CONSUME(keyword('LIMIT'));
            this.OR2([
              { ALT: () => this.CONSUME(keyword('ALL')) },
              {
                ALT: () => {
                  limit = this.SUBRULE(this.sum);
                  // LIMIT start, count
                  const count = this.OPTION6(() => {
                    this.CONSUME(symbol(','));
                    return this.OR4([
                      { ALT: () => this.CONSUME2(keyword('ALL')) },
                      { ALT: () => this.SUBRULE4(this.sum) },
                    ]);
                  });
                  this.ACTION(() => {
                    if (count !== undefined) [offset, limit] = [limit, 'kind' in count ? count : null];
                  });
                },
              },
            ]);
          },
        },
        {
          ALT: () => {
            this.CONSUME(keyword('OFFSET'));
            offset = this.SUBRULE2(this.sum);
            this.OPTION3(() => this.SUBRULE(this.rowWord));
          },
        },
        {
          ALT: () => {
            const fetch = this.CONSUME(keyword('FETCH'));
            this.OR3([{ ALT: () => this.CONSUME(keyword('FIRST')) }, { ALT: () => this.CONSUME(keyword('NEXT')) }]);
            const count = this.OPTION4({
              GATE: () => this.LA(2).tokenType !== keyword('ONLY'),
              DEF: () => this.SUBRULE3(this.sum),
            });
            this.SUBRULE2(this.rowWord);
            this.CONSUME(keyword('ONLY'));
            this.ACTION(() => {
              limit = count ?? { kind: 'number', text: '1', span: spanOf(fetch) };
            });
          },
        },
      ]),
    );
    return this.ACTION(
      (): Query => ({
        kind: 'query',
        recursive,
        with: common,
        body,
        orderBy,
        limit,
        offset,
        span: this.spanFrom(start),
      }),
    );
  });

  readonly rowWord: Rule<IToken> = this.RULE('rowWord', () =>
    this.OR([{ ALT: () => this.CONSUME(keyword('ROW')) }, { ALT: () => this.CONSUME(keyword('ROWS')) }]),
  );

  readonly commonTable: Rule<CommonTable> = this.RULE('commonTable', () => {
    const name = this.SUBRULE(this.identifier);
    const columns = this.OPTION(() => this.SUBRULE(this.nameList));
    this.CONSUME(keyword('AS'));
    this.CONSUME(symbol('('));
    const query = this.SUBRULE(this.query);
    this.CONSUME(symbol(')'));
    return this.ACTION(() => ({ name, columns: columns ?? null, query }));
  });

  readonly queryBody: Rule<QueryBody> = this.RULE('queryBody', () => {
    let left = this.SUBRULE(this.intersection);
    this.MANY(() => {
      const word = this.OR([
        { ALT: () => this.CONSUME(keyword('UNION')) },
        { ALT: () => this.CONSUME(keyword('EXCEPT')) },
        { ALT: () => this.CONSUME(keyword('MINUS')) },
      ]);
      const all = this.SUBRULE(this.isAll);
      const right = this.SUBRULE2(this.intersection);
      this.ACTION(() => {
        const kind = word.tokenType === keyword('UNION') ? 'union' : 'except';
        const span = { start: left.span.start, end: right.span.end };
        left = { kind, all, left, right, operatorSpan: spanOf(word), span };
      });
    });
    return left;
  });

  /** INTERSECT binds tighter than UNION and EXCEPT. */
  readonly intersection: Rule<QueryBody> = this.RULE('intersection', () => {
    let left = this.SUBRULE(this.queryTerm);
    this.MANY(() => {
      const word = this.CONSUME(keyword('INTERSECT'));
      const all = this.SUBRULE(this.isAll);
      const right = this.SUBRULE2(this.queryTerm);
      this.ACTION(() => {
        const span = { start: left.span.start, end: right.span.end };
        left = { kind: 'intersect', all, left, right, operatorSpan: spanOf(word), span };
      });
    });
    return left;
  });

  readonly isAll: Rule<boolean> = this.RULE('isAll', () => {
    const quantifier = this.OPTION(() =>
      this.OR([{ ALT: () => this.CONSUME(keyword('ALL')) }, { ALT: () => this.CONSUME(keyword('DISTINCT')) }]),
    );
    return quantifier?.tokenType === keyword('ALL');
  });

  readonly queryTerm: Rule<QueryBody> = this.RULE('queryTerm', () =>
    this.OR({
      DEF: [
        { ALT: () => this.SUBRULE(this.select) },
        { ALT: () => this.SUBRULE(this.values) },
        {
          ALT: () => {
            const token = this.CONSUME(ReadQuery);
            // SAFETY: the token carries what deep-groups.ts has read for it.
            return this.ACTION(() => token.payload as Query);
          },
        },
        {
          ALT: () => {
            this.CONSUME(symbol('('));
            const query = this.SUBRULE(this.query);
            this.CONSUME(symbol(')'));
            return query;
          },
        },
      ],
      ERR_MSG: 'SELECT, VALUES or WITH',
    }),
  );

  readonly values: Rule<Values> = this.RULE('values', () => {
    const start = this.CONSUME(keyword('VALUES'));
    const rows: Expression[][] = [];
    this.AT_LEAST_ONE_SEP({
      SEP: symbol(','),
      DEF: () => {
        rows.push(this.SUBRULE(this.valuesRow));
      },
    });
    return this.ACTION(() => ({ kind: 'values' as const, rows, span: this.spanFrom(start) }));
  });

  readonly valuesRow: Rule<Expression[]> = this.RULE('valuesRow', () => {
    const row: Expression[] = [];
    this.OR([
      {
        IGNORE_AMBIGUITIES: true,
        ALT: () => {
          this.CONSUME(symbol('('));
          this.AT_LEAST_ONE_SEP({
            SEP: symbol(','),
            DEF: () => {
              row.push(this.SUBRULE(this.expression));
            },
          });
          this.CONSUME(symbol(')'));
        },
      },
      {
        ALT: () => {
          row.push(this.SUBRULE2(this.expression));
        },
      },
    ]);
    return row;
  });

  readonly select: Rule<Select> = this.RULE('select', () => {
    const start = this.CONSUME(keyword('SELECT'));
    const quantifier = this.OPTION(() =>
      this.OR([{ ALT: () => this.CONSUME(keyword('DISTINCT')) }, { ALT: () => this.CONSUME(keyword('ALL')) }]),
    );
    const distinctOn: Expression[] = [];
    this.OPTION8({
      GATE: () => quantifier?.tokenType === keyword('DISTINCT'),
      DEF: () => {
        this.CONSUME(keyword('ON'));
        this.CONSUME(symbol('('));
        this.AT_LEAST_ONE_SEP3({
          SEP: symbol(','),
          DEF: () => {
            distinctOn.push(this.SUBRULE4(this.expression));
          },
        });
        this.CONSUME(symbol(')'));
      },
    });
    const items: SelectItem[] = [];
    this.AT_LEAST_ONE_SEP({
      SEP: symbol(','),
      DEF: () => {
        items.push(this.SUBRULE(this.selectItem));
      },
      ERR_MSG: 'an expression or "*"',
    });
    const from = this.OPTION2(() => {
      this.CONSUME(keyword('FROM'));
      return this.SUBRULE(this.tableList);
    });
    const where = this.OPTION3(() => {
      this.CONSUME(keyword('WHERE'));
      return this.SUBRULE(this.expression);
    });
    const groupBy = this.OPTION4(() => {
      this.CONSUME(keyword('GROUP'));
      this.CONSUME(keyword('BY'));
      return this.SUBRULE(this.groupItems);
    });
    const having = this.OPTION5(() => {
      this.CONSUME(keyword('HAVING'));
      return this.SUBRULE2(this.expression);
    });
    const windows: { name: Identifier; window: WindowSpecification }[] = [];
    this.OPTION6(() => {
      this.CONSUME(keyword('WINDOW'));
      this.AT_LEAST_ONE_SEP2({
        SEP: symbol(','),
        DEF: () => {
          const name = this.SUBRULE(this.identifier);
          this.CONSUME(keyword('AS'));
          const window = this.SUBRULE(this.windowSpecification);
          windows.push({ name, window });
        },
      });
    });
    const qualify = this.OPTION7(() => {
      this.CONSUME(keyword('QUALIFY'));
      return this.SUBRULE3(this.expression);
    });
    return this.ACTION(() => ({
      kind: 'select' as const,
      distinct: quantifier?.tokenType === keyword('DISTINCT') && distinctOn.length === 0,
      ...(distinctOn.length > 0 ? { distinctOn } : {}),
      items,
      from: from ?? null,
      where: where ?? null,
      ...(groupBy?.all === true ? { groupAll: true } : {}),
      groupBy: groupBy?.groups ?? null,
      groupingSets: groupBy?.sets ?? null,
      having: having ?? null,
      qualify: qualify ?? null,
      windows,
      span: this.spanFrom(start),
    }));
  });

  readonly selectItem: Rule<SelectItem> = this.RULE('selectItem', () => {
    const start = this.LA(1);
    return this.OR({
      DEF: [
        {
          ALT: () => {
            this.CONSUME(symbol('*'));
            const changes = this.OPTION2(() => this.SUBRULE(this.starChanges));
            return this.ACTION(
              (): SelectItem => ({ kind: 'star', table: null, ...changes, span: this.spanFrom(start) }),
            );
          },
        },
        {
          GATE: () => this.LA(2).tokenType === symbol('.') && this.LA(3).tokenType === symbol('*'),
          ALT: () => {
            const table = this.SUBRULE(this.identifier);
            this.CONSUME(symbol('.'));
            this.CONSUME2(symbol('*'));
            const changes = this.OPTION3(() => this.SUBRULE2(this.starChanges));
            return this.ACTION((): SelectItem => ({ kind: 'star', table, ...changes, span: this.spanFrom(start) }));
          },
        },
        {
          ALT: () => {
            const expression = this.SUBRULE(this.expression);
            const alias = this.OPTION(() => this.SUBRULE(this.columnAlias));
            return this.ACTION(
              (): SelectItem => ({ kind: 'item', expression, alias: alias ?? null, span: this.spanFrom(start) }),
            );
          },
        },
      ],
      ERR_MSG: 'an expression',
    });
  });

  /** EXCLUDE (a, b), EXCEPT (a, b), REPLACE (x AS a) behind a star. */
  readonly starChanges: Rule<Pick<Star, 'exclude' | 'replace'>> = this.RULE('starChanges', () =>
    this.OR([
      {
        ALT: () => {
          this.OR2([{ ALT: () => this.CONSUME(keyword('EXCLUDE')) }, { ALT: () => this.CONSUME(keyword('EXCEPT')) }]);
          return { exclude: this.SUBRULE(this.excludedNames) };
        },
      },
      {
        ALT: () => {
          const replace: { name: Identifier; expression: Expression }[] = [];
          this.CONSUME(keyword('REPLACE'));
          this.CONSUME(symbol('('));
          this.AT_LEAST_ONE_SEP({
            SEP: symbol(','),
            DEF: () => {
              const expression = this.SUBRULE(this.expression);
              this.CONSUME(keyword('AS'));
              const name = this.SUBRULE(this.identifier);
              replace.push({ name, expression });
            },
          });
          this.CONSUME(symbol(')'));
          return { replace };
        },
      },
    ]),
  );

  /** [AS] name, or AS 'name'. */
  readonly columnAlias: Rule<Identifier> = this.RULE('columnAlias', () =>
    this.OR([
      {
        ALT: () => {
          this.CONSUME(keyword('AS'));
          return this.OR2({
            DEF: [
              { ALT: () => this.SUBRULE(this.identifier) },
              {
                ALT: () => {
                  const word = this.CONSUME(Label);
                  return this.ACTION(() => identifierOf(word));
                },
              },
              {
                ALT: () => {
                  const literal = this.CONSUME(StringLiteral);
                  return this.ACTION(() => ({ name: unquote(literal.image), quoted: true, span: spanOf(literal) }));
                },
              },
            ],
            ERR_MSG: 'a name',
          });
        },
      },
      { ALT: () => this.SUBRULE2(this.identifier) },
    ]),
  );
}
