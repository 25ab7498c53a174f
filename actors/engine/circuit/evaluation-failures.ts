// What became of rows on which an expression could not be computed.
//
// Under `stop` the first one ends the step: `report` throws EvaluationFailed, which names the view, the expression with
// its place, and the row. Under `skip` the row is left out of the view; it is counted and the latest 100 are kept.
// One object lives as long as its circuit; row programs and operators report to it.

import { formatVariant } from '../../../runtime/batch/variant-json.ts';
import { type CodedErrorClass, defineError } from '../../../runtime/errors.ts';
import type { ExpressionSource } from '../sql/bound.ts';

/** A row that an expression failed on. `row` is the sample: a plain object by column name in public value forms. */
export interface EvaluationFailure {
  readonly view: string;
  readonly expression: ExpressionSource;
  /** The coded error that was thrown on the row. */
  readonly error: unknown;
  readonly row: object;
}

export const EvaluationFailed: CodedErrorClass<{
  readonly view: string;
  readonly expression: string;
  readonly row: object;
  readonly reason: string;
}> = defineError(
  'sql.evaluation_failed',
  { help: 'Correct the data or the expression, or set `on_error: skip` to leave such rows out of the view.' },
  (f) => `view "${f.view}": ${f.reason} in ${f.expression} for the row ${formatRow(f.row)}`,
);

/** The most failures whose details are kept. */
export const evaluationFailuresMax = 100;

export class EvaluationFailures {
  readonly #policy: 'stop' | 'skip';
  readonly #latest: EvaluationFailure[] = [];
  #count = 0;
  /** False while a node runs whose failures another worker counts. */
  isCounting = true;

  constructor(policy: 'stop' | 'skip') {
    this.#policy = policy;
  }

  /** Failures so far, whether kept or not. */
  get count(): number {
    return this.#count;
  }

  /** The latest failures, oldest first. */
  get latest(): readonly EvaluationFailure[] {
    return this.#latest;
  }

  /** @throws EvaluationFailed under the policy `stop`. */
  report(failure: EvaluationFailure): void {
    if (this.isCounting) {
      this.#count++;
      this.#latest.push(failure);
      if (this.#latest.length > evaluationFailuresMax) this.#latest.shift();
    }
    if (this.#policy === 'skip') return;
    const { view, expression, error, row } = failure;
    const reason = error instanceof Error ? error.message : String(error);
    throw new EvaluationFailed(
      { view, expression: expression.text, row, reason },
      { cause: error, place: expression.place },
    );
  }
}

/** The row as JSON with all digits; values without a JSON form (NaN) as their text. */
function formatRow(row: object): string {
  const members = Object.entries(row).map(
    ([name, value]) => `${JSON.stringify(name)}:${formatVariant(value) ?? String(value)}`,
  );
  const text = `{${members.join(',')}}`;
  return text.length > 400 ? `${text.slice(0, 400)}…` : text;
}
