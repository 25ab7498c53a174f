// Grammar of statements: CREATE TABLE and CREATE VIEW. The parser of the whole language.
//
// One parser is made per thread, at the first program (parse.ts); making it costs a few milliseconds.

import type { Identifier, TypeName, TypePart } from './ast.ts';
import { type IParserErrorMessageProvider, type IRecognitionException, tokenLabel } from './chevrotain-grammar.ts';
import type { InsertStatement } from './insert-statement.ts';
import type { GrammarUse } from './lazy-grammar.ts';
import type { Rule } from './name-grammar.ts';
import type { DeclareRecursive, SetOption, Statement, TableElement, ViewLateness } from './statement-syntax.ts';
import { TableDefinitionGrammar } from './table-definition-grammar.ts';
import { type IToken, isColumnName, keyword, symbol, type TokenType } from './tokens.ts';

export type { IRecognitionException };

export class SqlParser extends TableDefinitionGrammar {
  #text = '';

  /** `validate` checks the grammar for ambiguities and left recursion, which takes long: for tests. */
  constructor(options: { readonly use?: GrammarUse; readonly validate?: boolean } = {}) {
    const { validate = false, use = validate ? 'analyse' : 'parse' } = options;
    const config = {
      errorMessageProvider: expectations,
      nodeLocationTracking: 'none',
      recoveryEnabled: false,
      skipValidations: !validate,
    } as const;
    super(config, use);
    this.performSelfAnalysis();
  }

  protected override twin(use: GrammarUse): SqlParser {
    return new SqlParser({ use });
  }

  /** Gives the parser tokens, and the text that they come from. */
  read(text: string, tokens: readonly IToken[]): void {
    this.#text = text;
    this.input = [...tokens];
  }

  readonly statement: Rule<Statement> = this.RULE('statement', () => {
    const start = this.CONSUME(keyword('CREATE'));
    return this.OR({
      DEF: [
        {
          ALT: () => {
            this.CONSUME(keyword('TABLE'));
            const name = this.SUBRULE(this.identifier);
            const elements: TableElement[] = [];
            this.CONSUME(symbol('('));
            this.AT_LEAST_ONE_SEP({
              SEP: symbol(','),
              DEF: () => {
                elements.push(this.SUBRULE(this.tableElement));
              },
            });
            this.CONSUME(symbol(')'));
            const properties = this.OPTION(() => this.SUBRULE(this.properties));
            return this.ACTION(
              (): Statement => ({
                kind: 'create table',
                name,
                elements,
                properties: properties ?? [],
                span: this.spanFrom(start),
              }),
            );
          },
        },
        {
          ALT: () => {
            this.CONSUME(keyword('INDEX'));
            const name = this.SUBRULE8(this.identifier);
            this.CONSUME(keyword('ON'));
            const relation = this.SUBRULE9(this.identifier);
            const columns = this.SUBRULE9(this.nameList);
            return this.ACTION(
              (): Statement => ({ kind: 'create index', name, relation, columns, span: this.spanFrom(start) }),
            );
          },
        },
        {
          ALT: () => {
            this.CONSUME(keyword('TYPE'));
            const name = this.SUBRULE3(this.identifier);
            this.CONSUME2(keyword('AS'));
            const type = this.OR3([
              { ALT: () => this.SUBRULE(this.fieldList) },
              {
                ALT: () => {
                  const other = this.SUBRULE(this.typeName);
                  // Whether a value may be NULL is said by the columns of the type.
                  this.OPTION8(() => {
                    this.OPTION9(() => this.CONSUME2(keyword('NOT')));
                    this.CONSUME2(keyword('NULL'));
                  });
                  return other;
                },
              },
            ]);
            return this.ACTION((): Statement => ({ kind: 'create type', name, type, span: this.spanFrom(start) }));
          },
        },
        {
          ALT: () => {
            this.CONSUME(keyword('FUNCTION'));
            const name = this.SUBRULE4(this.identifier);
            const parameters = this.SUBRULE(this.parameters);
            this.CONSUME(keyword('RETURNS'));
            const returns = this.SUBRULE2(this.typeName);
            this.OPTION5(() => {
              this.OPTION6(() => this.CONSUME(keyword('NOT')));
              this.CONSUME(keyword('NULL'));
            });
            const body = this.OPTION7(() => {
              this.CONSUME3(keyword('AS'));
              return this.SUBRULE(this.expression);
            });
            return this.ACTION(
              (): Statement => ({
                kind: 'create function',
                name,
                parameters,
                returns,
                body: body ?? null,
                span: this.spanFrom(start),
              }),
            );
          },
        },
        {
          ALT: () => {
            const qualifier = this.OPTION2(() =>
              this.OR2([
                { ALT: () => this.CONSUME(keyword('MATERIALIZED')) },
                { ALT: () => this.CONSUME(keyword('LOCAL')) },
              ]),
            );
            this.CONSUME(keyword('VIEW'));
            const name = this.SUBRULE2(this.identifier);
            const columns = this.OPTION3(() => this.SUBRULE(this.nameList));
            const properties = this.OPTION4(() => this.SUBRULE2(this.properties));
            this.CONSUME(keyword('AS'));
            const query = this.SUBRULE(this.query);
            return this.ACTION(
              (): Statement => ({
                kind: 'create view',
                view: viewKind(qualifier),
                name,
                columns: columns ?? null,
                properties: properties ?? [],
                query,
                span: this.spanFrom(start),
              }),
            );
          },
        },
      ],
      ERR_MSG: 'TABLE, TYPE, FUNCTION or [MATERIALIZED | LOCAL] VIEW',
    });
  });

