// Grammar of windows and orders: OVER (…), frames, ORDER BY items.
import type {
  Expression,
  FrameBoundary,
  FrameClause,
  OrderItem,
  WindowExpression,
  WindowSpecification,
} from './ast.ts';
import { LiteralGrammar } from './literal-grammar.ts';
import type { Rule } from './name-grammar.ts';
import { spanOf } from './token-text.ts';
import { keyword, symbol } from './tokens.ts';

export abstract class WindowGrammar extends LiteralGrammar {
  // Defined by the grammars that extend this one.
  declare readonly expression: Rule<Expression>;
  declare readonly sum: Rule<Expression>;

  protected startsOver(): boolean {
    const type = this.LA(1).tokenType;
    if (type === keyword('OVER')) return true;
    const word = type === keyword('IGNORE') || type === keyword('RESPECT');
    return word && this.LA(2).tokenType === keyword('NULLS');
  }

  /** [IGNORE NULLS | RESPECT NULLS] OVER (…), OVER name */
  readonly over: Rule<Pick<WindowExpression, 'ignoreNulls' | 'over'>> = this.RULE('over', () => {
    const nulls = this.OPTION(() => {
      const word = this.OR([
        { ALT: () => this.CONSUME(keyword('IGNORE')) },
        { ALT: () => this.CONSUME(keyword('RESPECT')) },
      ]);
      this.CONSUME(keyword('NULLS'));
      return word;
    });
    this.CONSUME(keyword('OVER'));
    const over = this.OR2([
      { ALT: () => this.SUBRULE(this.windowSpecification) },
      { ALT: () => this.SUBRULE(this.identifier) },
    ]);
    return this.ACTION(() => ({ ignoreNulls: nulls?.tokenType === keyword('IGNORE'), over }));
  });

  readonly windowSpecification: Rule<WindowSpecification> = this.RULE('windowSpecification', () => {
    const start = this.CONSUME(symbol('('));
    const base = this.OPTION4({ GATE: () => !this.#startsClause(), DEF: () => this.SUBRULE(this.identifier) });
    const partitionBy: Expression[] = [];
    this.OPTION(() => {
      this.CONSUME(keyword('PARTITION'));
      this.CONSUME(keyword('BY'));
      this.AT_LEAST_ONE_SEP({
        SEP: symbol(','),
        DEF: () => {
          partitionBy.push(this.SUBRULE(this.expression));
        },
      });
    });
    const orderBy = this.OPTION2(() => this.SUBRULE(this.orderClause)) ?? [];
    const frame = this.OPTION3(() => this.SUBRULE(this.frameClause));
    this.CONSUME(symbol(')'));
    return this.ACTION(() => {
      const window = { partitionBy, orderBy, frame: frame ?? null, span: this.spanFrom(start) };
      return base === undefined ? window : { ...window, base };
    });
  });

  /** What begins a clause of OVER (…) is no name of a window there. */
  #startsClause(): boolean {
    const words = ['PARTITION', 'ORDER', 'ROWS', 'RANGE', 'GROUPS'].map(keyword);
    return words.includes(this.LA(1).tokenType);
  }

  readonly frameClause: Rule<FrameClause> = this.RULE('frameClause', () => {
    const unit = this.OR([
      { ALT: () => this.CONSUME(keyword('ROWS')) },
      { ALT: () => this.CONSUME(keyword('RANGE')) },
      { ALT: () => this.CONSUME(keyword('GROUPS')) },
    ]);
    const bounds = this.OR2([
      {
        ALT: () => {
          this.CONSUME(keyword('BETWEEN'));
          const first = this.SUBRULE(this.frameBoundary);
          this.CONSUME(keyword('AND'));
          const last = this.SUBRULE2(this.frameBoundary);
          return { first, last };
        },
      },
      {
        IGNORE_AMBIGUITIES: true,
        ALT: () => {
          const first = this.SUBRULE3(this.frameBoundary);
          return { first, last: null };
        },
      },
    ]);
    return this.ACTION(() => ({
      // SAFETY: the three keywords above are the three units.
      unit: unit.image.toLowerCase() as FrameClause['unit'],
      start: bounds.first,
      end: bounds.last,
      span: this.spanFrom(unit),
    }));
  });

  readonly frameBoundary: Rule<FrameBoundary> = this.RULE('frameBoundary', () => {
    const start = this.LA(1);
    return this.OR({
      DEF: [
        {
          GATE: () => this.LA(1).tokenType === keyword('UNBOUNDED'),
          IGNORE_AMBIGUITIES: true,
          ALT: () => {
            this.CONSUME(keyword('UNBOUNDED'));
            const side = this.SUBRULE(this.frameSide);
            return this.ACTION(
              (): FrameBoundary => ({ kind: `unbounded ${side}`, offset: null, span: this.spanFrom(start) }),
            );
          },
        },
        {
          GATE: () => this.LA(1).tokenType === keyword('CURRENT') && this.LA(2).tokenType === keyword('ROW'),
          IGNORE_AMBIGUITIES: true,
          ALT: () => {
            this.CONSUME(keyword('CURRENT'));
            this.CONSUME(keyword('ROW'));
            return this.ACTION(
              (): FrameBoundary => ({ kind: 'current row', offset: null, span: this.spanFrom(start) }),
            );
          },
        },
        {
          IGNORE_AMBIGUITIES: true,
          ALT: () => {
            const offset = this.SUBRULE(this.sum);
            const side = this.SUBRULE2(this.frameSide);
            return this.ACTION((): FrameBoundary => ({ kind: side, offset, span: this.spanFrom(start) }));
          },
        },
      ],
      ERR_MSG: 'UNBOUNDED, CURRENT ROW or an offset',
    });
  });

  readonly frameSide: Rule<'preceding' | 'following'> = this.RULE('frameSide', () =>
    this.OR([
      {
        ALT: () => {
          this.CONSUME(keyword('PRECEDING'));
          return 'preceding' as const;
        },
      },
      {
        ALT: () => {
          this.CONSUME(keyword('FOLLOWING'));
          return 'following' as const;
        },
      },
    ]),
  );

  /** ORDER BY item, … */
  readonly orderClause: Rule<readonly OrderItem[]> = this.RULE('orderClause', () => {
    const items: OrderItem[] = [];
    this.CONSUME(keyword('ORDER'));
    this.CONSUME(keyword('BY'));
    this.AT_LEAST_ONE_SEP({
      SEP: symbol(','),
      DEF: () => {
        items.push(this.SUBRULE(this.orderItem));
      },
    });
    return items;
  });

  readonly orderItem: Rule<OrderItem> = this.RULE('orderItem', () => {
    const expression = this.OR3([
      {
        ALT: () => {
          const all = this.CONSUME(keyword('ALL'));
          return this.ACTION((): Expression => ({ kind: 'every column', span: spanOf(all) }));
        },
      },
      { ALT: () => this.SUBRULE(this.expression) },
    ]);
    const direction = this.OPTION(() =>
      this.OR([{ ALT: () => this.CONSUME(keyword('ASC')) }, { ALT: () => this.CONSUME(keyword('DESC')) }]),
    );
    const nulls = this.OPTION2(() => {
      this.CONSUME(keyword('NULLS'));
      return this.OR2([{ ALT: () => this.CONSUME(keyword('FIRST')) }, { ALT: () => this.CONSUME(keyword('LAST')) }]);
    });
    return this.ACTION(() => ({
      expression,
      descending: direction?.tokenType === keyword('DESC'),
      nullsFirst: nulls === undefined ? null : nulls.tokenType === keyword('FIRST'),
    }));
  });
}
