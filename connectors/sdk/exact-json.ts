// JSON of structured data, in Go's spelling: names sorted by their bytes, <, > and & escaped, bytes as base64, 64-bit integers in full.
// Reading keeps integers beyond 2^53 as bigint; every other number is a double, as Go's any is.
// Not here: columns (record-formats). This is for values that are objects already.
import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';
import type { StructuredData, StructuredValue } from './record.ts';

export const JsonMalformed: CodedErrorClass<{ readonly detail: string; readonly offset: number }> = defineError(
  'record.json_malformed',
  { help: 'The field holds no JSON. Decode only what is JSON, or give the processor a condition.' },
  (f) => `no JSON at character ${f.offset}: ${f.detail}`,
);

export const JsonUnencodable: CodedErrorClass<{ readonly value: string }> = defineError(
  'record.json_unencodable',
  { help: 'JSON has no such number. Convert or remove the field before it is encoded.' },
  (f) => `${f.value} is no JSON number`,
);

export interface JsonSpelling {
  /** Each level on lines of its own, further in by this. Default: everything on one line. */
  readonly indent?: string;
  /** <, > and & as \u003c and so on. Default true. */
  readonly escapeHtml?: boolean;
  /** 1e-7, \b and \f as Go's standard library spells them; records are spelled 1e-07, \u0008 and \u000c. Default false. */
  readonly standard?: boolean;
}

/** @throws JsonUnencodable for NaN and infinities. */
export function printJson(value: StructuredValue, spelling: JsonSpelling = {}): string {
  const { indent = '', escapeHtml = true, standard = false } = spelling;
  return print(value, { indent, escapeHtml, standard }, '\n');
}

function print(value: StructuredValue, spelling: Required<JsonSpelling>, line: string): string {
  if (value === null || value === undefined) return 'null';
  switch (typeof value) {
    case 'string':
      return printJsonText(value, spelling);
    case 'number':
      return printJsonNumber(value, spelling.standard);
    case 'bigint':
    case 'boolean':
      return String(value);
  }
  if (value instanceof Uint8Array) return `"${Buffer.from(value).toString('base64')}"`;
  const { indent } = spelling;
  const inner = line + indent;
  if (isList(value)) {
    if (value.length === 0) return '[]';
    const items = value.map((item) => print(item, spelling, inner));
    return indent === '' ? `[${items.join(',')}]` : `[${inner}${items.join(`,${inner}`)}${line}]`;
  }
  const names = Object.keys(value).sort(compareBytes);
  if (names.length === 0) return '{}';
  const colon = indent === '' ? ':' : ': ';
  const members = names.map(
    (name) => `${printJsonText(name, spelling)}${colon}${print(value[name] ?? null, spelling, inner)}`,
  );
  return indent === '' ? `{${members.join(',')}}` : `{${inner}${members.join(`,${inner}`)}${line}}`;
}

/** @throws JsonUnencodable for NaN and infinities. */
export function printJsonNumber(value: number, standard = false): string {
  if (!Number.isFinite(value)) throw new JsonUnencodable({ value: String(value) });
  if (Object.is(value, -0)) return '-0';
  const text = String(value);
  return standard ? text : text.replace(/e([+-])(\d)$/, 'e$10$2');
}

/** With the quotes. A lone surrogate, which no bytes can hold, is U+FFFD. */
export function printJsonText(text: string, spelling: JsonSpelling = {}): string {
  const { escapeHtml = true, standard = false } = spelling;
  return JSON.stringify(text).replaceAll(
    /\\(u[0-9a-f]{4}|.)|[<>&\u2028\u2029]/g,
    (match, escaped: string | undefined) => {
      if (escaped === undefined) {
        return escapeHtml || match > '\u2000' ? `\\u${match.charCodeAt(0).toString(16).padStart(4, '0')}` : match;
      }
      if (!standard && escaped === 'b') return '\\u0008';
      if (!standard && escaped === 'f') return '\\u000c';
      return /^ud[89a-f]/.test(escaped) ? '\\ufffd' : match;
    },
  );
}

