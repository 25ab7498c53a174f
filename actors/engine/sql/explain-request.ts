// EXPLAIN query: its plan instead of its rows. EXPLAIN or EXPLAIN ANALYZE alone: the circuit of the program, with what it has cost.
//
// The query keeps its place in the text, so that places in messages are those of the request.
import { SqlUnsupported } from './sql-errors.ts';
import { SqlText } from './sql-text.ts';
import { symbol, tokenize } from './tokens.ts';

export interface ExplainRequest {
  /** null: of the program. */
  readonly query: string | null;
}

/** null when the text does not begin with EXPLAIN. @throws SqlUnsupported */
export function explainRequest(text: string): ExplainRequest | null {
  const tokens = tokenize(text).tokens.filter((token) => token.tokenType !== symbol(';'));
  const [explain, second] = tokens;
  if (explain === undefined || explain.image.toUpperCase() !== 'EXPLAIN') return null;
  const isAnalyze = second?.image.toUpperCase() === 'ANALYZE';
  if (second === undefined || (isAnalyze && tokens.length === 2)) return { query: null };
  if (isAnalyze) {
    const instead = 'use EXPLAIN ANALYZE alone: it shows what the operators of the program have cost';
    const place = new SqlText(text).place(second.startOffset);
    throw new SqlUnsupported({ construct: 'EXPLAIN ANALYZE of a query', instead }, { place });
  }
  const end = explain.startOffset + explain.image.length;
  return { query: text.slice(0, end).replaceAll(/[^\n]/g, ' ') + text.slice(end) };
}
