// Grammar of expressions: OR, AND, NOT and predicates.
//
// Precedence, loosest first: OR, AND, NOT, predicates (comparisons, IS, BETWEEN, IN, LIKE; left to right), + -, * / % ||, unary
// + and -, then [index], ::type and .field.
import type { BinaryOperator, Expression, PeriodOperator, Query, TruthTest } from './ast.ts';
import type { Rule } from './name-grammar.ts';
import { binary, chain, OperandGrammar, operatorOf } from './operand-grammar.ts';
import type { Span } from './span.ts';
import { cover, endOf, spanOf } from './token-text.ts';
import { Identifier, type IToken, keyword, Name, symbol, type TokenType } from './tokens.ts';

const negatable: readonly TokenType[] = ['BETWEEN', 'IN', 'LIKE', 'ILIKE', 'RLIKE', 'SIMILAR'].map(keyword);

const periodWords: readonly string[] = ['contains', 'equals', 'overlaps', 'precedes', 'succeeds'];

function isName(token: IToken): boolean {
  return token.tokenType === Name || token.tokenType.CATEGORIES?.includes(Name) === true;
}

export abstract class ExpressionGrammar extends OperandGrammar {
  override readonly expression: Rule<Expression> = this.RULE('expression', () => {
    const operands = [this.SUBRULE(this.conjunction)];
    this.MANY(() => {
      this.CONSUME(keyword('OR'));
      operands.push(this.SUBRULE2(this.conjunction));
    });
    return this.ACTION(() => chain('or', operands));
  });

  readonly conjunction: Rule<Expression> = this.RULE('conjunction', () => {
    const operands = [this.SUBRULE(this.negation)];
    this.MANY(() => {
      this.CONSUME(keyword('AND'));
      operands.push(this.SUBRULE2(this.negation));
    });
    return this.ACTION(() => chain('and', operands));
  });

  readonly negation: Rule<Expression> = this.RULE('negation', () =>
    this.OR({
      DEF: [
        {
          ALT: () => {
            const start = this.CONSUME(keyword('NOT'));
            const operand = this.SUBRULE(this.negation);
            return this.ACTION((): Expression => ({ kind: 'not', operand, span: this.spanFrom(start) }));
          },
        },
        { ALT: () => this.SUBRULE(this.predicate) },
      ],
      ERR_MSG: 'an expression',
    }),
  );

