// Grammar of what stands inside of CREATE TABLE: columns with what is said of each, constraints, and properties behind WITH.
import type { Expression, Identifier, UnsupportedExpression } from './ast.ts';
import type { Rule } from './name-grammar.ts';
import { QueryGrammar } from './query-grammar.ts';
import type { ColumnDefinition, Property, TableElement } from './statement-syntax.ts';
import { spanOf, unquote } from './token-text.ts';
import { type IToken, keyword, StringLiteral, symbol } from './tokens.ts';

export abstract class TableDefinitionGrammar extends QueryGrammar {
  readonly tableElement: Rule<TableElement> = this.RULE('tableElement', () =>
    this.OR({
      DEF: [
        {
          ALT: () => {
            const column = this.SUBRULE(this.columnDefinition);
            return this.ACTION((): TableElement => ({ kind: 'column', column }));
          },
        },
        { ALT: () => this.SUBRULE(this.tableConstraint) },
      ],
      ERR_MSG: 'the name of a column',
    }),
  );

  readonly tableConstraint: Rule<TableElement> = this.RULE('tableConstraint', () => {
    const start = this.LA(1);
    this.OPTION(() => {
      this.CONSUME(keyword('CONSTRAINT'));
      this.SUBRULE(this.identifier);
    });
    return this.OR([
      {
        ALT: () => {
          this.CONSUME(keyword('PRIMARY'));
          this.CONSUME(keyword('KEY'));
          const columns = this.SUBRULE(this.nameList);
          return this.ACTION((): TableElement => ({ kind: 'primary key', columns, span: this.spanFrom(start) }));
        },
      },
      {
        ALT: () => {
          this.CONSUME(keyword('FOREIGN'));
          this.CONSUME2(keyword('KEY'));
          this.SUBRULE2(this.nameList);
          this.SUBRULE(this.references);
          return { kind: 'ignored' as const };
        },
      },
      {
        ALT: () => {
          const check = this.CONSUME(keyword('CHECK'));
          this.CONSUME(symbol('('));
          this.SUBRULE(this.expression);
          this.CONSUME(symbol(')'));
          return unsupported(check, 'CHECK', 'filter the rows in a view');
        },
      },
      {
        ALT: () => {
          this.CONSUME(keyword('UNIQUE'));
          this.SUBRULE3(this.nameList);
          return { kind: 'ignored' as const };
        },
      },
    ]);
  });

  readonly references: Rule<void> = this.RULE('references', () => {
    this.CONSUME(keyword('REFERENCES'));
    this.SUBRULE(this.identifier);
    this.OPTION(() => this.SUBRULE(this.nameList));
  });

  readonly columnDefinition: Rule<ColumnDefinition> = this.RULE('columnDefinition', () => {
    const name: Identifier = this.SUBRULE(this.columnName);
    const type = this.SUBRULE(this.typeName);
    let nullable: boolean | null = null;
    let primaryKey = false;
    let defaultValue: Expression | null = null;
    let lateness: Expression | null = null;
    let watermark: Expression | null = null;
    let refused: UnsupportedExpression | null = null;
    /** The first word of each of them. */
    const said: IToken[] = [];
    this.MANY(() =>
      this.OR([
        {
          ALT: () => {
            said.push(this.CONSUME(keyword('NOT')));
            this.CONSUME(keyword('NULL'));
            nullable = false;
          },
        },
        {
          ALT: () => {
            said.push(this.CONSUME2(keyword('NULL')));
            nullable = true;
          },
        },
        {
          ALT: () => {
            said.push(this.CONSUME(keyword('PRIMARY')));
            this.CONSUME(keyword('KEY'));
            primaryKey = true;
          },
        },
        {
          ALT: () => {
            said.push(this.CONSUME(keyword('DEFAULT')));
            defaultValue = this.SUBRULE(this.expression);
          },
        },
        {
          ALT: () => {
            this.OPTION(() => {
              this.CONSUME(keyword('FOREIGN'));
              this.CONSUME2(keyword('KEY'));
            });
            this.SUBRULE(this.references);
          },
        },
        {
          ALT: () => {
            said.push(this.CONSUME(keyword('LATENESS')));
            lateness = this.SUBRULE2(this.expression);
          },
        },
        {
          ALT: () => {
            said.push(this.CONSUME(keyword('WATERMARK')));
            watermark = this.SUBRULE3(this.expression);
          },
        },
        {
          ALT: () => {
            const word = this.CONSUME(keyword('CHECK'));
            this.CONSUME(symbol('('));
            this.SUBRULE4(this.expression);
            this.CONSUME(symbol(')'));
            refused = unsupported(word, 'CHECK', 'filter the rows in a view');
          },
        },
        {
          ALT: () => {
            // A statement about the data, as FOREIGN KEY is: read and left aside.
            this.CONSUME(keyword('UNIQUE'));
          },
        },
        { ALT: () => this.CONSUME(keyword('INTERNED')) },
      ]),
    );
    return this.ACTION(() => ({
      name,
      type,
      nullable,
      primaryKey,
      default: defaultValue,
      lateness,
      watermark,
      unsupported: refused,
      repeated: repeatedOf(said),
      span: { start: name.span.start, end: this.LA(0).startOffset + this.LA(0).image.length },
    }));
  });

  readonly properties: Rule<Property[]> = this.RULE('properties', () => {
    const properties: Property[] = [];
    this.CONSUME(keyword('WITH'));
    this.CONSUME(symbol('('));
    this.AT_LEAST_ONE_SEP({
      SEP: symbol(','),
      DEF: () => {
        const key = this.CONSUME(StringLiteral);
        this.CONSUME(symbol('='));
        const value = this.SUBRULE(this.stringLiteral);
        this.ACTION(() =>
          properties.push({
            key: unquote(key.image),
            value: value.value,
            keySpan: spanOf(key),
            valueSpan: value.span,
          }),
        );
      },
    });
    this.CONSUME(symbol(')'));
    return properties;
  });
}

/** What is said of a column a second time; that it is NULL and that it is NOT NULL are one thing. */
function repeatedOf(said: readonly IToken[]): ColumnDefinition['repeated'] {
  const words = said.map((token) => {
    const word = token.image.toUpperCase();
    return word === 'PRIMARY' ? 'PRIMARY KEY' : word === 'NOT' ? 'NULL' : word;
  });
  const at = words.findIndex((word, i) => words.indexOf(word) < i);
  const token = said[at];
  if (token === undefined) return null;
  const what = token.tokenType === keyword('NOT') ? 'NOT NULL' : (words[at] ?? '');
  return { what, span: spanOf(token) };
}

function unsupported(token: IToken, construct: string, instead: string): UnsupportedExpression {
  return { kind: 'unsupported', construct, instead, span: spanOf(token) };
}
