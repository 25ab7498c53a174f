// The records of one request that were refused: counted all, the latest listed, and the reply that tells of them.
//
// Positions are those of the request: its first record is event 1, however it was cut into pieces.
import type { DecodeError, DecodeReport } from '../../../connectors/sdk/format.ts';
import { MillraceError } from '../../../runtime/errors.ts';
import { HttpProblem } from '../http/http-problem.ts';

/** The most errors that one reply lists. */
export const listedErrorsMax = 1000;

export class ParseErrors {
  #count = 0;
  #listed: DecodeError[] = [];

  get count(): number {
    return this.#count;
  }

  /** Takes over what one decode call has reported; `recordsBefore` records of the request came before it. */
  add(report: DecodeReport, recordsBefore: number): void {
    this.#count += report.numParseErrors;
    for (const error of report.errors) this.#listed.push({ ...error, record: recordsBefore + error.record });
    if (this.#listed.length > listedErrorsMax) this.#listed = this.#listed.slice(-listedErrorsMax);
  }

  /** Nothing more of the request can be read. */
  addFatal(error: Error, recordsBefore: number): void {
    this.#count++;
    const code = error instanceof MillraceError ? error.code : 'runtime.unexpected';
    const where = { record: recordsBefore + 1, offset: 0, field: null, fragment: '', suggestion: null };
    this.#listed.push({ ...where, code, message: error.message });
  }

  /** `token` stands for the good rows; null: nothing was taken. */
  problem(token: string | null, records: number): HttpProblem {
    const listed = this.#listed;
    const total = this.#count;
    const head = listed.length < total ? `reporting ${listed.length} out of ${total} total errors` : `${total} errors`;
    const lines = listed.map((error) => {
      const hint = error.suggestion === null ? '' : `\nDid you mean "${error.suggestion}"?`;
      return `\n    Parse error (event #${error.record}): ${error.message}\nInvalid fragment: '${error.fragment}'${hint}`;
    });
    return new HttpProblem({
      status: 400,
      code: 'ParseErrors',
      message: `Errors parsing input data (${head}):${lines.join('')}`,
      details: {
        num_errors: total,
        errors: listed.map((error) => ({
          description: error.message,
          event_number: error.record,
          field: error.field,
          invalid_bytes: null,
          invalid_text: error.fragment,
          suggestion: error.suggestion,
          tag: error.code,
        })),
        num_records: records,
        token,
      },
    });
  }
}
