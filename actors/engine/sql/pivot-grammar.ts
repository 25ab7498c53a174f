// Grammar of PIVOT and UNPIVOT, without the table that they turn.
import type { Expression, Identifier, Pivot, Unpivot } from './ast.ts';
import type { Rule } from './name-grammar.ts';
import type { Span } from './span.ts';
import { keyword, symbol } from './tokens.ts';
import { WindowTableGrammar } from './window-table-grammar.ts';

export abstract class PivotGrammar extends WindowTableGrammar {
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

  protected startsPivot(): boolean {
    const [type, next] = [this.LA(1).tokenType, this.LA(2).tokenType];
    if (type === keyword('PIVOT')) return next === symbol('(');
    const hasNulls = next === keyword('INCLUDING') || next === keyword('EXCLUDING');
    return type === keyword('UNPIVOT') && (next === symbol('(') || hasNulls);
  }
}
