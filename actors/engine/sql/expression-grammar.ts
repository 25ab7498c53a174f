// Grammar of scalar expressions and type names.
//
// Precedence, loosest first: OR, AND, NOT, predicates (comparisons, IS, BETWEEN, IN, LIKE; left to right), + -,
// * / % ||, unary + and -, then [index], ::type and .field. The parser builds ast.ts directly.
// During chevrotain's recording phase rule bodies run without input: whatever looks at results stands inside ACTION.
// Not here: queries (query-grammar.ts), what is refused on sight (unsupported-syntax.ts).
import { EmbeddedActionsParser, type IParserConfig, type ParserMethod } from 'chevrotain';
import type { BinaryOperator, Expression, Identifier, Query, TemporalKeyword, TruthTest, TypeName } from './ast.ts';
import type { Span } from './sql-text.ts';
import {
  BinaryLiteral,
  type IToken,
  keyword,
  Name,
  NumberLiteral,
  QuotedIdentifier,
  StringLiteral,
  symbol,
  type TokenType,
  vocabulary,
} from './tokens.ts';

export type Rule<T> = ParserMethod<[], T>;

const queryStarts: readonly TokenType[] = [keyword('SELECT'), keyword('VALUES'), keyword('WITH')];
const negatable: readonly TokenType[] = ['BETWEEN', 'IN', 'LIKE', 'ILIKE', 'RLIKE'].map(keyword);
const differenceUnits: ReadonlySet<string> = new Set(['year', 'month', 'day', 'hour', 'minute', 'second']);

export class ExpressionGrammar extends EmbeddedActionsParser {
  /** Defined by the query grammar: a subquery. */
  declare readonly query: Rule<Query>;

  constructor(config: IParserConfig) {
    super(vocabulary, config);
  }

  // ── names and types ──

  readonly identifier: Rule<Identifier> = this.RULE('identifier', () => {
    const token = this.CONSUME(Name);
    return this.ACTION(() => identifierOf(token));
  });

  readonly typeName: Rule<TypeName> = this.RULE('typeName', () => {
    const start = this.LA(1);
    const words: IToken[] = [];
    const parameters: number[] = [];
    this.OR({
      DEF: [
        { ALT: () => words.push(this.CONSUME(keyword('DATE'))) },
        { ALT: () => words.push(this.CONSUME(keyword('TIME'))) },
        { ALT: () => words.push(this.CONSUME(keyword('TIMESTAMP'))) },
        {
          ALT: () => {
            words.push(this.CONSUME(keyword('INTERVAL')));
            words.push(this.CONSUME(Name));
            this.OPTION(() => {
              words.push(this.CONSUME(keyword('TO')));
              words.push(this.CONSUME2(Name));
            });
          },
        },
        {
          ALT: () => {
            words.push(this.CONSUME3(Name));
            this.OPTION2(() => {
              words.push(
                this.OR2([
                  { ALT: () => this.CONSUME(keyword('PRECISION')) },
                  { ALT: () => this.CONSUME(keyword('VARYING')) },
                  { ALT: () => this.CONSUME(keyword('UNSIGNED')) },
                ]),
              );
            });
          },
        },
      ],
      ERR_MSG: 'the name of a type',
    });
    this.OPTION3(() => {
      this.CONSUME(symbol('('));
      this.AT_LEAST_ONE_SEP({
        SEP: symbol(','),
        DEF: () => {
          const number = this.CONSUME(NumberLiteral);
          this.ACTION(() => parameters.push(Number(number.image)));
        },
      });
      this.CONSUME(symbol(')'));
    });
    this.OPTION4(() => {
      words.push(
        this.OR3([{ ALT: () => this.CONSUME(keyword('WITH')) }, { ALT: () => this.CONSUME(keyword('WITHOUT')) }]),
      );
      words.push(this.CONSUME2(keyword('TIME')));
      words.push(this.CONSUME(keyword('ZONE')));
    });
    this.MANY(() => words.push(this.CONSUME(keyword('ARRAY'))));
    return this.ACTION(() => {
      const name = words.map((word) => word.image.toLowerCase()).join(' ');
      return { name, parameters, span: this.spanFrom(start) };
    });
  });

  // ── operators ──

