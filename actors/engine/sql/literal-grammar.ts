// Grammar of literals: numbers, strings, bytes, dates, intervals.
import type { Expression, Identifier, TemporalKeyword } from './ast.ts';
import { NameGrammar, type Rule } from './name-grammar.ts';
import { spanOf, unquote } from './token-text.ts';
import { BinaryLiteral, type IToken, keyword, NumberLiteral, StringLiteral, symbol, UnicodeLiteral } from './tokens.ts';
import { unescaped } from './unicode-escapes.ts';

export abstract class LiteralGrammar extends NameGrammar {
  // Defined by the grammars that extend this one.
  declare readonly parenthesized: Rule<Expression>;
  declare readonly nameOrCall: Rule<Expression>;

  readonly constant: Rule<Expression> = this.RULE('constant', () =>
    this.OR([
      {
        ALT: () => {
          const token = this.CONSUME(NumberLiteral);
          return this.ACTION((): Expression => ({ kind: 'number', text: token.image, span: spanOf(token) }));
        },
      },
      { ALT: () => this.SUBRULE(this.stringLiteral) },
      {
        ALT: () => {
          const token = this.CONSUME(UnicodeLiteral);
          return this.ACTION(
            (): Expression => ({ kind: 'string', value: unescaped(token.image), span: spanOf(token) }),
          );
        },
      },
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
          // An offset in the text is taken off in any case.
          const zone = this.OPTION(() => {
            this.CONSUME(keyword('WITH'));
            this.CONSUME2(keyword('TIME'));
            return this.CONSUME(keyword('ZONE'));
          });
          const literal = this.CONSUME(StringLiteral);
          return this.ACTION((): Expression => {
            // SAFETY: the three keywords above are the three temporal keywords.
            const type = token.image.toUpperCase() as TemporalKeyword;
            const zoned = zone !== undefined;
            return { kind: 'typed literal', type, zoned, text: unquote(literal.image), span: this.spanFrom(token) };
          });
        },
      },
      { ALT: () => this.SUBRULE(this.intervalLiteral) },
    ]),
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
      DEF: [
        { ALT: () => ({ literal: this.CONSUME(StringLiteral) }) },
        { ALT: () => ({ literal: this.CONSUME(NumberLiteral) }) },
        { ALT: () => ({ operand: this.SUBRULE(this.parenthesized) }) },
        { ALT: () => ({ operand: this.SUBRULE(this.nameOrCall) }) },
      ],
      ERR_MSG: "a number of units, such as '5'",
    });
    const from = this.SUBRULE(this.intervalUnit);
    const to = this.OPTION2(() => {
      this.CONSUME(keyword('TO'));
      return this.SUBRULE2(this.intervalUnit);
    });
    return this.ACTION((): Expression => {
      const rest = { negative: minus !== undefined, from, to: to ?? null, span: this.spanFrom(start) };
      if ('operand' in amount) return { kind: 'interval value', operand: amount.operand, ...rest };
      const { tokenType, image } = amount.literal;
      return { kind: 'interval', text: tokenType === StringLiteral ? unquote(image) : image, ...rest };
    });
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

  #onNextLine(): boolean {
    return this.LA(1).tokenType === StringLiteral && this.lineBreakBefore(this.LA(1));
  }

  /** Whether a line ends between a token and the one before it. The parser of the whole language knows the text. */
  protected lineBreakBefore(_token: IToken): boolean {
    return false;
  }
}
