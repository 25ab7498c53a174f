// The parser library, loaded from its own bundle: the one file that says where chevrotain comes from.
//
// The package's entry imports some four hundred small modules, which takes a quarter of a second in every process and worker
// thread; the bundle that the same package ships takes a twentieth of that. `exports` of the package does not name the
// bundle, so it is found beside the entry; should a later version ship none, the entry is taken.
//
// It is taken synchronously: a module that waits at its top level ends the whole process when the thread that loads it is ended
// meanwhile (Node 26.10, a check of V8's in AsyncModuleExecutionFulfilled).
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type * as Chevrotain from 'chevrotain';

const library = load();

function load(): typeof Chevrotain {
  const require = createRequire(import.meta.url);
  const entry = import.meta.resolve('chevrotain');
  try {
    return require(fileURLToPath(new URL('../chevrotain.mjs', entry)));
  } catch (thrown) {
    const missing = thrown instanceof Error && 'code' in thrown && thrown.code === 'MODULE_NOT_FOUND';
    if (!missing) throw thrown;
    return require(fileURLToPath(entry));
  }
}

export const createToken: typeof Chevrotain.createToken = library.createToken;
export const EmbeddedActionsParser: typeof Chevrotain.EmbeddedActionsParser = library.EmbeddedActionsParser;
export const EOF: typeof Chevrotain.EOF = library.EOF;
export const Lexer: typeof Chevrotain.Lexer = library.Lexer;
export const tokenLabel: typeof Chevrotain.tokenLabel = library.tokenLabel;

export type {
  IParserConfig,
  IParserErrorMessageProvider,
  IRecognitionException,
  IToken,
  ParserMethod,
  Rule as GrammarRule,
  TokenType,
} from 'chevrotain';
