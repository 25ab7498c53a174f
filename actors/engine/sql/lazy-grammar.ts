// Which way a grammar goes is worked out where a text first comes by, not for the whole language when the parser is made.
//
// To look ahead, the parser needs for each of several hundred places in the grammar the tokens with which each way begins. A program
// uses a fraction of these places, and chevrotain's analysis of all of them is most of what the first program on a thread waits for. Here a rule is looked
// at when a text first reaches it. The language is the same: the test asks chevrotain at every place, for every token.
//
// `use`: 'parse' for texts; 'record' for a parser that only knows what its rules read (rule-recorder.ts); 'analyse' has chevrotain's own
// analysis, which its messages and the check of the grammar need. Overrides two methods of chevrotain that its types do not name.
import { EmbeddedActionsParser, EOF, type GrammarRule, type IParserConfig, type IToken } from './chevrotain-grammar.ts';
import { type FirstTokens, firstTokens, PlaceKind, placesOf, type Reading } from './rule-places.ts';
import { RuleRecorder } from './rule-recorder.ts';
import { vocabulary } from './tokens.ts';

export type GrammarUse = 'parse' | 'record' | 'analyse';

/** One token tells everywhere which way to go; where it does not, the grammar asks a predicate. */
const maxLookahead = 1;

type Gates = readonly { readonly GATE?: () => boolean }[];
/** For OR the number of the way, or nothing; for everything else whether to go in. */
type LookAhead = (this: LazyGrammar, gates?: Gates) => number | boolean | undefined;
type Place = Extract<Reading, { kind: 'place' }>;

/** chevrotain's key of a place: rule, kind of the place in 4 bits, occurrence in 8. */
const kindShift = 8;
const placeMask = (1 << 12) - 1;

const unread: IToken = { image: '', startOffset: Number.NaN, tokenType: EOF, tokenTypeIdx: EOF.tokenTypeIdx ?? 0 };

export abstract class LazyGrammar extends EmbeddedActionsParser {
  readonly #use: GrammarUse;
  readonly #lookAheads = new Map<number, LookAhead>();
  readonly #firsts = new Map<string, FirstTokens>();
  readonly #recorder: RuleRecorder | null;
  #recording: LazyGrammar | null = null;
  #analysed: LazyGrammar | null = null;
  /** chevrotain's: it refuses tokens before. */
  declare protected selfAnalysisDone: boolean;
  declare protected shortRuleNameToFull: Readonly<Record<number, string>>;

  constructor(config: IParserConfig, use: GrammarUse) {
    super(vocabulary, { ...config, maxLookahead });
    this.#use = use;
    this.#recorder = use === 'record' ? new RuleRecorder() : null;
    if (this.#recorder !== null) Object.assign(this, this.#recorder.recordingMethods(unread));
  }

  /** The same grammar for another use. */
  protected abstract twin(use: GrammarUse): LazyGrammar;

  protected override performSelfAnalysis(): void {
    if (this.#use === 'analyse') super.performSelfAnalysis();
    else this.selfAnalysisDone = true;
  }

  /** What chevrotain's messages are made from. */
  override getGAstProductions(): Record<string, GrammarRule> {
    if (this.#use === 'analyse') return super.getGAstProductions();
    this.#analysed ??= this.twin('analyse');
    return this.#analysed.getGAstProductions();
  }

  /** Called by chevrotain at every place. */
  protected getLaFuncFromCache(key: number): LookAhead | undefined {
    if (this.#use === 'analyse') return analysedLookAhead.call(this, key);
    return this.#lookAheads.get(key) ?? this.#lookAt(key);
  }

  #lookAt(key: number): LookAhead | undefined {
    const rule = key & ~placeMask;
    const name = this.shortRuleNameToFull[rule];
    if (name === undefined) return undefined;
    for (const place of placesOf(this.#shapes.shape(name))) {
      this.#lookAheads.set(rule | (place.place << kindShift) | place.occurrence, this.#lookAhead(place));
    }
    return this.#lookAheads.get(key);
  }

  get #shapes(): RuleRecorder {
    this.#recording ??= this.twin('record');
    const recorder = this.#recording.#recorder;
    if (recorder === null) throw new Error('the twin records');
    return recorder;
  }

  #firstOf(name: string): FirstTokens {
    const known = this.#firsts.get(name);
    if (known !== undefined) return known;
    const first = firstTokens(this.#shapes.shape(name), (other) => this.#firstOf(other));
    this.#firsts.set(name, first);
    return first;
  }

  #lookAhead({ place, ways }: Place): LookAhead {
    let firsts: readonly FirstTokens[] | null = null;
    const find = (): readonly FirstTokens[] =>
      ways.map(({ shape }) => firstTokens(shape, (name) => this.#firstOf(name)));
    if (place !== PlaceKind.or) {
      return function () {
        firsts ??= find();
        return mayBegin(firsts[0], this.LA(1).tokenTypeIdx);
      };
    }
    const isGated = ways.some((way) => way.isGated);
    return function (gates = []) {
      firsts ??= find();
      const token = this.LA(1).tokenTypeIdx;
      for (let way = 0; way < firsts.length; way++) {
        if (!mayBegin(firsts[way], token)) continue;
        if (!isGated || gates[way]?.GATE?.call(this) !== false) return way;
      }
      return undefined;
    };
  }
}

function mayBegin(first: FirstTokens | undefined, token: number): boolean {
  return first !== undefined && (first.canBeEmpty || first.tokens.has(token));
}

// SAFETY: chevrotain's parsers have this method, which its types do not name.
const analysedLookAhead = Reflect.get(EmbeddedActionsParser.prototype, 'getLaFuncFromCache') as (
  this: LazyGrammar,
  key: number,
) => LookAhead | undefined;
