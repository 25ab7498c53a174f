// How deep a piece of syntax is: the levels that whoever walks through it goes down one into the other.
//
// Counted without going down, so that a text of any depth is refused and not read until the stack is full, which would be at another depth
// on each thread. Redundant parentheses are no level, and neither are the links of a chain of one operator; a subquery that is a value is
// several, because several are made of it. `nestingMax` leaves room in the smallest
// stack there is to compile on, that of the main thread; what is compiled is planned on threads, whose stacks are four times as large.
import type { Place } from '../../../runtime/errors.ts';
import type { Span } from './span.ts';
import { SqlTooDeep } from './sql-errors.ts';

/** The most levels of a statement. */
export const nestingMax = 200;

/** Levels of what is not one. */
const weights: Readonly<Record<string, number>> = {
  query: 0,
  subquery: 0,
  item: 0,
  'scalar query': 3,
  'collection query': 3,
  quantified: 3,
  'in query': 2,
  exists: 2,
  except: 3,
  intersect: 3,
};
/** A link of a chain whose operators change. */
const linkWeight = 0.5;

/** Whether what was thrown says that the stack is full: for what goes deeper than was counted, such as aliases made of aliases. */
export function isStackFull(thrown: unknown): boolean {
  return thrown instanceof RangeError && thrown.message.includes('call stack');
}

/** @throws SqlTooDeep where the stack does not hold what is built. */
export function withinStack<T>(place: Place, build: () => T): T {
  try {
    return build();
  } catch (thrown) {
    if (!isStackFull(thrown)) throw thrown;
    throw new SqlTooDeep({ most: nestingMax }, { place });
  }
}

/** Where the syntax goes deeper than `nestingMax`; null: nowhere. */
export function tooDeepAt(syntax: unknown): Span | null {
  const waiting: { readonly part: object; readonly level: number }[] = [];
  const add = (part: unknown, level: number): void => {
    if (typeof part === 'object' && part !== null) waiting.push({ part, level });
  };
  add(syntax, 0);
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { part, level } = next;
    if (level > nestingMax) {
      const span = spanOf(part);
      if (span !== null) return span;
    }
    const kind = 'kind' in part ? String(part.kind) : null;
    const weight = kind === null ? 0 : (weights[kind] ?? 1);
    for (const [name, value] of Object.entries(part)) {
      if (name === 'span') continue;
      add(value, level + (name === 'left' ? linkTo(part, value, weight) : weight));
    }
  }
  return null;
}

/** The levels between a node and its left side, which may be a link of the same chain. */
function linkTo(node: object, left: unknown, weight: number): number {
  if (typeof left !== 'object' || left === null) return weight;
  const [kind, operator, all] = keysOf(node);
  const [leftKind, leftOperator, leftAll] = keysOf(left);
  if ((kind !== 'binary' && kind !== 'union') || kind !== leftKind) return weight;
  if (operator === leftOperator && all === leftAll) return 0;
  return kind === 'binary' ? linkWeight : weight;
}

function keysOf(node: object): readonly unknown[] {
  return ['kind', 'operator', 'all'].map((name) => Reflect.get(node, name));
}

function spanOf(part: object): Span | null {
  const span: unknown = Reflect.get(part, 'span');
  if (typeof span !== 'object' || span === null || !('start' in span) || !('end' in span)) return null;
  const { start, end } = span;
  return typeof start === 'number' && typeof end === 'number' ? { start, end } : null;
}
