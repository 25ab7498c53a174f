// Where a rule of the grammar has to choose, and with which tokens each way begins: one token of look-ahead decides everywhere.
//
// A rule is known by its shape: what its body reads, one thing after the other (`RuleShape`, recorded by rule-recorder.ts). `firstTokens` says
// with which tokens a shape can begin, and whether it can be empty; rules that it names are looked up only as far as that goes. A way that
// can be empty is taken whatever comes. The sets are what chevrotain computes for a look-ahead of one token; the test compares them.
import type { TokenType } from './chevrotain-grammar.ts';

export type Shape = readonly Reading[];

/** The kinds of places are numbered as chevrotain numbers them in its keys. */
export const PlaceKind = { or: 1, option: 2, many: 3, atLeastOne: 4, manySep: 5, atLeastOneSep: 6 } as const;
export type PlaceKind = (typeof PlaceKind)[keyof typeof PlaceKind];

export type Reading =
  | { readonly kind: 'token'; readonly type: TokenType }
  | { readonly kind: 'rule'; readonly name: string }
  | { readonly kind: 'place'; readonly place: PlaceKind; readonly occurrence: number; readonly ways: readonly Way[] };

export interface Way {
  readonly shape: Shape;
  readonly isGated: boolean;
}

/** With which tokens something begins, by their numbers. */
export interface FirstTokens {
  readonly tokens: ReadonlySet<number>;
  readonly canBeEmpty: boolean;
}

/** Every place of a shape, those inside of others too. */
export function* placesOf(shape: Shape): Generator<Extract<Reading, { kind: 'place' }>> {
  for (const reading of shape) {
    if (reading.kind !== 'place') continue;
    yield reading;
    for (const way of reading.ways) yield* placesOf(way.shape);
  }
}

export function firstTokens(shape: Shape, ofRule: (name: string) => FirstTokens): FirstTokens {
  const tokens = new Set<number>();
  for (const reading of shape) {
    if (!addFirst(reading, ofRule, tokens)) return { tokens, canBeEmpty: false };
  }
  return { tokens, canBeEmpty: true };
}

/** Returns whether what follows may come first as well. */
function addFirst(reading: Reading, ofRule: (name: string) => FirstTokens, tokens: Set<number>): boolean {
  if (reading.kind === 'token') {
    for (const number of numbersOf(reading.type)) tokens.add(number);
    return false;
  }
  if (reading.kind === 'rule') return addAll(ofRule(reading.name), tokens);
  const { place, ways } = reading;
  let canBeEmpty = place === PlaceKind.option || place === PlaceKind.many || place === PlaceKind.manySep;
  for (const { shape } of ways) if (addAll(firstTokens(shape, ofRule), tokens)) canBeEmpty = true;
  return canBeEmpty;
}

function addAll(first: FirstTokens, tokens: Set<number>): boolean {
  for (const number of first.tokens) tokens.add(number);
  return first.canBeEmpty;
}

/** Of a token type, and of those that belong to it as a category. */
function numbersOf({ tokenTypeIdx, categoryMatches = [] }: TokenType): readonly number[] {
  return tokenTypeIdx === undefined ? categoryMatches : [tokenTypeIdx, ...categoryMatches];
}
