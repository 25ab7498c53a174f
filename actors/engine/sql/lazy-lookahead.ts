// Which way a grammar goes is worked out where a text first comes by, not for the whole language when the parser is made.
//
// To look ahead, the parser needs for each of several hundred places in the grammar the tokens with which each way begins. A program
// uses a fraction of these places, and working out all of them is most of what the first program on a thread waits for. What is
// computed, and with it the language, is that of chevrotain's own strategy.
import { type BaseParser, type ILookaheadStrategy, LLkLookaheadStrategy } from './chevrotain-grammar.ts';

type AlternationOptions = Parameters<ILookaheadStrategy['buildLookaheadForAlternation']>[0];
type OptionalOptions = Parameters<ILookaheadStrategy['buildLookaheadForOptional']>[0];
type ChooseAlternative = ReturnType<ILookaheadStrategy['buildLookaheadForAlternation']>;
type ChooseOptional = ReturnType<ILookaheadStrategy['buildLookaheadForOptional']>;

export class LazyLookahead implements ILookaheadStrategy {
  readonly #strategy: ILookaheadStrategy;

  constructor(maxLookahead: number) {
    this.#strategy = new LLkLookaheadStrategy({ maxLookahead });
  }

  validate(options: Parameters<ILookaheadStrategy['validate']>[0]): ReturnType<ILookaheadStrategy['validate']> {
    return this.#strategy.validate(options);
  }

  buildLookaheadForAlternation(options: AlternationOptions): ChooseAlternative {
    const strategy = this.#strategy;
    let choose: ChooseAlternative | null = null;
    return function (this: BaseParser, alternatives) {
      choose ??= strategy.buildLookaheadForAlternation(options);
      return choose.call(this, alternatives);
    };
  }

  buildLookaheadForOptional(options: OptionalOptions): ChooseOptional {
    const strategy = this.#strategy;
    let choose: ChooseOptional | null = null;
    return function (this: BaseParser) {
      choose ??= strategy.buildLookaheadForOptional(options);
      return choose.call(this);
    };
  }
}
