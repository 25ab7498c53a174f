// What a rule reads, found out by running its body with methods that write down what is called instead of reading tokens.
//
// `recordingMethods` are put on a parser of the grammar in the place of chevrotain's, before its rules are defined; such a parser never
// parses. A body is run when its rule is asked for, and once. The bodies are written for this: whatever looks at results stands inside
// ACTION (name-grammar.ts). chevrotain can do the same, but does it for all rules at once and takes ten times as long for each.
import type { IToken, TokenType } from './chevrotain-grammar.ts';
import { PlaceKind, type Reading, type Shape, type Way } from './rule-places.ts';

interface RuleName {
  readonly ruleName: string;
}
type Body = () => unknown;
type Alternative = { readonly ALT: Body; readonly GATE?: Body };
type Alternatives = readonly Alternative[] | { readonly DEF: readonly Alternative[] };
type Repeated = Body | { readonly DEF: Body; readonly SEP?: TokenType; readonly GATE?: Body };

/** chevrotain's methods come in ten numbers each: OPTION, OPTION1, … OPTION9. */
const occurrences = Array.from({ length: 10 }, (_, i) => i);

export class RuleRecorder {
  readonly #bodies = new Map<string, Body>();
  readonly #shapes = new Map<string, Shape>();
  /** What the innermost body that is being run has read. */
  #readings: Reading[] = [];

  /** The shape of a rule of the grammar. */
  shape(rule: string): Shape {
    const known = this.#shapes.get(rule);
    if (known !== undefined) return known;
    const body = this.#bodies.get(rule);
    if (body === undefined) throw new Error(`the grammar has no rule ${rule}`);
    const shape = this.#record(body);
    this.#shapes.set(rule, shape);
    return shape;
  }

  /** To be put on a parser before its rules are defined. `token` is what a body gets for one. */
  recordingMethods(token: IToken): Readonly<Record<string, unknown>> {
    const methods: Record<string, unknown> = {
      RULE: (name: string, body: Body): RuleName => {
        this.#bodies.set(name, body);
        return { ruleName: name };
      },
      ACTION: (): void => {},
      LA: (): IToken => token,
    };
    const add = (name: string, record: (occurrence: number) => unknown): void => {
      for (const occurrence of occurrences) methods[occurrence === 0 ? name : name + occurrence] = record(occurrence);
    };
    add('CONSUME', () => (type: TokenType): IToken => {
      this.#readings.push({ kind: 'token', type });
      return token;
    });
    add('SUBRULE', () => ({ ruleName }: RuleName): object => {
      this.#readings.push({ kind: 'rule', name: ruleName });
      return {};
    });
    add('OR', (occurrence) => (options: Alternatives): object => {
      const alternatives = 'DEF' in options ? options.DEF : options;
      const ways = alternatives.map(({ ALT, GATE }) => ({ shape: this.#record(ALT), isGated: GATE !== undefined }));
      return this.#choose(PlaceKind.or, occurrence, ways);
    });
    const repeated = (place: PlaceKind) => (occurrence: number) => (options: Repeated) => {
      const body = typeof options === 'function' ? options : options.DEF;
      return this.#choose(place, occurrence, [{ shape: this.#record(body), isGated: false }]);
    };
    add('OPTION', repeated(PlaceKind.option));
    add('MANY', repeated(PlaceKind.many));
    add('MANY_SEP', repeated(PlaceKind.manySep));
    add('AT_LEAST_ONE', repeated(PlaceKind.atLeastOne));
    add('AT_LEAST_ONE_SEP', repeated(PlaceKind.atLeastOneSep));
    return methods;
  }

  #choose(place: PlaceKind, occurrence: number, ways: readonly Way[]): object {
    this.#readings.push({ kind: 'place', place, occurrence, ways });
    return {};
  }

  #record(body: Body): Shape {
    const around = this.#readings;
    const own: Reading[] = [];
    this.#readings = own;
    body();
    this.#readings = around;
    return own;
  }
}
