// Completion tokens: a promise that everything pushed before it has reached the outputs.
//
// A token is URL-safe base64, without padding, of {"u": incarnation, "e": endpoint, "m": mark}. It is opaque to users.
// A mark travels behind the pushed rows; once the engine has put it into a step, the token is complete when every output
// has confirmed that step. Marks and steps of an endpoint only grow, so what is remembered is what is on its way.
import { type CodedErrorClass, defineError } from '../runtime/errors.ts';

export const TokenMalformed: CodedErrorClass<{ readonly token: string }> = defineError(
  'token.malformed',
  { help: 'Pass the string that inputJson returned, unchanged.' },
  (f) => `'${f.token}' is not a completion token`,
);

export const TokenForeign: CodedErrorClass<{ readonly token: string }> = defineError(
  'token.foreign',
  { help: 'A token belongs to the run of the pipeline that gave it; push the rows again if they matter.' },
  () => 'this completion token was given by another run of a pipeline',
);

export interface CompletionToken {
  /** Made new for each run of a pipeline. */
  readonly incarnation: string;
  readonly endpoint: string;
  readonly mark: number;
}

export function encodeToken(token: CompletionToken): string {
  const text = JSON.stringify({ u: token.incarnation, e: token.endpoint, m: token.mark });
  return Buffer.from(text, 'utf8').toString('base64url');
}

/** @throws TokenMalformed */
export function decodeToken(text: string): CompletionToken {
  const shown = text.slice(0, 200);
  if (!/^[A-Za-z0-9_-]+$/.test(text)) throw new TokenMalformed({ token: shown });
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch (cause) {
    throw new TokenMalformed({ token: shown }, { cause });
  }
  if (typeof value !== 'object' || value === null) throw new TokenMalformed({ token: shown });
  const { u, e, m } = value as Record<string, unknown>; // SAFETY: an object; each field is checked below.
  if (typeof u !== 'string' || typeof e !== 'string' || typeof m !== 'number' || !Number.isSafeInteger(m) || m < 1) {
    throw new TokenMalformed({ token: shown });
  }
  return { incarnation: u, endpoint: e, mark: m };
}

/** Completed marks whose step is remembered, for each endpoint. */
const completedMarksMax = 256;

/**
 * Which marks of one endpoint are complete. Marks are given here (`nextMark`) or by the one who sends them: then a mark
 * that nobody has heard of yet is on its way.
 */
export class MarkProgress {
  readonly givesMarks: boolean;
  #lastMark = 0;
  #steppedMark = 0;
  #completedMark = 0;
  /** Marks on their way, in order. */
  readonly #stepped: { readonly mark: number; readonly step: number }[] = [];
  /** The latest that are complete, in order. */
  readonly #completed: { readonly mark: number; readonly step: number }[] = [];

  constructor(givesMarks = true) {
    this.givesMarks = givesMarks;
  }

  /** The number of the next push. */
  nextMark(): number {
    return ++this.#lastMark;
  }

  get lastMark(): number {
    return this.#lastMark;
  }

  /** Every mark given so far is in a step. */
  get areAllStepped(): boolean {
    return this.#steppedMark >= this.#lastMark;
  }

  get completedMark(): number {
    return this.#completedMark;
  }

  /** The engine has put `mark` into `step`. */
  stepped(mark: number, step: number): void {
    this.#stepped.push({ mark, step });
    this.#steppedMark = Math.max(this.#steppedMark, mark);
    this.#lastMark = Math.max(this.#lastMark, mark);
  }

  /** Every output has confirmed everything up to `step`. */
  completed(step: number): void {
    for (let first = this.#stepped[0]; first !== undefined && first.step <= step; first = this.#stepped[0]) {
      this.#completedMark = Math.max(this.#completedMark, first.mark);
      this.#stepped.shift();
      this.#completed.push(first);
      if (this.#completed.length > completedMarksMax) this.#completed.shift();
    }
  }

  /** The step that took the mark in. Null: none yet, or it was too long ago to be remembered. */
  stepOf(mark: number): number | null {
    const known = this.#completed.find((one) => one.mark >= mark) ?? this.#stepped.find((one) => one.mark >= mark);
    const first = this.#completed[0];
    // What stands before everything that is remembered may have had an earlier step.
    if (known !== undefined && known === first && known.mark > mark) return null;
    return known?.step ?? null;
  }

  isComplete(mark: number): boolean {
    return mark <= this.#completedMark;
  }
}
