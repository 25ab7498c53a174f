// Grammar of names and types: the first of the grammar classes, each of which extends the one before it.
//
//   names → literals → windows → calls → operands → expressions → windows of time → PIVOT → FROM → GROUP BY → queries →
//   definitions of tables → statements (the parser)
//
// The parser builds ast.ts directly. Rule bodies also run without input, to find out what they read (rule-recorder.ts): whatever
// looks at results stands inside ACTION. Not here: what is refused on sight (unsupported-syntax.ts).
import type { ExcludedColumn, Identifier, TypeName, TypePart } from './ast.ts';
import type { ParserMethod } from './chevrotain-grammar.ts';
import { LazyGrammar } from './lazy-grammar.ts';
import type { Span } from './span.ts';
import { endOf, identifierOf } from './token-text.ts';
import { ColumnWord, type IToken, keyword, Name, NumberLiteral, symbol } from './tokens.ts';

export type Rule<T> = ParserMethod<[], T>;

export abstract class NameGrammar extends LazyGrammar {
  readonly identifier: Rule<Identifier> = this.RULE('identifier', () => {
    const token = this.CONSUME(Name);
    return this.ACTION(() => identifierOf(token));
  });

  /** The name of a column, which some reserved words may be. */
  readonly columnName: Rule<Identifier> = this.RULE('columnName', () => {
    const token = this.OR([{ ALT: () => this.CONSUME(Name) }, { ALT: () => this.CONSUME(ColumnWord) }]);
    return this.ACTION(() => identifierOf(token));
  });

  readonly nameList: Rule<Identifier[]> = this.RULE('nameList', () => {
    const names: Identifier[] = [];
    this.CONSUME(symbol('('));
    this.AT_LEAST_ONE_SEP({
      SEP: symbol(','),
      DEF: () => {
        names.push(this.SUBRULE(this.columnName));
      },
    });
    this.CONSUME(symbol(')'));
    return names;
  });

  /** (a, t.b), behind EXCLUDE. */
  readonly excludedNames: Rule<ExcludedColumn[]> = this.RULE('excludedNames', () => {
    const names: ExcludedColumn[] = [];
    this.CONSUME(symbol('('));
    this.AT_LEAST_ONE_SEP({
      SEP: symbol(','),
      DEF: () => {
        const first = this.SUBRULE(this.columnName);
        const second = this.OPTION(() => {
          this.CONSUME(symbol('.'));
          return this.SUBRULE2(this.columnName);
        });
        this.ACTION(() => names.push({ ...(second ?? first), table: second === undefined ? null : first.name }));
      },
    });
    this.CONSUME(symbol(')'));
    return names;
  });

  readonly typeName: Rule<TypeName> = this.RULE('typeName', () => {
    const start = this.LA(1);
    const words: IToken[] = [];
    const parameters: number[] = [];
    const parts: TypePart[] = [];
    let arrays = 0;
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
    this.OPTION5({
      // Behind any other type it compares: x::INT < 5.
      GATE: () => this.LA(0).image.toUpperCase() === 'MAP',
      DEF: () => {
        this.CONSUME(symbol('<'));
        this.AT_LEAST_ONE_SEP2({
          SEP: symbol(','),
          DEF: () => {
            parts.push({ name: null, type: this.SUBRULE(this.typeName) });
          },
        });
        this.CONSUME(symbol('>'));
      },
    });
    this.OPTION3(() => {
      this.CONSUME(symbol('('));
      this.AT_LEAST_ONE_SEP({
        SEP: symbol(','),
        DEF: () => {
          this.OR4([
            {
              ALT: () => {
                const number = this.CONSUME(NumberLiteral);
                this.ACTION(() => parameters.push(Number(number.image)));
              },
            },
            {
              ALT: () => {
                const name = this.SUBRULE(this.columnName);
                const type = this.SUBRULE2(this.typeName);
                const nullable = this.OPTION6(() => {
                  const not = this.OPTION7(() => this.CONSUME(keyword('NOT')));
                  this.CONSUME(keyword('NULL'));
                  return not === undefined;
                });
                parts.push({ name, type, nullable: nullable ?? false });
              },
            },
          ]);
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
    this.MANY(() => {
      this.CONSUME(keyword('ARRAY'));
      arrays++;
    });
    return this.ACTION(() => {
      const name = words.map((word) => word.image.toLowerCase()).join(' ');
      return { name, parameters, parts, arrays, span: this.spanFrom(start) };
    });
  });

  /** From a token that has been read to the last one that has been read. */
  protected spanFrom(start: IToken): Span {
    return { start: start.startOffset, end: endOf(this.LA(0)) };
  }
}
