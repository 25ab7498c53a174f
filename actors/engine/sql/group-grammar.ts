// Grammar of GROUP BY: expressions, GROUPING SETS, ROLLUP and CUBE, which all become one list of groups and the sets of them.
import type { Expression } from './ast.ts';
import { FromGrammar } from './from-grammar.ts';
import type { Rule } from './name-grammar.ts';
import { type IToken, keyword, symbol } from './tokens.ts';

export abstract class GroupGrammar extends FromGrammar {
  readonly groupItems: Rule<GroupBy> = this.RULE('groupItems', () => {
    const quantifier = this.OPTION(() =>
      this.OR2([{ ALT: () => this.CONSUME(keyword('ALL')) }, { ALT: () => this.CONSUME(keyword('DISTINCT')) }]),
    );
    // GROUP BY ALL alone; before items it is what goes without saying.
    const isAlone = quantifier?.tokenType === keyword('ALL') && this.#endsHere();
    const items = this.OPTION2({
      GATE: () => !isAlone,
      DEF: () => this.SUBRULE(this.groupingItems),
    });
    return this.ACTION(() => ({
      ...groupBy(items ?? [], quantifier?.tokenType === keyword('DISTINCT')),
      all: isAlone,
    }));
  });

  #endsHere(): boolean {
    const next = this.LA(1);
    return next.image === '' || next.tokenType === symbol(')') || isClauseEnd(next);
  }

  readonly groupingItems: Rule<readonly GroupingItem[]> = this.RULE('groupingItems', () => {
    const items: GroupingItem[] = [];
    this.OR([
      {
        GATE: () => this.LA(2).tokenType === symbol(')'),
        ALT: () => {
          this.CONSUME(symbol('('));
          this.CONSUME(symbol(')'));
        },
      },
      {
        ALT: () => {
          this.AT_LEAST_ONE_SEP({
            SEP: symbol(','),
            DEF: () => {
              items.push(this.SUBRULE(this.groupingItem));
            },
          });
        },
      },
    ]);
    return items;
  });

  readonly groupingItem: Rule<GroupingItem> = this.RULE('groupingItem', () =>
    this.OR([
      {
        GATE: () => this.LA(2).tokenType === keyword('SETS'),
        IGNORE_AMBIGUITIES: true,
        ALT: () => {
          this.CONSUME(keyword('GROUPING'));
          this.CONSUME(keyword('SETS'));
          const items: GroupingItem[] = [];
          this.CONSUME(symbol('('));
          this.AT_LEAST_ONE_SEP({
            SEP: symbol(','),
            DEF: () => {
              items.push(this.SUBRULE(this.groupingElement));
            },
          });
          this.CONSUME(symbol(')'));
          return this.ACTION(() => ({ isPlain: false, sets: items.flatMap((item) => item.sets) }));
        },
      },
      {
        ALT: () => {
          const word = this.OR2([
            { ALT: () => this.CONSUME(keyword('ROLLUP')) },
            { ALT: () => this.CONSUME(keyword('CUBE')) },
          ]);
          const parts: (readonly Expression[])[] = [];
          this.CONSUME2(symbol('('));
          this.AT_LEAST_ONE_SEP2({
            SEP: symbol(','),
            DEF: () => {
              parts.push(this.SUBRULE(this.groupingSet));
            },
          });
          this.CONSUME2(symbol(')'));
          return this.ACTION(() => ({
            isPlain: false,
            sets: word.tokenType === keyword('CUBE') ? subsets(parts) : prefixes(parts),
          }));
        },
      },
      {
        IGNORE_AMBIGUITIES: true,
        ALT: () => {
          const set = this.SUBRULE2(this.groupingSet);
          return { isPlain: true, sets: [set] };
        },
      },
    ]),
  );

  /** What stands in GROUPING SETS: a set, or what stands for several. */
  readonly groupingElement: Rule<GroupingItem> = this.RULE('groupingElement', () => this.SUBRULE(this.groupingItem));

  /** x, (x, y), () */
  readonly groupingSet: Rule<readonly Expression[]> = this.RULE('groupingSet', () => {
    const set: Expression[] = [];
    this.OR([
      {
        GATE: () => this.#isGroupingList(),
        IGNORE_AMBIGUITIES: true,
        ALT: () => {
          this.CONSUME(symbol('('));
          this.MANY_SEP({
            SEP: symbol(','),
            DEF: () => {
              set.push(this.SUBRULE(this.expression));
            },
          });
          this.CONSUME(symbol(')'));
        },
      },
      {
        IGNORE_AMBIGUITIES: true,
        ALT: () => {
          set.push(this.SUBRULE2(this.expression));
        },
      },
    ]);
    return set;
  });

  /** ( … ) of which nothing is made: what follows its end ends the item. */
  #isGroupingList(): boolean {
    if (this.LA(1).tokenType !== symbol('(')) return false;
    let depth = 1;
    let distance = 2;
    while (depth > 0) {
      const token = this.LA(distance++);
      if (token.image === '') return false;
      if (token.tokenType === symbol('(')) depth++;
      else if (token.tokenType === symbol(')')) depth--;
    }
    const next = this.LA(distance);
    return next.image === '' || next.tokenType === symbol(',') || next.tokenType === symbol(')') || isClauseEnd(next);
  }
}