  /** LATENESS v.ts INTERVAL '1' HOUR */
  readonly viewLateness: Rule<ViewLateness> = this.RULE('viewLateness', () => {
    const start = this.CONSUME(keyword('LATENESS'));
    const name = this.SUBRULE(this.identifier);
    this.CONSUME(symbol('.'));
    const column = this.SUBRULE2(this.identifier);
    const lateness = this.SUBRULE(this.expression);
    return this.ACTION(() => ({ kind: 'lateness' as const, name, column, lateness, span: this.spanFrom(start) }));
  });

  /** SET name = ON, SET name = OFF, SET name = literal */
  readonly setOption: Rule<SetOption> = this.RULE('setOption', () => {
    const start = this.CONSUME(keyword('SET'));
    const name = this.SUBRULE(this.identifier);
    this.CONSUME(symbol('='));
    this.OR([{ ALT: () => this.CONSUME(keyword('ON')) }, { ALT: () => this.SUBRULE(this.sum) }]);
    return this.ACTION(() => ({ kind: 'set option' as const, name, span: this.spanFrom(start) }));
  });

  /** DECLARE RECURSIVE VIEW v (a INTEGER NOT NULL, …) */
  readonly declareRecursive: Rule<DeclareRecursive> = this.RULE('declareRecursive', () => {
    const start = this.CONSUME(keyword('DECLARE'));
    this.CONSUME(keyword('RECURSIVE'));
    this.CONSUME(keyword('VIEW'));
    const name = this.SUBRULE(this.identifier);
    const columns: { name: Identifier; type: TypeName; nullable: boolean }[] = [];
    this.CONSUME(symbol('('));
    this.AT_LEAST_ONE_SEP({
      SEP: symbol(','),
      DEF: () => {
        const column = this.SUBRULE2(this.columnName);
        const type = this.SUBRULE(this.typeName);
        // A hint, as in tables.
        this.OPTION3(() => this.CONSUME(keyword('INTERNED')));
        const not = this.OPTION(() => {
          const word = this.OPTION2(() => this.CONSUME(keyword('NOT')));
          this.CONSUME(keyword('NULL'));
          return word;
        });
        columns.push({ name: column, type, nullable: not === undefined });
      },
    });
    this.CONSUME(symbol(')'));
    return this.ACTION(() => ({ kind: 'declare recursive' as const, name, columns, span: this.spanFrom(start) }));
  });

