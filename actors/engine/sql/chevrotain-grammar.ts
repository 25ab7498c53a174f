// The parser library, loaded from its own bundle: the one file that says where chevrotain comes from.
//
// The package's entry imports some four hundred small modules, which takes a quarter of a second in every process and worker
// thread; the bundle that the same package ships takes a twentieth of that. `exports` of the package does not name the
// bundle, so it is found beside the entry; should a later version ship none, the entry is taken.
import type * as Chevrotain from 'chevrotain';

const library: typeof Chevrotain = await load();

async function load(): Promise<typeof Chevrotain> {
  const entry = import.meta.resolve('chevrotain');
  try {
    return await import(new URL('../chevrotain.mjs', entry).href);
  } catch (thrown) {
    const missing = thrown instanceof Error && 'code' in thrown && thrown.code === 'ERR_MODULE_NOT_FOUND';
    if (!missing) throw thrown;
    return await import(entry);
  }
}

export const createToken: typeof Chevrotain.createToken = library.createToken;
export const EmbeddedActionsParser: typeof Chevrotain.EmbeddedActionsParser = library.EmbeddedActionsParser;
export const Lexer: typeof Chevrotain.Lexer = library.Lexer;
export const LLkLookaheadStrategy: typeof Chevrotain.LLkLookaheadStrategy = library.LLkLookaheadStrategy;
export const tokenLabel: typeof Chevrotain.tokenLabel = library.tokenLabel;

export type {
  BaseParser,
  ILookaheadStrategy,
  IParserConfig,
  IParserErrorMessageProvider,
  IRecognitionException,
  IToken,
  ParserMethod,
  TokenType,
} from 'chevrotain';