/** Code points compare as their UTF-8 bytes do; code units do not. */
export function compareBytes(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    const isSurrogateX = x >= 0xd800 && x <= 0xdfff;
    const isSurrogateY = y >= 0xd800 && y <= 0xdfff;
    if (isSurrogateX !== isSurrogateY) return isSurrogateX ? 1 : -1;
    return x - y;
  }
  return a.length - b.length;
}

function isList(value: StructuredValue): value is readonly StructuredValue[] {
  return Array.isArray(value);
}

/** @throws JsonMalformed */
export function parseJson(text: string): StructuredValue {
  const parser = new Parser(text);
  const value = parser.value();
  parser.end();
  return value;
}

/** @throws JsonMalformed also when it is no object. */
export function parseJsonObject(text: string): StructuredData {
  const value = parseJson(text);
  if (typeof value !== 'object' || value === null || isList(value) || value instanceof Uint8Array) {
    throw new JsonMalformed({ detail: 'an object is expected', offset: 0 });
  }
  return value;
}

const numberForm = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const depthMax = 1000;

class Parser {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(): StructuredValue {
    this.#space();
    const letter = this.#text[this.#at];
    switch (letter) {
      case '{':
        return this.#nested(() => this.#object());
      case '[':
        return this.#nested(() => this.#list());
      case '"':
        return this.#string();
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
      default:
        return this.#number();
    }
  }

  end(): void {
    this.#space();
    if (this.#at < this.#text.length) throw this.#wrong('something stands behind the value');
  }

  #nested<T>(read: () => T): T {
    if (++this.#depth > depthMax) throw this.#wrong(`more than ${depthMax} levels`);
    const value = read();
    this.#depth--;
    return value;
  }

  #object(): StructuredData {
    const data: Record<string, StructuredValue> = {};
    this.#at++;
    this.#space();
    if (this.#takes('}')) return data;
    do {
      this.#space();
      if (this.#text[this.#at] !== '"') throw this.#wrong('a name is expected');
      const name = this.#string();
      this.#space();
      if (!this.#takes(':')) throw this.#wrong('":" is expected');
      const value = this.value();
      if (name === '__proto__') {
        Object.defineProperty(data, name, { value, enumerable: true, configurable: true, writable: true });
      } else data[name] = value;
      this.#space();
    } while (this.#takes(','));
    if (!this.#takes('}')) throw this.#wrong('"," or "}" is expected');
    return data;
  }

  #list(): StructuredValue[] {
    const list: StructuredValue[] = [];
    this.#at++;
    this.#space();
    if (this.#takes(']')) return list;
    do {
      list.push(this.value());
      this.#space();
    } while (this.#takes(','));
    if (!this.#takes(']')) throw this.#wrong('"," or "]" is expected');
    return list;
  }

  #string(): string {
    const start = this.#at;
    for (this.#at++; this.#at < this.#text.length; this.#at++) {
      const letter = this.#text[this.#at];
      if (letter === '\\') this.#at++;
      else if (letter === '"') {
        const quoted = this.#text.slice(start, ++this.#at);
        try {
          return String(JSON.parse(quoted));
        } catch {
          this.#at = start;
          throw this.#wrong('a text with an invalid escape or a control character');
        }
      }
    }
    throw this.#wrong('a text without its end');
  }

  #number(): number | bigint {
    numberForm.lastIndex = this.#at;
    const match = numberForm.exec(this.#text);
    if (match === null) throw this.#wrong(this.#at < this.#text.length ? 'no value' : 'the end');
    this.#at = numberForm.lastIndex;
    const number = Number(match[0]);
    if (match[1] !== undefined || match[2] !== undefined || Number.isSafeInteger(number)) return number;
    const integer = BigInt(match[0]);
    return BigInt.asIntN(64, integer) === integer ? integer : number;
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw this.#wrong('no value');
    this.#at += word.length;
    return value;
  }

  #takes(letter: string): boolean {
    if (this.#text[this.#at] !== letter) return false;
    this.#at++;
    return true;
  }

  #space(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at++;
    }
  }

  #wrong(detail: string): Error {
    return new JsonMalformed({ detail, offset: this.#at });
  }
}
