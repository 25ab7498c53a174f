// JSON whose numbers are not rounded: integers that a double cannot hold become BigInt, fractions can stay text.
//
// The engine's JSON.parse does the work wherever it is exact already; the reader below is for lines with long digits and
// for the options. Both refuse the same texts. Printing accepts what rows are made of and refuses what JSON cannot say.
import { ClientError } from './client-error.ts';

export interface NumberForms {
  /** `auto` (default): number while it is a safe integer, bigint beyond. `bigint`: always. `number`: rounded. */
  readonly integers?: 'auto' | 'bigint' | 'number' | undefined;
  /** `string`: numbers with a fraction or an exponent as the text that was sent (exact for DECIMAL). Default `number`. */
  readonly decimals?: 'number' | 'string' | undefined;
}

/** Deeper values are refused: the reader calls itself. */
const depthMax = 500;
const longDigits = /\d{16}/;
const fraction = /\d[.eE]/;

/** @throws ClientError `client.malformed_reply` */
export function parseJson(text: string, forms: NumberForms = {}): unknown {
  const { integers = 'auto', decimals = 'number' } = forms;
  const integersAreExact = integers === 'number' || (integers === 'auto' && !longDigits.test(text));
  try {
    if (integersAreExact && (decimals === 'number' || !fraction.test(text))) return JSON.parse(text);
    return new ExactReader(text, integers, decimals).read();
  } catch (cause) {
    if (cause instanceof ClientError) throw cause;
    throw malformed(cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function malformed(detail: string, cause?: unknown): ClientError {
  return new ClientError({
    code: 'client.malformed_reply',
    message: `the server has sent what is not JSON: ${detail}`,
    retryable: true,
    cause,
  });
}

class ExactReader {
  readonly #text: string;
  readonly #integers: 'auto' | 'bigint' | 'number';
  readonly #decimals: 'number' | 'string';
  readonly #number = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
  readonly #word = /true|false|null/y;
  #at = 0;

  constructor(text: string, integers: 'auto' | 'bigint' | 'number', decimals: 'number' | 'string') {
    this.#text = text;
    this.#integers = integers;
    this.#decimals = decimals;
  }

  read(): unknown {
    const value = this.#value(0);
    this.#space();
    if (this.#at < this.#text.length) throw this.#unexpected();
    return value;
  }

  #value(depth: number): unknown {
    if (depth > depthMax) throw malformed(`nested deeper than ${depthMax}`);
    this.#space();
    const start = this.#text[this.#at];
    if (start === '{') return this.#object(depth);
    if (start === '[') return this.#array(depth);
    if (start === '"') return this.#string();
    this.#word.lastIndex = this.#at;
    const word = this.#word.exec(this.#text)?.[0];
    if (word === undefined) return this.#numeral();
    this.#at += word.length;
    return word === 'null' ? null : word === 'true';
  }

  #object(depth: number): object {
    const made: Record<string, unknown> = {};
    this.#at++;
    if (this.#takes('}')) return made;
    do {
      this.#space();
      if (this.#text[this.#at] !== '"') throw this.#unexpected();
      const key = this.#string();
      if (!this.#takes(':')) throw this.#unexpected();
      const value = this.#value(depth + 1);
      // As JSON.parse does: a column of this name is a column, not the object's prototype.
      if (key === '__proto__') {
        Object.defineProperty(made, key, { value, writable: true, enumerable: true, configurable: true });
      } else made[key] = value;
    } while (this.#takes(','));
    if (!this.#takes('}')) throw this.#unexpected();
    return made;
  }

  #array(depth: number): unknown[] {
    const made: unknown[] = [];
    this.#at++;
    if (this.#takes(']')) return made;
    do made.push(this.#value(depth + 1));
    while (this.#takes(','));
    if (!this.#takes(']')) throw this.#unexpected();
    return made;
  }

  #string(): string {
    let end = this.#text.indexOf('"', this.#at + 1);
    while (end >= 0 && this.#isEscaped(end)) end = this.#text.indexOf('"', end + 1);
    if (end < 0) throw malformed('a string has no end');
    const literal = this.#text.slice(this.#at, end + 1);
    this.#at = end + 1;
    const value: unknown = JSON.parse(literal);
    return String(value);
  }

  #isEscaped(quote: number): boolean {
    let before = quote - 1;
    while (this.#text[before] === '\\') before--;
    return (quote - before) % 2 === 0;
  }

  #numeral(): unknown {
    this.#number.lastIndex = this.#at;
    const found = this.#number.exec(this.#text);
    if (found === null) throw this.#unexpected();
    const [literal, point, exponent] = found;
    this.#at += literal.length;
    if (point !== undefined || exponent !== undefined) return this.#decimals === 'string' ? literal : Number(literal);
    if (this.#integers === 'bigint') return BigInt(literal);
    const rounded = Number(literal);
    return this.#integers === 'number' || Number.isSafeInteger(rounded) ? rounded : BigInt(literal);
  }

  #takes(mark: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== mark) return false;
    this.#at++;
    return true;
  }

  #space(): void {
    while (' \n\r\t'.includes(this.#text[this.#at] ?? 'x')) this.#at++;
  }

  #unexpected(): ClientError {
    return malformed(`unexpected ${JSON.stringify(this.#text[this.#at] ?? 'end')} at character ${this.#at}`);
  }
}

/**
 * JSON text. BigInt as a numeral, Uint8Array as a list of bytes, Date as ISO text; `undefined` in an object is left out.
 * With `sorted` equal values print alike, whatever the order of their keys.
 * @throws ClientError `client.not_json` for what JSON cannot say (NaN, functions)
 */
export function printJson(value: unknown, sorted = false): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  if (value instanceof Uint8Array) return `[${value.join(',')}]`;
  if (value instanceof Date) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item) => printJson(item, sorted)).join(',')}]`;
  if (typeof value === 'object') {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    if (sorted) entries.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${printJson(item, sorted)}`).join(',')}}`;
  }
  throw new ClientError({
    code: 'client.not_json',
    message: `JSON has no form for ${String(value)} (${typeof value})`,
  });
}
