// Grammar of calls: functions, aggregates, CASE, CAST, and the functions that have a syntax of their own.
import type { ExcludedColumn, Expression, Identifier, OrderItem, Query } from './ast.ts';
import type { Rule } from './name-grammar.ts';
import { spanOf, wordIdentifier } from './token-text.ts';
import { type IToken, keyword, ReadQuery, symbol, type TokenType } from './tokens.ts';
import { WindowGrammar } from './window-grammar.ts';

type Call = Extract<Expression, { kind: 'call' }>;

const queryStarts: readonly TokenType[] = [keyword('SELECT'), keyword('VALUES'), keyword('WITH'), ReadQuery];

export abstract class CallGrammar extends WindowGrammar {
  // Defined by the grammars that extend this one.
  declare readonly query: Rule<Query>;

  override readonly nameOrCall: Rule<Expression> = this.RULE('nameOrCall', () => {
    const start = this.LA(1);
    const path = [this.SUBRULE(this.columnName)];
    return this.OR([
      {
        ALT: () => {
          const parts = this.SUBRULE(this.callArguments);
          const call = this.ACTION((): Call => {
            const [name] = path;
            // A call follows one name, which the rule has just read.
            return { kind: 'call', name: name ?? wordIdentifier(start), ...parts, span: this.spanFrom(start) };
          });
          const window = this.OPTION({
            GATE: () => this.startsOver(),
            DEF: () => this.SUBRULE(this.over),
          });
          return this.ACTION((): Expression => {
            if (window === undefined) return call;
            return { kind: 'window', call, ...window, span: this.spanFrom(start) };
          });
        },
      },
      {
        ALT: () => {
          this.MANY(() => {
            this.CONSUME(symbol('.'));
            path.push(this.SUBRULE2(this.columnName));
          });
          return this.ACTION((): Expression => ({ kind: 'name', path, span: this.spanFrom(start) }));
        },
      },
    ]);
  });

