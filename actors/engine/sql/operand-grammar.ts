// Grammar of operands and arithmetic: primaries, [index], ::type, .field, unary and binary operators up to + and -.
import type { BinaryOperator, Expression } from './ast.ts';
import { CallGrammar } from './call-grammar.ts';
import { callExpression } from './made-syntax.ts';
import type { Rule } from './name-grammar.ts';
import { cover, spanOf, unquote, wordIdentifier } from './token-text.ts';
import { type IToken, keyword, Name, ReadExpression, StringLiteral, symbol } from './tokens.ts';

/** Types of literals of which the grammar of constants knows nothing. */
const literalTypes: ReadonlySet<string> = new Set(['uuid', 'real', 'double', 'float']);
const differenceUnits: ReadonlySet<string> = new Set(['year', 'month', 'day', 'hour', 'minute', 'second']);

export abstract class OperandGrammar extends CallGrammar {
  override readonly sum: Rule<Expression> = this.RULE('sum', () => {
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
            const field = this.SUBRULE(this.columnName);
            this.ACTION(() => {
              const index: Expression = { kind: 'string', value: field.name, span: field.span };
              operand = { kind: 'element', operand, index, span: this.spanFrom(start) };
            });
          },
        },
        {
          // doc -> 'field', doc ->> 'field'; in a list of arguments a name before the first one makes a lambda of it.
          ALT: () => {
            const arrow = this.OR2([
              { ALT: () => this.CONSUME(symbol('->>')) },
              { ALT: () => this.CONSUME(symbol('->')) },
            ]);
            const key = this.SUBRULE2(this.primary);
            this.ACTION(() => {
              const name = arrow.tokenType === symbol('->>') ? 'json_as_text' : 'json_get';
              operand = callExpression(name, [operand, key], this.spanFrom(start));
            });
          },
        },
      ]);
    });
    return operand;
  });

  readonly primary: Rule<Expression> = this.RULE('primary', () =>
    this.OR({
      DEF: [
        {
          ALT: () => {
            const token = this.CONSUME(ReadExpression);
            // SAFETY: the token carries what deep-groups.ts has read for it.
            return this.ACTION(() => token.payload as Expression);
          },
        },
        { ALT: () => this.SUBRULE(this.constant) },
        { ALT: () => this.SUBRULE(this.caseExpression) },
        { ALT: () => this.SUBRULE(this.castExpression) },
        { GATE: () => this.#isCall(), IGNORE_AMBIGUITIES: true, ALT: () => this.SUBRULE(this.extractExpression) },
        { GATE: () => this.#isCall(), IGNORE_AMBIGUITIES: true, ALT: () => this.SUBRULE(this.trimCall) },
        { GATE: () => this.#isCall(), IGNORE_AMBIGUITIES: true, ALT: () => this.SUBRULE(this.substringCall) },
        { GATE: () => this.#isCall(), IGNORE_AMBIGUITIES: true, ALT: () => this.SUBRULE(this.positionCall) },
        { GATE: () => this.#isCall(), IGNORE_AMBIGUITIES: true, ALT: () => this.SUBRULE(this.overlayCall) },
        {
          // ARRAY(SELECT …); a column may be named map.
          GATE: () => this.LA(2).tokenType === symbol('(') && this.startsQuery(3),
          IGNORE_AMBIGUITIES: true,
          ALT: () => {
            const word = this.OR2([
              { ALT: () => this.CONSUME2(keyword('ARRAY')) },
              { ALT: () => this.CONSUME2(keyword('MAP')) },
            ]);
            this.CONSUME4(symbol('('));
            const query = this.SUBRULE3(this.query);
            this.CONSUME4(symbol(')'));
            return this.ACTION((): Expression => {
              const collection = word.tokenType === keyword('MAP') ? 'map' : 'array';
              return { kind: 'collection query', collection, query, span: this.spanFrom(word) };
            });
          },
        },
        {
          GATE: () => this.LA(2).tokenType !== symbol('['),
          IGNORE_AMBIGUITIES: true,
          ALT: () => {
            const word = this.OR3([
              { ALT: () => this.CONSUME(keyword('LEFT')) },
              { ALT: () => this.CONSUME(keyword('RIGHT')) },
              { ALT: () => this.CONSUME(keyword('RLIKE')) },
              { ALT: () => this.CONSUME(keyword('ARRAY')) },
              { ALT: () => this.CONSUME(keyword('GROUPING')) },
            ]);
            const call = this.SUBRULE(this.callArguments);
            return this.ACTION(
              (): Expression => ({ kind: 'call', name: wordIdentifier(word), ...call, span: this.spanFrom(word) }),
            );
          },
        },
        {
          ALT: () => {
            const start = this.CONSUME(keyword('EXISTS'));
            this.CONSUME3(symbol('('));
            const query = this.SUBRULE2(this.query);
            this.CONSUME3(symbol(')'));
            return this.ACTION((): Expression => ({ kind: 'exists', query, span: this.spanFrom(start) }));
          },
        },
        {
          GATE: () => this.startsQuery(2),
          ALT: () => {
            const start = this.CONSUME(symbol('('));
            const query = this.SUBRULE(this.query);
            this.CONSUME(symbol(')'));
            return this.ACTION((): Expression => ({ kind: 'scalar query', query, span: this.spanFrom(start) }));
          },
        },
        { ALT: () => this.SUBRULE(this.parenthesized) },
        {
          // A column may be named map.
          GATE: () => [this.LA(1), this.LA(2)].some(({ tokenType }) => tokenType === symbol('[')),
          IGNORE_AMBIGUITIES: true,
          ALT: () => this.SUBRULE(this.bracketList),
        },
        {
          GATE: () => this.LA(2).tokenType === symbol('{'),
          IGNORE_AMBIGUITIES: true,
          ALT: () => this.SUBRULE(this.bracedMap),
        },
        {
          GATE: () => literalTypes.has(this.LA(1).image.toLowerCase()) && this.LA(2).tokenType === StringLiteral,
          IGNORE_AMBIGUITIES: true,
          ALT: () => this.SUBRULE(this.typedLiteral),
        },
        { ALT: () => this.SUBRULE(this.nameOrCall) },
      ],
      ERR_MSG: 'an expression',
    }),
  );

  /** UUID '…', REAL '1.23': a cast of the text. */
  readonly typedLiteral: Rule<Expression> = this.RULE('typedLiteral', () => {
    const word = this.CONSUME(Name);
    const literal = this.CONSUME(StringLiteral);
    return this.ACTION((): Expression => {
      const operand: Expression = { kind: 'string', value: unquote(literal.image), span: spanOf(literal) };
      const name = word.image.toLowerCase();
      const type = { name, parameters: [], parts: [], arrays: 0, span: spanOf(word) };
      return { kind: 'cast', operand, type, safe: false, span: this.spanFrom(word) };
    });
  });

  /** MAP {k: v}, which is MAP[k, v]. */
  readonly bracedMap: Rule<Expression> = this.RULE('bracedMap', () => {
    const word = this.CONSUME(keyword('MAP'));
    const items: Expression[] = [];
    this.CONSUME(symbol('{'));
    this.AT_LEAST_ONE_SEP({
      SEP: symbol(','),
      DEF: () => {
        items.push(this.SUBRULE(this.expression));
        this.CONSUME(symbol(':'));
        items.push(this.SUBRULE2(this.expression));
      },
    });
    this.CONSUME(symbol('}'));
    return this.ACTION((): Expression => this.callOf('map', word, items));
  });

  /** ARRAY[a, b], [a, b] and MAP[k, v]. */
  readonly bracketList: Rule<Expression> = this.RULE('bracketList', () => {
    const start = this.LA(1);
    const word = this.OPTION(() =>
      this.OR([{ ALT: () => this.CONSUME(keyword('ARRAY')) }, { ALT: () => this.CONSUME(keyword('MAP')) }]),
    );
    const items: Expression[] = [];
    this.CONSUME(symbol('['));
    this.MANY_SEP({
      SEP: symbol(','),
      DEF: () => {
        items.push(this.SUBRULE(this.expression));
      },
    });
    this.CONSUME(symbol(']'));
    return this.ACTION((): Expression => this.callOf(word?.image.toLowerCase() ?? 'array', start, items));
  });

  override readonly parenthesized: Rule<Expression> = this.RULE('parenthesized', () => {
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
      DEF: () => {
        const from = this.SUBRULE(this.identifier);
        const to = this.OPTION2(() => {
          this.CONSUME(keyword('TO'));
          return this.SUBRULE2(this.identifier);
        });
        return { from, to: to ?? null };
      },
    });
    return this.ACTION((): Expression => {
      const [operand] = items;
      const span = this.spanFrom(start);
      if (operand === undefined || items.length > 1) return this.callOf('row', start, items);
      if (unit !== undefined) return { kind: 'difference', operand, ...unit, span };
      // The text of what it is part of must not lose a parenthesis; errors about a name point at the name itself.
      return operand.kind === 'name' ? operand : { ...operand, span };
    });
  });

  /** A word before a parenthesis; else it may be the name of a column. */
  #isCall(): boolean {
    return this.LA(2).tokenType === symbol('(');
  }

  #isDifferenceUnit(items: readonly Expression[]): boolean {
    const [operand] = items;
    const isDifference = items.length === 1 && operand?.kind === 'binary' && operand.operator === '-';
    return isDifference && differenceUnits.has(this.LA(1).image.toLowerCase().replace(/s$/, ''));
  }
}

export function binary(operator: BinaryOperator, left: Expression, right: Expression): Expression {
  return { kind: 'binary', operator, left, right, span: cover(left.span, right.span) };
}

/** The longest chain that is kept as it is written, each operator below the one behind it. */
const leaningMax = 32;

/** A chain of an operator for which it is all one where the parentheses are: a long one as a tree of few levels, in the same order. */
export function chain(operator: 'and' | 'or', operands: readonly Expression[]): Expression {
  if (operands.length <= leaningMax) return operands.reduce((left, right) => binary(operator, left, right));
  const middle = operands.length >> 1;
  return binary(operator, chain(operator, operands.slice(0, middle)), chain(operator, operands.slice(middle)));
}

export function operatorOf(token: IToken): BinaryOperator {
  // SAFETY: the grammar reads only operators here, and != is the other spelling of <>.
  return (token.image === '!=' ? '<>' : token.image) as BinaryOperator;
}
