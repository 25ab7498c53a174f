// VARIANT as JavaScript values: JSON text in which integers of any size stay exact.
//
// `parseVariant` gives what JSON.parse gives, but integers beyond ±(2^53 - 1) become bigint. `formatVariant` prints JSON
// without white space; bigint prints as its digits, Date as its ISO text, bytes as an array; what JSON has no form for
// (functions, symbols, undefined at the top, NaN, infinities) gives undefined.

/** A number that a double does not hold to its last digit, as the text that it stands as: for types that take every digit. @throws SyntaxError */
export function parseEveryDigit(text: string): unknown {
  const value: unknown = JSON.parse(text);
  return /\d[\d.]{15}/.test(text) ? new ExactReader(text, true).value() : value;
}

/** @throws SyntaxError when the text is not JSON. */
export function parseVariant(text: string): unknown {
  // Without 16 digits in a row no integer is beyond the safe range.
  if (!/\d{16}/.test(text)) return JSON.parse(text);
  // The runtime checks the grammar; after that the text can be read without checks.
  JSON.parse(text);
  return new ExactReader(text, false).value();
}

/** Reads JSON that is known to be well-formed. */
class ExactReader {
  readonly #text: string;
  readonly #keepsDigits: boolean;
  #at = 0;

  /** `keepsDigits`: long fractions stay text. */
  constructor(text: string, keepsDigits: boolean) {
    this.#text = text;
    this.#keepsDigits = keepsDigits;
  }

  value(): unknown {
    this.#skip();
    const first = this.#text[this.#at];
    if (first === '{') return this.#object();
    if (first === '[') return this.#array();
    if (first === '"') return this.#string();
    const match = /[^\s,\]}]+/y;
    match.lastIndex = this.#at;
    const word = match.exec(this.#text)?.[0] ?? '';
    this.#at += word.length;
    if (!/^-?\d{16,}$/.test(word)) {
      const isLong = this.#keepsDigits && word.replaceAll(/\D/g, '').length > 15;
      return isLong ? word : JSON.parse(word);
    }
    const number = Number(word);
    return Number.isSafeInteger(number) ? number : BigInt(word);
  }

  #object(): Record<string, unknown> {
    const members: [string, unknown][] = [];
    this.#at++;
    this.#skip();
    while (this.#text[this.#at] !== '}') {
      const key = this.#string();
      this.#skip();
      this.#at++;
      members.push([key, this.value()]);
      this.#comma();
    }
    this.#at++;
    return Object.fromEntries(members);
  }

  #array(): unknown[] {
    const elements: unknown[] = [];
    this.#at++;
    this.#skip();
    while (this.#text[this.#at] !== ']') {
      elements.push(this.value());
      this.#comma();
    }
    this.#at++;
    return elements;
  }

  #string(): string {
    let end = this.#at + 1;
    while (this.#text[end] !== '"') end += this.#text[end] === '\\' ? 2 : 1;
    const token: unknown = JSON.parse(this.#text.slice(this.#at, end + 1));
    this.#at = end + 1;
    return String(token);
  }

  #comma(): void {
    this.#skip();
    if (this.#text[this.#at] !== ',') return;
    this.#at++;
    this.#skip();
  }

  #skip(): void {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at++;
  }
}

export function formatVariant(value: unknown): string | undefined {
  switch (typeof value) {
    case 'bigint':
      return value.toString();
    case 'number':
      return Number.isFinite(value) ? JSON.stringify(value) : undefined;
    case 'string':
    case 'boolean':
      return JSON.stringify(value);
    case 'object':
      return value === null ? 'null' : formatStructure(value);
    default:
      return undefined;
  }
}

function formatStructure(value: object): string | undefined {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : JSON.stringify(value);
  if (value instanceof Uint8Array) return `[${value.join(',')}]`;
  if (Array.isArray(value)) {
    const elements = value.map(formatVariant);
    return elements.includes(undefined) ? undefined : `[${elements.join(',')}]`;
  }
  const members: string[] = [];
  for (const [key, member] of Object.entries(value)) {
    if (member === undefined) continue;
    const text = formatVariant(member);
    if (text === undefined) return undefined;
    members.push(`${JSON.stringify(key)}:${text}`);
  }
  return `{${members.join(',')}}`;
}
