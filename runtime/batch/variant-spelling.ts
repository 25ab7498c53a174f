// One spelling for each value of a VARIANT: what two texts of JSON are compared by.
//
// Fields stand in the order of their names, each once (the last one counts); a number has no zeros at its ends and no exponent as long as
// its digits are few, all of them exact; a text has no escapes that it does not need. The text is JSON without white space.

import { isNested, type SqlType } from './sql-type.ts';

/** Beyond so many places a number keeps an exponent. */
const placesMax = 40;

/** Equal texts: equal values. The text is well-formed JSON. */
export function variantSpelling(json: string): string {
  const first = json.charCodeAt(0);
  const isScalar = first !== 0x7b && first !== 0x5b;
  // Texts without escapes, true, false and null have one spelling.
  if (isScalar && !isNumber(first))
    return first === 0x22 && json.includes('\\') ? JSON.stringify(JSON.parse(json)) : json;
  return new Speller(json).value();
}

/** The text of an ARRAY, a MAP or a ROW with the VARIANTs inside of it in their one spelling, and everything else as it stands. */
export function nestedSpelling(text: string, type: SqlType): string {
  return new Speller(text).part(type);
}

/** Whether a VARIANT lies in values of the type. */
export function holdsVariant(type: SqlType): boolean {
  switch (type.kind) {
    case 'VARIANT':
      return true;
    case 'ARRAY':
      return holdsVariant(type.element);
    case 'MAP':
      return holdsVariant(type.value);
    case 'ROW':
      return type.fields.some((field) => holdsVariant(field.type));
    default:
      return false;
  }
}

function isNumber(first: number): boolean {
  return first === 0x2d || (first >= 0x30 && first <= 0x39);
}

const scalar: SqlType = { kind: 'NULL' };

function fieldType(type: SqlType, name: unknown): SqlType | undefined {
  return type.kind === 'ROW' ? type.fields.find((field) => field.name === name)?.type : undefined;
}

/** Reads JSON that is known to be well-formed and has no white space. */
class Speller {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(): string {
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object();
      case '[':
        return this.#array();
      case '"':
        return this.#string();
      default: {
        const from = this.#at;
        while (this.#at < this.#text.length && !',]}'.includes(this.#text[this.#at]!)) this.#at++;
        const word = this.#text.slice(from, this.#at).trim();
        return isNumber(word.charCodeAt(0)) ? numberSpelling(word) : word;
      }
    }
  }

  /** A value of the type: parts that hold no VARIANT are copied. */
  part(type: SqlType): string {
    const first = this.#text[this.#at];
    if (type.kind === 'VARIANT') return this.value();
    if (isNested(type) && holdsVariant(type) && (first === '[' || first === '{')) {
      if (type.kind === 'ARRAY') return this.#list(() => this.part(type.element));
      const ofField = (key: string): SqlType | undefined =>
        type.kind === 'MAP' ? type.value : fieldType(type, JSON.parse(key));
      const members = this.#members((key) => this.part(ofField(key) ?? scalar));
      return `{${[...members].map(([key, value]) => `${key}:${value}`).join(',')}}`;
    }
    const from = this.#at;
    this.value();
    return this.#text.slice(from, this.#at);
  }

  #object(): string {
    const members = this.#members(() => this.value());
    const keys = [...members.keys()].sort();
    return `{${keys.map((key) => `${key}:${members.get(key)}`).join(',')}}`;
  }

  #members(partOf: (key: string) => string): Map<string, string> {
    const members = new Map<string, string>();
    this.#at++;
    while (this.#text[this.#at] !== '}') {
      const key = this.#string();
      this.#at++;
      members.set(key, partOf(key));
      if (this.#text[this.#at] === ',') this.#at++;
    }
    this.#at++;
    return members;
  }

  #array(): string {
    return this.#list(() => this.value());
  }

  #list(element: () => string): string {
    const elements: string[] = [];
    this.#at++;
    while (this.#text[this.#at] !== ']') {
      elements.push(element());
      if (this.#text[this.#at] === ',') this.#at++;
    }
    this.#at++;
    return `[${elements.join(',')}]`;
  }

  #string(): string {
    const from = this.#at++;
    let isPlain = true;
    while (this.#text[this.#at] !== '"') {
      if (this.#text[this.#at] === '\\') {
        isPlain = false;
        this.#at++;
      }
      this.#at++;
    }
    this.#at++;
    const token = this.#text.slice(from, this.#at);
    return isPlain ? token : JSON.stringify(JSON.parse(token));
  }
}

/** A number of JSON is sign · 0.kept · 10^power, its first and last digit kept not being 0; of zero no digit is kept. */
export function decimalOf(word: string): { readonly sign: string; readonly kept: string; readonly power: number } {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(word) ?? [];
  const digits = (whole + fraction).replace(/^0+/, '');
  const power = digits.length - fraction.length + Number(exponent);
  return { sign, kept: digits.replace(/0+$/, ''), power };
}

/** The number with its digits, wherever its point and its exponent put them. */
function numberSpelling(word: string): string {
  const { sign, kept, power } = decimalOf(word);
  if (kept === '') return '0';
  if (Math.abs(power) > placesMax) return `${sign}0.${kept}e${power}`;
  if (power <= 0) return `${sign}0.${'0'.repeat(-power)}${kept}`;
  if (kept.length <= power) return sign + kept + '0'.repeat(power - kept.length);
  return `${sign}${kept.slice(0, power)}.${kept.slice(power)}`;
}
