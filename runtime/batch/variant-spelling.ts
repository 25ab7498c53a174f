// One spelling for each value of a VARIANT: what two texts of JSON are compared by.
//
// Fields stand in the order of their names, each once (the last one counts); a number has no zeros at its ends and no exponent as long as
// its digits are few, all of them exact; a text has no escapes that it does not need. The text is JSON without white space.

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

function isNumber(first: number): boolean {
  return first === 0x2d || (first >= 0x30 && first <= 0x39);
}

/** Reads JSON that is known to be well-formed. */
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

  #object(): string {
    const members = new Map<string, string>();
    this.#at++;
    while (this.#text[this.#at] !== '}') {
      const key = this.#string();
      this.#at++;
      members.set(key, this.value());
      if (this.#text[this.#at] === ',') this.#at++;
    }
    this.#at++;
    const keys = [...members.keys()].sort();
    return `{${keys.map((key) => `${key}:${members.get(key)}`).join(',')}}`;
  }

  #array(): string {
    const elements: string[] = [];
    this.#at++;
    while (this.#text[this.#at] !== ']') {
      elements.push(this.value());
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

/** The number with its digits, wherever its point and its exponent put them. */
function numberSpelling(word: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(word) ?? [];
  const digits = (whole + fraction).replace(/^0+/, '');
  if (digits === '') return '0';
  const kept = digits.replace(/0+$/, '');
  // The value is 0.kept · 10^power.
  const power = digits.length - fraction.length + Number(exponent);
  if (Math.abs(power) > placesMax) return `${sign}0.${kept}e${power}`;
  if (power <= 0) return `${sign}0.${'0'.repeat(-power)}${kept}`;
  if (kept.length <= power) return sign + kept + '0'.repeat(power - kept.length);
  return `${sign}${kept.slice(0, power)}.${kept.slice(power)}`;
}