export interface GroupBy {
  /** GROUP BY ALL. */
  readonly all: boolean;
  readonly groups: readonly Expression[];
  readonly sets: readonly (readonly number[])[] | null;
}

/** What one item of GROUP BY stands for: the sets that it asks for. */
export interface GroupingItem {
  readonly isPlain: boolean;
  readonly sets: readonly (readonly Expression[])[];
}

function isClauseEnd(token: IToken): boolean {
  const ends = [
    'HAVING',
    'WINDOW',
    'QUALIFY',
    'ORDER',
    'LIMIT',
    'OFFSET',
    'FETCH',
    'UNION',
    'EXCEPT',
    'MINUS',
    'INTERSECT',
  ];
  return ends.map(keyword).includes(token.tokenType);
}

/** All groups, and which of them each set has: the sets of several items are combined, each with each. */
function groupBy(items: readonly GroupingItem[], distinct: boolean): Omit<GroupBy, 'all'> {
  const groups: Expression[] = [];
  let sets: readonly (readonly number[])[] = [[]];
  for (const item of items) {
    const numbers = new Map<Expression, number>();
    for (const expression of item.sets.flat()) {
      if (!numbers.has(expression)) numbers.set(expression, groups.push(expression) - 1);
    }
    const numbered = item.sets.map((set) => set.map((expression) => numbers.get(expression) ?? 0));
    sets = sets.flatMap((before) => numbered.map((set) => [...before, ...set]));
  }
  if (distinct) {
    const texts = groups.map((group) => JSON.stringify(group, (key, value) => (key === 'span' ? undefined : value)));
    const keyOf = (set: readonly number[]): string => [...new Set(set.map((i) => texts[i]))].sort().join();
    sets = [...new Map(sets.map((set) => [keyOf(set), set])).values()];
  }
  return { groups, sets: items.every((item) => item.isPlain) ? null : sets };
}

/** ROLLUP (a, b): (a, b), (a), () */
function prefixes(parts: readonly (readonly Expression[])[]): readonly (readonly Expression[])[] {
  return [...parts.keys(), parts.length].map((length) => parts.slice(0, length).flat()).reverse();
}

/** CUBE (a, b): (a, b), (a), (b), () */
function subsets(parts: readonly (readonly Expression[])[]): readonly (readonly Expression[])[] {
  const [first, ...rest] = parts;
  if (first === undefined) return [[]];
  const others = subsets(rest);
  return [...others.map((set) => [...first, ...set]), ...others];
}