  /** x -> …, (x) -> …, (x, y) -> … */
  #startsLambda(): boolean {
    const end = this.LA(1).tokenType !== symbol('(') ? 1 : this.LA(3).tokenType === symbol(',') ? 5 : 3;
    return (end === 1 || this.LA(end).tokenType === symbol(')')) && this.LA(end + 1).tokenType === symbol('->');
  }

  protected startsQuery(distance: number): boolean {
    return queryStarts.includes(this.LA(distance).tokenType);
  }

  /** t.* [EXCLUDE (a, b)], as an argument of ROW. */
  readonly tableColumns: Rule<Expression> = this.RULE('tableColumns', () => {
    const start = this.LA(1);
    const table = this.SUBRULE(this.identifier);
    this.CONSUME(symbol('.'));
    this.CONSUME(symbol('*'));
    const exclude = this.SUBRULE(this.excludedColumns);
    return this.ACTION((): Expression => ({ kind: 'columns', table, exclude, span: this.spanFrom(start) }));
  });

  readonly excludedColumns: Rule<ExcludedColumn[]> = this.RULE('excludedColumns', () => {
    const names = this.OPTION(() => {
      this.OR([{ ALT: () => this.CONSUME(keyword('EXCLUDE')) }, { ALT: () => this.CONSUME(keyword('EXCEPT')) }]);
      return this.SUBRULE(this.excludedNames);
    });
    return names ?? [];
  });

  /** An expression, a query, or a lambda: x -> expression, (x, y) -> expression. */
  readonly argument: Rule<Expression> = this.RULE('argument', () =>
    this.OR([
      {
        GATE: () => this.#startsLambda(),
        IGNORE_AMBIGUITIES: true,
        ALT: () => {
          const start = this.LA(1);
          const parameters = this.OR2([
            {
              ALT: () => {
                const name = this.SUBRULE(this.identifier);
                return [name];
              },
            },
            { ALT: () => this.SUBRULE(this.nameList) },
          ]);
          this.CONSUME(symbol('->'));
          const body = this.SUBRULE(this.expression);
          return this.ACTION((): Expression => ({ kind: 'lambda', parameters, body, span: this.spanFrom(start) }));
        },
      },
      {
        GATE: () => this.LA(2).tokenType === symbol('.') && this.LA(3).tokenType === symbol('*'),
        IGNORE_AMBIGUITIES: true,
        ALT: () => this.SUBRULE(this.tableColumns),
      },
      {
        // COALESCE(SELECT …, 0)
        GATE: () => this.startsQuery(1),
        IGNORE_AMBIGUITIES: true,
        ALT: () => {
          const start = this.LA(1);
          const query = this.SUBRULE(this.query);
          return this.ACTION((): Expression => ({ kind: 'scalar query', query, span: this.spanFrom(start) }));
        },
      },
      { IGNORE_AMBIGUITIES: true, ALT: () => this.SUBRULE2(this.expression) },
    ]),
  );

  readonly callArguments: Rule<CallArguments> = this.RULE('callArguments', () => {
    const operands: Expression[] = [];
    this.CONSUME(symbol('('));
    const head = this.OPTION(() =>
      this.OR({
        DEF: [
          {
            ALT: () => {
              const star = this.CONSUME(symbol('*'));
              const exclude = this.SUBRULE(this.excludedColumns);
              this.MANY(() => {
                this.CONSUME(symbol(','));
                operands.push(this.SUBRULE2(this.argument));
              });
              this.ACTION(() => {
                // COUNT(*) has no arguments; ROW(* EXCLUDE (a), 1) has two.
                if (operands.length + exclude.length === 0) return;
                operands.unshift({ kind: 'columns', table: null, exclude, span: spanOf(star) });
              });
              return { star };
            },
          },
          {
            ALT: () => {
              const quantifier = this.OPTION2(() =>
                this.OR2([
                  { ALT: () => this.CONSUME(keyword('DISTINCT')) },
                  { ALT: () => this.CONSUME(keyword('ALL')) },
                ]),
              );
              this.AT_LEAST_ONE_SEP({
                SEP: symbol(','),
                DEF: () => {
                  operands.push(this.SUBRULE(this.argument));
                },
              });
              const unit = this.OPTION3(() => {
                this.CONSUME(keyword('TO'));
                return this.SUBRULE(this.identifier);
              });
              const nulls = this.OPTION5(() => {
                const word = this.OR3([
                  { ALT: () => this.CONSUME(keyword('IGNORE')) },
                  { ALT: () => this.CONSUME(keyword('RESPECT')) },
                ]);
                this.CONSUME(keyword('NULLS'));
                return word;
              });
              const order = this.OPTION6(() => this.SUBRULE(this.orderClause));
              return { quantifier, unit, nulls, order };
            },
          },
        ],
        ERR_MSG: 'an expression or ")"',
      }),
    );
    this.CONSUME(symbol(')'));
    const within = this.OPTION7(() => {
      this.CONSUME(keyword('WITHIN'));
      this.CONSUME(keyword('GROUP'));
      this.CONSUME3(symbol('('));
      const order = this.SUBRULE2(this.orderClause);
      this.CONSUME3(symbol(')'));
      return order;
    });
    const filter = this.OPTION4(() => {
      this.CONSUME(keyword('FILTER'));
      this.CONSUME2(symbol('('));
      this.CONSUME(keyword('WHERE'));
      const condition = this.SUBRULE2(this.expression);
      this.CONSUME2(symbol(')'));
      return condition;
    });
    return this.ACTION(() => {
      const none = { quantifier: undefined, unit: undefined, nulls: undefined, order: undefined };
      const listed = head !== undefined && 'quantifier' in head ? head : none;
      return {
        arguments: operands,
        star: head !== undefined && 'star' in head && operands.length === 0,
        distinct: listed.quantifier?.tokenType === keyword('DISTINCT'),
        unit: listed.unit ?? null,
        ignoreNulls: listed.nulls?.tokenType === keyword('IGNORE'),
        orderBy: listed.order ?? within ?? [],
        filter: filter ?? null,
      };
    });
  });

  readonly caseExpression: Rule<Expression> = this.RULE('caseExpression', () => {
    const start = this.CONSUME(keyword('CASE'));
    const operand = this.OPTION(() => this.SUBRULE(this.expression));
    const branches: { when: Expression; result: Expression }[] = [];
    this.AT_LEAST_ONE(() => {
      this.CONSUME(keyword('WHEN'));
      const whens: Expression[] = [];
      this.AT_LEAST_ONE_SEP({
        SEP: symbol(','),
        DEF: () => {
          whens.push(this.SUBRULE2(this.expression));
        },
      });
      this.CONSUME(keyword('THEN'));
      const result = this.SUBRULE3(this.expression);
      this.ACTION(() => {
        for (const when of whens) branches.push({ when, result });
      });
    });
    const otherwise = this.OPTION2(() => {
      this.CONSUME(keyword('ELSE'));
      return this.SUBRULE4(this.expression);
    });
    this.CONSUME(keyword('END'));
    return this.ACTION(
      (): Expression => ({
        kind: 'case',
        operand: operand ?? null,
        branches,
        otherwise: otherwise ?? null,
        span: this.spanFrom(start),
      }),
    );
  });

  readonly castExpression: Rule<Expression> = this.RULE('castExpression', () => {
    const start = this.OR([
      { ALT: () => this.CONSUME(keyword('CAST')) },
      { ALT: () => this.CONSUME(keyword('SAFE_CAST')) },
      { ALT: () => this.CONSUME(keyword('TRY_CAST')) },
    ]);
    this.CONSUME(symbol('('));
    const operand = this.SUBRULE(this.expression);
    this.CONSUME(keyword('AS'));
    const type = this.SUBRULE(this.typeName);
    this.CONSUME(symbol(')'));
    return this.ACTION((): Expression => {
      const safe = start.tokenType !== keyword('CAST');
      return { kind: 'cast', operand, type, safe, span: this.spanFrom(start) };
    });
  });

  readonly extractExpression: Rule<Expression> = this.RULE('extractExpression', () => {
    const start = this.CONSUME(keyword('EXTRACT'));
    this.CONSUME(symbol('('));
    const unit = this.SUBRULE(this.identifier);
    this.CONSUME(keyword('FROM'));
    const operand = this.SUBRULE(this.expression);
    this.CONSUME(symbol(')'));
    return this.ACTION((): Expression => ({ kind: 'extract', unit, operand, span: this.spanFrom(start) }));
  });

  /** TRIM([LEADING | TRAILING | BOTH] [characters] FROM x) and TRIM(x [, characters]). */
  readonly trimCall: Rule<Expression> = this.RULE('trimCall', () => {
    const start = this.CONSUME(keyword('TRIM'));
    this.CONSUME(symbol('('));
    const side = this.OPTION(() =>
      this.OR([
        { ALT: () => this.CONSUME(keyword('LEADING')) },
        { ALT: () => this.CONSUME(keyword('TRAILING')) },
        { ALT: () => this.CONSUME(keyword('BOTH')) },
      ]),
    );
    const first = this.OPTION2({
      GATE: () => this.LA(1).tokenType !== keyword('FROM'),
      DEF: () => this.SUBRULE(this.expression),
    });
    const second = this.OPTION3(() => {
      const separator = this.OR2([
        { ALT: () => this.CONSUME(keyword('FROM')) },
        { ALT: () => this.CONSUME(symbol(',')) },
      ]);
      const operand = this.SUBRULE2(this.expression);
      return this.ACTION(() => ({ operand, from: separator.tokenType === keyword('FROM') }));
    });
    this.CONSUME(symbol(')'));
    return this.ACTION((): Expression => {
      const given = [first, second?.operand].filter((operand) => operand !== undefined);
      const operands = second?.from === true ? given.reverse() : given;
      return this.callOf(trimFunction(side), start, operands);
    });
  });

  /** SUBSTRING(x FROM a [FOR b]) and SUBSTRING(x, a [, b]). */
  readonly substringCall: Rule<Expression> = this.RULE('substringCall', () => {
    const start = this.CONSUME(keyword('SUBSTRING'));
    const operands: Expression[] = [];
    this.CONSUME(symbol('('));
    operands.push(this.SUBRULE(this.expression));
    this.OR({
      DEF: [{ ALT: () => this.CONSUME(symbol(',')) }, { ALT: () => this.CONSUME(keyword('FROM')) }],
      ERR_MSG: 'FROM or ","',
    });
    operands.push(this.SUBRULE2(this.expression));
    this.OPTION(() => {
      this.OR2([{ ALT: () => this.CONSUME2(symbol(',')) }, { ALT: () => this.CONSUME(keyword('FOR')) }]);
      operands.push(this.SUBRULE3(this.expression));
    });
    this.CONSUME(symbol(')'));
    return this.ACTION(() => this.callOf('substring', start, operands));
  });

  /** POSITION(needle IN haystack). */
  readonly positionCall: Rule<Expression> = this.RULE('positionCall', () => {
    const start = this.CONSUME(keyword('POSITION'));
    this.CONSUME(symbol('('));
    const needle = this.SUBRULE(this.sum);
    this.OR({
      DEF: [{ ALT: () => this.CONSUME(keyword('IN')) }, { ALT: () => this.CONSUME(symbol(',')) }],
      ERR_MSG: 'IN',
    });
    const haystack = this.SUBRULE2(this.sum);
    this.CONSUME(symbol(')'));
    return this.ACTION(() => this.callOf('position', start, [needle, haystack]));
  });

  /** OVERLAY(x PLACING y FROM a [FOR b]). */
  readonly overlayCall: Rule<Expression> = this.RULE('overlayCall', () => {
    const start = this.CONSUME(keyword('OVERLAY'));
    const operands: Expression[] = [];
    this.CONSUME(symbol('('));
    operands.push(this.SUBRULE(this.expression));
    this.CONSUME(keyword('PLACING'));
    operands.push(this.SUBRULE2(this.expression));
    this.CONSUME(keyword('FROM'));
    operands.push(this.SUBRULE3(this.expression));
    this.OPTION(() => {
      this.CONSUME(keyword('FOR'));
      operands.push(this.SUBRULE4(this.expression));
    });
    this.CONSUME(symbol(')'));
    return this.ACTION(() => this.callOf('overlay', start, operands));
  });

  /** A call whose name is no word of the text, or a reserved one. */
  protected callOf(name: string, start: IToken, operands: readonly Expression[]): Expression {
    return {
      kind: 'call',
      name: { name, quoted: false, span: spanOf(start) },
      arguments: operands,
      star: false,
      distinct: false,
      unit: null,
      filter: null,
      span: this.spanFrom(start),
    };
  }
}

export interface CallArguments {
  readonly arguments: readonly Expression[];
  readonly star: boolean;
  readonly distinct: boolean;
  readonly unit: Identifier | null;
  readonly ignoreNulls: boolean;
  readonly orderBy: readonly OrderItem[];
  readonly filter: Expression | null;
}

function trimFunction(side: IToken | undefined): string {
  if (side?.tokenType === keyword('LEADING')) return 'ltrim';
  return side?.tokenType === keyword('TRAILING') ? 'rtrim' : 'trim';
}