  /** x ISNULL, x NOTNULL: as PostgreSQL and DuckDB have them. A name behind a value would be its alias. */
  #isNullTest(): boolean {
    const word = this.LA(1);
    return word.tokenType === Identifier && ['isnull', 'notnull'].includes(word.image.toLowerCase());
  }

  #isPeriodOperator(): boolean {
    const word = this.LA(1).image.toLowerCase();
    if (word === 'immediately') return periodWords.slice(3).includes(this.LA(2).image.toLowerCase());
    return periodWords.includes(word);
  }

  readonly predicate: Rule<Expression> = this.RULE('predicate', () => {
    let left = this.SUBRULE(this.sum);
    this.MANY({
      // NOT may also begin the NOT NULL of a column: DEFAULT 5 NOT NULL.
      GATE: () =>
        (this.LA(1).tokenType !== keyword('NOT') || negatable.includes(this.LA(2).tokenType)) &&
        (!isName(this.LA(1)) ||
          this.#isNullTest() ||
          (left.kind === 'call' && left.name.name === 'row' && this.#isPeriodOperator())),
      DEF: () => {
        this.OR([
          {
            ALT: () => {
              const operator = this.SUBRULE(this.comparisonOperator);
              this.OR7([
                {
                  GATE: () => this.#startsQuantifier(),
                  IGNORE_AMBIGUITIES: true,
                  ALT: () => {
                    const { all, query } = this.SUBRULE(this.quantifiedQuery);
                    this.ACTION(() => {
                      const span = { start: left.span.start, end: endOf(this.LA(0)) };
                      left = quantified(left, operator, all, query, span);
                    });
                  },
                },
                {
                  IGNORE_AMBIGUITIES: true,
                  ALT: () => {
                    const right = this.SUBRULE2(this.sum);
                    this.ACTION(() => (left = binary(operator, left, right)));
                  },
                },
              ]);
            },
          },
          {
            GATE: () => this.#isNullTest(),
            IGNORE_AMBIGUITIES: true,
            ALT: () => {
              const word = this.CONSUME3(Name);
              this.ACTION(() => {
                const negated = word.image.toLowerCase() === 'notnull';
                left = { kind: 'is', operand: left, test: 'null', negated, span: cover(left.span, spanOf(word)) };
              });
            },
          },
          {
            IGNORE_AMBIGUITIES: true,
            ALT: () => {
              const words = [this.CONSUME(Name)];
              this.OPTION9({
                GATE: () => this.#isPeriodOperator(),
                DEF: () => words.push(this.CONSUME2(Name)),
              });
              const right = this.SUBRULE9(this.sum);
              this.ACTION(() => {
                // SAFETY: the gate lets only the words of these operators in.
                const operator = words.map((word) => word.image.toLowerCase()).join(' ') as PeriodOperator;
                left = { kind: 'period', operator, left, right, span: cover(left.span, right.span) };
              });
            },
          },
          {
            ALT: () => {
              this.CONSUME(keyword('IS'));
              const negated = this.OPTION(() => this.CONSUME(keyword('NOT'))) !== undefined;
              this.OR2({
                DEF: [
                  {
                    ALT: () => {
                      const test = this.SUBRULE(this.truthTest);
                      this.ACTION(() => {
                        const span = { start: left.span.start, end: endOf(this.LA(0)) };
                        left = { kind: 'is', operand: left, test, negated, span };
                      });
                    },
                  },
                  {
                    ALT: () => {
                      this.CONSUME(keyword('DISTINCT'));
                      this.CONSUME(keyword('FROM'));
                      const right = this.SUBRULE3(this.sum);
                      this.ACTION(() => {
                        left = { kind: 'is distinct', left, right, negated, span: cover(left.span, right.span) };
                      });
                    },
                  },
                ],
                ERR_MSG: 'NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM',
              });
            },
          },
          {
            ALT: () => {
              const negated = this.OPTION2(() => this.CONSUME2(keyword('NOT'))) !== undefined;
              this.OR3({
                DEF: [
                  {
                    ALT: () => {
                      this.CONSUME(keyword('BETWEEN'));
                      const symmetric = this.OPTION3(() =>
                        this.OR4([
                          { ALT: () => this.CONSUME(keyword('SYMMETRIC')) },
                          { ALT: () => this.CONSUME(keyword('ASYMMETRIC')) },
                        ]),
                      );
                      const low = this.SUBRULE4(this.sum);
                      this.CONSUME(keyword('AND'));
                      const high = this.SUBRULE5(this.sum);
                      this.ACTION(() => {
                        left = {
                          kind: 'between',
                          operand: left,
                          low,
                          high,
                          symmetric: symmetric?.tokenType === keyword('SYMMETRIC'),
                          negated,
                          span: cover(left.span, high.span),
                        };
                      });
                    },
                  },
                  {
                    ALT: () => {
                      this.CONSUME(keyword('IN'));
                      this.CONSUME(symbol('('));
                      this.OR5({
                        DEF: [
                          {
                            GATE: () => this.startsQuery(1),
                            ALT: () => {
                              const query = this.SUBRULE(this.query);
                              this.ACTION(() => {
                                const span = { start: left.span.start, end: endOf(this.LA(1)) };
                                left = { kind: 'in query', operand: left, query, negated, span };
                              });
                            },
                          },
                          {
                            ALT: () => {
                              const values: Expression[] = [];
                              // Nothing is in an empty list.
                              this.MANY_SEP({
                                SEP: symbol(','),
                                DEF: () => {
                                  values.push(this.SUBRULE(this.expression));
                                },
                              });
                              this.ACTION(() => {
                                const span = { start: left.span.start, end: endOf(this.LA(1)) };
                                left = { kind: 'in', operand: left, values, negated, span };
                              });
                            },
                          },
                        ],
                        ERR_MSG: 'a value',
                      });
                      this.CONSUME(symbol(')'));
                    },
                  },
                  {
                    ALT: () => {
                      const word = this.OR6([
                        { ALT: () => this.CONSUME(keyword('LIKE')) },
                        { ALT: () => this.CONSUME(keyword('ILIKE')) },
                        { ALT: () => this.CONSUME(keyword('RLIKE')) },
                        {
                          ALT: () => {
                            const similar = this.CONSUME(keyword('SIMILAR'));
                            this.CONSUME(keyword('TO'));
                            return similar;
                          },
                        },
                      ]);
                      const pattern = this.SUBRULE6(this.sum);
                      const escapeBy = this.OPTION4(() => {
                        this.CONSUME(keyword('ESCAPE'));
                        return this.SUBRULE7(this.sum);
                      });
                      this.ACTION(() => {
                        left = {
                          kind: 'like',
                          function: likeFunction(word),
                          operand: left,
                          pattern,
                          escape: escapeBy ?? null,
                          negated,
                          span: cover(left.span, (escapeBy ?? pattern).span),
                        };
                      });
                    },
                  },
                ],
                ERR_MSG: 'BETWEEN, IN or LIKE',
              });
            },
          },
        ]);
      },
    });
    return left;
  });

  /** ANY (SELECT …), SOME (SELECT …), ALL (SELECT …) */
  readonly quantifiedQuery: Rule<{ readonly all: boolean; readonly query: Query }> = this.RULE(
    'quantifiedQuery',
    () => {
      const word = this.OR([{ ALT: () => this.CONSUME(keyword('ALL')) }, { ALT: () => this.CONSUME(Name) }]);
      this.CONSUME(symbol('('));
      const query = this.SUBRULE(this.query);
      this.CONSUME(symbol(')'));
      return this.ACTION(() => ({ all: word.tokenType === keyword('ALL'), query }));
    },
  );

  #startsQuantifier(): boolean {
    const word = this.LA(1).image.toUpperCase();
    const isWord = word === 'ALL' || word === 'ANY' || word === 'SOME';
    return isWord && this.LA(2).tokenType === symbol('(') && this.startsQuery(3);
  }

  readonly comparisonOperator: Rule<BinaryOperator> = this.RULE('comparisonOperator', () => {
    const token = this.OR([
      { ALT: () => this.CONSUME(symbol('=')) },
      { ALT: () => this.CONSUME(symbol('<>')) },
      { ALT: () => this.CONSUME(symbol('!=')) },
      { ALT: () => this.CONSUME(symbol('<')) },
      { ALT: () => this.CONSUME(symbol('<=')) },
      { ALT: () => this.CONSUME(symbol('>')) },
      { ALT: () => this.CONSUME(symbol('>=')) },
      { ALT: () => this.CONSUME(symbol('<=>')) },
    ]);
    return this.ACTION(() => operatorOf(token));
  });

  readonly truthTest: Rule<TruthTest> = this.RULE('truthTest', () => {
    const token = this.OR([
      { ALT: () => this.CONSUME(keyword('NULL')) },
      { ALT: () => this.CONSUME(keyword('TRUE')) },
      { ALT: () => this.CONSUME(keyword('FALSE')) },
      { ALT: () => this.CONSUME(keyword('UNKNOWN')) },
    ]);
    // SAFETY: the four keywords above are the four tests.
    return this.ACTION(() => token.image.toLowerCase() as TruthTest);
  });
}

function quantified(operand: Expression, operator: BinaryOperator, all: boolean, query: Query, span: Span): Expression {
  switch (operator) {
    case '=':
    case '<>':
    case '<':
    case '<=':
    case '>':
    case '>=':
      return { kind: 'quantified', operand, operator, all, query, span };
    default:
      return {
        kind: 'unsupported',
        construct: `${operator} with ANY or ALL`,
        instead: 'compare with =, <>, <, <=, > or >=',
        span,
      };
  }
}

function likeFunction(word: IToken): 'like' | 'ilike' | 'rlike' | 'similar_to' {
  if (word.tokenType === keyword('LIKE')) return 'like';
  if (word.tokenType === keyword('SIMILAR')) return 'similar_to';
  return word.tokenType === keyword('ILIKE') ? 'ilike' : 'rlike';
}