  /** By itself, never in a program. */
  readonly insert: Rule<InsertStatement> = this.RULE('insert', () => {
    const start = this.CONSUME(keyword('INSERT'));
    this.CONSUME(keyword('INTO'));
    const table = this.SUBRULE(this.identifier);
    const columns = this.OPTION({
      // What else begins with a parenthesis is a query.
      GATE: () => isColumnName(this.LA(2)),
      DEF: () => this.SUBRULE(this.nameList),
    });
    const query = this.SUBRULE(this.query);
    return this.ACTION(() => ({ table, columns: columns ?? null, query, span: this.spanFrom(start) }));
  });

  /** (a INTEGER, b VARCHAR NOT NULL) of a function, or (). */
  readonly parameters: Rule<{ name: Identifier; type: TypeName }[]> = this.RULE('parameters', () => {
    const parameters: { name: Identifier; type: TypeName }[] = [];
    this.CONSUME(symbol('('));
    this.MANY_SEP({
      SEP: symbol(','),
      DEF: () => {
        const name = this.SUBRULE(this.identifier);
        const type = this.SUBRULE(this.typeName);
        this.OPTION(() => {
          this.OPTION2(() => this.CONSUME(keyword('NOT')));
          this.CONSUME(keyword('NULL'));
        });
        parameters.push({ name, type });
      },
    });
    this.CONSUME(symbol(')'));
    return parameters;
  });

  /** (a INTEGER, b VARCHAR NOT NULL): a ROW without its word. */
  readonly fieldList: Rule<TypeName> = this.RULE('fieldList', () => {
    const start = this.CONSUME(symbol('('));
    const parts: TypePart[] = [];
    this.AT_LEAST_ONE_SEP({
      SEP: symbol(','),
      DEF: () => {
        const name = this.SUBRULE(this.identifier);
        const type = this.SUBRULE(this.typeName);
        const nullable = this.OPTION(() => {
          const not = this.OPTION2(() => this.CONSUME(keyword('NOT')));
          this.CONSUME(keyword('NULL'));
          return not === undefined;
        });
        parts.push({ name, type, nullable: nullable ?? true });
      },
    });
    this.CONSUME(symbol(')'));
    return this.ACTION(() => ({ name: 'row', parameters: [], parts, arrays: 0, span: this.spanFrom(start) }));
  });

  protected override lineBreakBefore(token: IToken): boolean {
    const before = this.LA(0);
    return this.#text.slice(before.startOffset + before.image.length, token.startOffset).includes('\n');
  }
}

/** Messages of the parser are what it expected, in plain words; parse.ts makes errors of them. */
const expectations: IParserErrorMessageProvider = {
  buildMismatchTokenMessage: ({ expected }) => tokenLabel(expected),
  buildNotAllInputParsedMessage: () => '',
  buildNoViableAltMessage: ({ expectedPathsPerAlt, customUserDescription }) =>
    customUserDescription ?? listTokens(expectedPathsPerAlt.flat()),
  buildEarlyExitMessage: ({ expectedIterationPaths, customUserDescription }) =>
    customUserDescription ?? listTokens(expectedIterationPaths),
};

function listTokens(paths: readonly (readonly TokenType[])[]): string {
  const labels = [...new Set(paths.map(([first]) => (first === undefined ? '' : tokenLabel(first))))];
  const last = labels.pop() ?? '';
  if (labels.length > 6) return '';
  return labels.length === 0 ? last : `${labels.join(', ')} or ${last}`;
}

function viewKind(qualifier: IToken | undefined): 'view' | 'materialized' | 'local' {
  if (qualifier === undefined) return 'view';
  return qualifier.tokenType === keyword('MATERIALIZED') ? 'materialized' : 'local';
}