  readonly expression: Rule<Expression> = this.RULE('expression', () => {
    let left = this.SUBRULE(this.conjunction);
    this.MANY(() => {
      this.CONSUME(keyword('OR'));
      const right = this.SUBRULE2(this.conjunction);
      this.ACTION(() => (left = binary('or', left, right)));
    });
    return left;
  });

  readonly conjunction: Rule<Expression> = this.RULE('conjunction', () => {
    let left = this.SUBRULE(this.negation);
    this.MANY(() => {
      this.CONSUME(keyword('AND'));
      const right = this.SUBRULE2(this.negation);
      this.ACTION(() => (left = binary('and', left, right)));
    });
    return left;
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

  readonly predicate: Rule<Expression> = this.RULE('predicate', () => {
    let left = this.SUBRULE(this.sum);
    this.MANY({
      // NOT may also begin the NOT NULL of a column: DEFAULT 5 NOT NULL.
      GATE: () => this.LA(1).tokenType !== keyword('NOT') || negatable.includes(this.LA(2).tokenType),
      DEF: () => {
        this.OR([
          {
            ALT: () => {
              const operator = this.SUBRULE(this.comparisonOperator);
              const right = this.SUBRULE2(this.sum);
              this.ACTION(() => (left = binary(operator, left, right)));
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
                      const start = this.CONSUME(keyword('IN'));
                      this.CONSUME(symbol('('));
                      this.OR5({
                        DEF: [
                          {
                            GATE: () => this.#startsQuery(1),
                            ALT: () => {
                              this.SUBRULE(this.query);
                              this.ACTION(() => {
                                left = {
                                  kind: 'unsupported',
                                  construct: 'IN with a subquery',
                                  instead: 'join with SELECT DISTINCT of the subquery',
                                  span: this.spanFrom(start),
                                };
                              });
                            },
                          },
                          {
                            ALT: () => {
                              const values: Expression[] = [];
                              this.AT_LEAST_ONE_SEP({
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

  readonly sum: Rule<Expression> = this.RULE('sum', () => {
    let left = this.SUBRULE(this.product);
    this.MANY(() => {
      const operator = this.OR([{ ALT: () => this.CONSUME(symbol('+')) }, { ALT: () => this.CONSUME(symbol('-')) }]);
      const right = this.SUBRULE2(this.product);
      this.ACTION(() => (left = binary(operatorOf(operator), left, right)));
    });
    return left;
  });

  readonly product: Rule<Expression> = this.RULE('product', () => {
    let left = this.SUBRULE(this.unary);
    this.MANY(() => {
      const operator = this.OR([
        { ALT: () => this.CONSUME(symbol('*')) },
        { ALT: () => this.CONSUME(symbol('/')) },
        { ALT: () => this.CONSUME(symbol('%')) },
        { ALT: () => this.CONSUME(symbol('||')) },
      ]);
      const right = this.SUBRULE2(this.unary);
      this.ACTION(() => (left = binary(operatorOf(operator), left, right)));
    });
    return left;
  });

  readonly unary: Rule<Expression> = this.RULE('unary', () =>
    this.OR({
      DEF: [
        {
          ALT: () => {
            const start = this.CONSUME(symbol('-'));
            const operand = this.SUBRULE(this.unary);
            return this.ACTION((): Expression => ({ kind: 'negate', operand, span: this.spanFrom(start) }));
          },
        },
        {
          ALT: () => {
            this.CONSUME(symbol('+'));
            return this.SUBRULE2(this.unary);
          },
        },
        { ALT: () => this.SUBRULE(this.postfix) },
      ],
      ERR_MSG: 'an expression',
    }),
  );

  readonly postfix: Rule<Expression> = this.RULE('postfix', () => {
    const start = this.LA(1);
    let operand = this.SUBRULE(this.primary);
    this.MANY(() => {
      this.OR([
        {
          ALT: () => {
            this.CONSUME(symbol('['));
            const index = this.SUBRULE(this.expression);
            this.CONSUME(symbol(']'));
            this.ACTION(() => (operand = { kind: 'element', operand, index, span: this.spanFrom(start) }));
          },
        },
        {
          ALT: () => {
            this.CONSUME(symbol('::'));
            const type = this.SUBRULE(this.typeName);
            this.ACTION(() => (operand = { kind: 'cast', operand, type, safe: false, span: this.spanFrom(start) }));
          },
        },
        {
          ALT: () => {
            this.CONSUME(symbol('.'));
            const field = this.SUBRULE(this.identifier);
            this.ACTION(() => {
              const index: Expression = { kind: 'string', value: field.name, span: field.span };
              operand = { kind: 'element', operand, index, span: this.spanFrom(start) };
            });
          },
        },
      ]);
    });
    return operand;
  });

  // ── primaries ──

  readonly primary: Rule<Expression> = this.RULE('primary', () =>
    this.OR({
      DEF: [
        {
          ALT: () => {
            const token = this.CONSUME(NumberLiteral);
            return this.ACTION((): Expression => ({ kind: 'number', text: token.image, span: spanOf(token) }));
          },
        },
        { ALT: () => this.SUBRULE(this.stringLiteral) },
        {
          ALT: () => {
            const token = this.CONSUME(BinaryLiteral);
            return this.ACTION(
              (): Expression => ({ kind: 'binary literal', hex: token.image.slice(2, -1), span: spanOf(token) }),
            );
          },
        },
        {
          ALT: () => {
            const token = this.CONSUME(keyword('TRUE'));
            return this.ACTION((): Expression => ({ kind: 'boolean', value: true, span: spanOf(token) }));
          },
        },
        {
          ALT: () => {
            const token = this.CONSUME(keyword('FALSE'));
            return this.ACTION((): Expression => ({ kind: 'boolean', value: false, span: spanOf(token) }));
          },
        },
        {
          ALT: () => {
            const token = this.CONSUME(keyword('NULL'));
            return this.ACTION((): Expression => ({ kind: 'null', span: spanOf(token) }));
          },
        },
        {
          ALT: () => {
            const token = this.OR2([
              { ALT: () => this.CONSUME(keyword('DATE')) },
              { ALT: () => this.CONSUME(keyword('TIME')) },
              { ALT: () => this.CONSUME(keyword('TIMESTAMP')) },
            ]);
            const literal = this.CONSUME(StringLiteral);
            return this.ACTION((): Expression => {
              // SAFETY: the three keywords above are the three temporal keywords.
              const type = token.image.toUpperCase() as TemporalKeyword;
              return { kind: 'typed literal', type, text: unquote(literal.image), span: this.spanFrom(token) };
            });
          },
        },
        { ALT: () => this.SUBRULE(this.intervalLiteral) },
        { ALT: () => this.SUBRULE(this.caseExpression) },
        { ALT: () => this.SUBRULE(this.castExpression) },
        { ALT: () => this.SUBRULE(this.extractExpression) },
        { ALT: () => this.SUBRULE(this.trimCall) },
        { ALT: () => this.SUBRULE(this.substringCall) },
        { ALT: () => this.SUBRULE(this.positionCall) },
        { ALT: () => this.SUBRULE(this.overlayCall) },
        {
          ALT: () => {
            const word = this.OR3([
              { ALT: () => this.CONSUME(keyword('LEFT')) },
              { ALT: () => this.CONSUME(keyword('RIGHT')) },
              { ALT: () => this.CONSUME(keyword('RLIKE')) },
            ]);
            const call = this.SUBRULE(this.callArguments);
            return this.ACTION(
              (): Expression => ({ kind: 'call', name: wordIdentifier(word), ...call, span: this.spanFrom(word) }),
            );
          },
        },
        {
          GATE: () => this.#startsQuery(2),
          ALT: () => {
            const start = this.CONSUME(symbol('('));
            this.SUBRULE(this.query);
            this.CONSUME(symbol(')'));
            return this.ACTION(
              (): Expression => ({
                kind: 'unsupported',
                construct: 'a subquery inside an expression',
                instead: 'join with the subquery in FROM',
                span: this.spanFrom(start),
              }),
            );
          },
        },
        { ALT: () => this.SUBRULE(this.parenthesized) },
        { ALT: () => this.SUBRULE(this.nameOrCall) },
      ],
      ERR_MSG: 'an expression',
    }),
  );

  readonly stringLiteral: Rule<Extract<Expression, { kind: 'string' }>> = this.RULE('stringLiteral', () => {
    const first = this.CONSUME(StringLiteral);
    const parts = [first];
    // Strings that stand on different lines are one string.
    this.MANY({
      GATE: () => this.#onNextLine(),
      DEF: () => parts.push(this.CONSUME2(StringLiteral)),
    });
    return this.ACTION(() => ({
      kind: 'string' as const,
      value: parts.map((part) => unquote(part.image)).join(''),
      span: this.spanFrom(first),
    }));
  });

  readonly intervalLiteral: Rule<Expression> = this.RULE('intervalLiteral', () => {
    const start = this.CONSUME(keyword('INTERVAL'));
    const minus = this.OPTION(() => this.CONSUME(symbol('-')));
    const amount = this.OR({
      DEF: [{ ALT: () => this.CONSUME(StringLiteral) }, { ALT: () => this.CONSUME(NumberLiteral) }],
      ERR_MSG: "a number of units, such as '5'",
    });
    const from = this.SUBRULE(this.intervalUnit);
    const to = this.OPTION2(() => {
      this.CONSUME(keyword('TO'));
      return this.SUBRULE2(this.intervalUnit);
    });
    return this.ACTION(
      (): Expression => ({
        kind: 'interval',
        negative: minus !== undefined,
        text: amount.tokenType === StringLiteral ? unquote(amount.image) : amount.image,
        from,
        to: to ?? null,
        span: this.spanFrom(start),
      }),
    );
  });

  /** The precision in HOUR(3) says nothing that we need. */
  readonly intervalUnit: Rule<Identifier> = this.RULE('intervalUnit', () => {
    const unit = this.SUBRULE(this.identifier);
    this.OPTION(() => {
      this.CONSUME(symbol('('));
      this.AT_LEAST_ONE_SEP({ SEP: symbol(','), DEF: () => this.CONSUME(NumberLiteral) });
      this.CONSUME(symbol(')'));
    });
    return unit;
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
      return this.#call(start, trimFunction(side), operands);
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
    return this.ACTION(() => this.#call(start, 'substring', operands));
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
    return this.ACTION(() => this.#call(start, 'position', [needle, haystack]));
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
    return this.ACTION(() => this.#call(start, 'overlay', operands));
  });

  readonly parenthesized: Rule<Expression> = this.RULE('parenthesized', () => {
    const start = this.CONSUME(symbol('('));
    const items: Expression[] = [];
    this.AT_LEAST_ONE_SEP({
      SEP: symbol(','),
      DEF: () => {
        items.push(this.SUBRULE(this.expression));
      },
    });
    this.CONSUME(symbol(')'));
    const unit = this.OPTION({
      GATE: () => this.#isDifferenceUnit(items),
      DEF: () => this.SUBRULE(this.identifier),
    });
    return this.ACTION((): Expression => {
      const [operand] = items;
      const span = this.spanFrom(start);
      if (operand === undefined || items.length > 1) {
        return {
          kind: 'unsupported',
          construct: 'a row of several values',
          instead: 'compare the values singly',
          span,
        };
      }
      return unit === undefined ? operand : { kind: 'difference', operand, unit, span };
    });
  });

  readonly nameOrCall: Rule<Expression> = this.RULE('nameOrCall', () => {
    const start = this.LA(1);
    const path = [this.SUBRULE(this.identifier)];
    return this.OR([
      {
        ALT: () => {
          const call = this.SUBRULE(this.callArguments);
          return this.ACTION((): Expression => {
            const [name] = path;
            // A call follows one name, which the rule has just read.
            return { kind: 'call', name: name ?? wordIdentifier(start), ...call, span: this.spanFrom(start) };
          });
        },
      },
      {
        ALT: () => {
          this.MANY(() => {
            this.CONSUME(symbol('.'));
            path.push(this.SUBRULE2(this.identifier));
          });
          return this.ACTION((): Expression => ({ kind: 'name', path, span: this.spanFrom(start) }));
        },
      },
    ]);
  });

  readonly callArguments: Rule<CallArguments> = this.RULE('callArguments', () => {
    const operands: Expression[] = [];
    this.CONSUME(symbol('('));
    const head = this.OPTION(() =>
      this.OR({
        DEF: [
          { ALT: () => ({ star: this.CONSUME(symbol('*')) }) },
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
                  operands.push(this.SUBRULE(this.expression));
                },
              });
              const unit = this.OPTION3(() => {
                this.CONSUME(keyword('TO'));
                return this.SUBRULE(this.identifier);
              });
              return { quantifier, unit };
            },
          },
        ],
        ERR_MSG: 'an expression or ")"',
      }),
    );
    this.CONSUME(symbol(')'));
    const filter = this.OPTION4(() => {
      this.CONSUME(keyword('FILTER'));
      this.CONSUME2(symbol('('));
      this.CONSUME(keyword('WHERE'));
      const condition = this.SUBRULE2(this.expression);
      this.CONSUME2(symbol(')'));
      return condition;
    });
    return this.ACTION(() => {
      const listed = head !== undefined && 'quantifier' in head ? head : { quantifier: undefined, unit: undefined };
      return {
        arguments: operands,
        star: head !== undefined && 'star' in head,
        distinct: listed.quantifier?.tokenType === keyword('DISTINCT'),
        unit: listed.unit ?? null,
        filter: filter ?? null,
      };
    });
  });

  // ── spans and look-ahead ──

  /** From a token that has been read to the last one that has been read. */
  protected spanFrom(start: IToken): Span {
    return { start: start.startOffset, end: endOf(this.LA(0)) };
  }

  #call(start: IToken, name: string, operands: readonly Expression[]): Expression {
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

  #startsQuery(distance: number): boolean {
    return queryStarts.includes(this.LA(distance).tokenType);
  }

  #onNextLine(): boolean {
    const text = this.LA(0);
    const next = this.LA(1);
    return next.tokenType === StringLiteral && next.startOffset > endOf(text) && this.lineBreakBefore(next);
  }

  /** Whether a line ends between a token and the one before it. The parser of the whole language knows the text. */
  protected lineBreakBefore(_token: IToken): boolean {
    return false;
  }

  #isDifferenceUnit(items: readonly Expression[]): boolean {
    const [operand] = items;
    const isDifference = items.length === 1 && operand?.kind === 'binary' && operand.operator === '-';
    return isDifference && differenceUnits.has(this.LA(1).image.toLowerCase());
  }
}

interface CallArguments {
  readonly arguments: readonly Expression[];
  readonly star: boolean;
  readonly distinct: boolean;
  readonly unit: Identifier | null;
  readonly filter: Expression | null;
}

export function identifierOf(token: IToken): Identifier {
  const quoted = token.tokenType === QuotedIdentifier;
  const name = quoted ? token.image.slice(1, -1).replaceAll('""', '"') : token.image.toLowerCase();
  return { name, quoted, span: spanOf(token) };
}

/** The text of a string literal without its quotes. */
export function unquote(image: string): string {
  return image.slice(1, -1).replaceAll("''", "'");
}

export function spanOf(token: IToken): Span {
  return { start: token.startOffset, end: endOf(token) };
}

export function cover(first: Span, last: Span): Span {
  return { start: first.start, end: last.end };
}

function endOf(token: IToken): number {
  return token.startOffset + token.image.length;
}

function wordIdentifier(word: IToken): Identifier {
  return { name: word.image.toLowerCase(), quoted: false, span: spanOf(word) };
}

function binary(operator: BinaryOperator, left: Expression, right: Expression): Expression {
  return { kind: 'binary', operator, left, right, span: cover(left.span, right.span) };
}

function operatorOf(token: IToken): BinaryOperator {
  // SAFETY: the grammar reads only operators here, and != is the other spelling of <>.
  return (token.image === '!=' ? '<>' : token.image) as BinaryOperator;
}

function likeFunction(word: IToken): 'like' | 'ilike' | 'rlike' {
  if (word.tokenType === keyword('LIKE')) return 'like';
  return word.tokenType === keyword('ILIKE') ? 'ilike' : 'rlike';
}

function trimFunction(side: IToken | undefined): string {
  if (side?.tokenType === keyword('LEADING')) return 'ltrim';
  return side?.tokenType === keyword('TRAILING') ? 'rtrim' : 'trim';
}
