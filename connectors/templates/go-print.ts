// How Go's package fmt prints values: %v and its kin, with flags, width and precision.
//
// Wrong verbs and missing operands do not fail: they print what Go prints, such as %!d(string=x).
import { durationText, timeText } from './go-time.ts';
import {
  bytesOf,
  bytesOfText,
  GoDuration,
  GoOperation,
  GoTime,
  type GoValue,
  isList,
  isMap,
  isNil,
  NamedBytes,
  Struct,
  sortedNames,
  textOfBytes,
  typeName,
} from './go-values.ts';
import { SemanticVersion } from './semantic-version.ts';

/** What {{ value }} prints. */
export function printValue(value: GoValue): string {
  if (value === undefined || value === null) return '<no value>';
  return format(value);
}

/** fmt.Sprint: spaces between operands when neither is a text. */
export function printAll(values: readonly GoValue[]): string {
  return values
    .map((value, i) => {
      const before = values[i - 1];
      const spaced = i > 0 && typeof value !== 'string' && typeof before !== 'string';
      return `${spaced ? ' ' : ''}${format(value)}`;
    })
    .join('');
}

/** %v */
export function format(value: GoValue, plus = false): string {
  if (isNil(value)) return '<nil>';
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
      return formatFloat(value, 'g', null);
    case 'bigint':
    case 'boolean':
      return String(value);
  }
  if (value instanceof GoTime) return timeText(value);
  if (value instanceof GoDuration) return durationText(value);
  if (value instanceof GoOperation) return value.name;
  if (value instanceof SemanticVersion) return String(value);
  if (value instanceof NamedBytes && value.type === 'opencdc.Position') return textOfBytes(value.bytes);
  const bytes = bytesOf(value);
  if (bytes !== null) return `[${bytes.join(' ')}]`;
  if (isList(value)) return `[${value.map((item) => format(item, plus)).join(' ')}]`;
  if (value instanceof Struct) {
    const fields = value.fieldNames.map((name) => `${plus ? `${name}:` : ''}${format(value.field(name), plus)}`);
    // fmt shows fields that only Go's own code can reach, too.
    if (value.type === 'opencdc.Record') fields.push(plus ? 'serializer:<nil>' : '<nil>');
    return `{${fields.join(' ')}}`;
  }
  if (!isMap(value)) return String(value);
  return `map[${sortedNames(value)
    .map((name) => `${name}:${format(value[name], plus)}`)
    .join(' ')}]`;
}

interface Flags {
  readonly plus: boolean;
  readonly minus: boolean;
  readonly sharp: boolean;
  readonly space: boolean;
  readonly zero: boolean;
  readonly width: number | null;
  readonly precision: number | null;
}

/** fmt.Sprintf */
export function printFormat(text: string, operands: readonly GoValue[]): string {
  let next = 0;
  let reordered = false;
  const take = (): number | null => {
    const value = operands[next++];
    return typeof value === 'bigint' ? Number(value) : null;
  };
  const printed = text.replaceAll(
    /%([+\-# 0]*)(?:\[(\d+)\])?(\*|\d+)?(?:\.(\*|\d*))?(?:\[(\d+)\])?([\s\S]?)/gu,
    (_, signs: string, at1?: string, width?: string, precision?: string, at2?: string, verb?: string) => {
      if (verb === undefined || verb === '') return '%!(NOVERB)';
      if (at1 !== undefined) [next, reordered] = [Number(at1) - 1, true];
      let wide = width === '*' ? take() : width === undefined ? null : Number(width);
      const exact = precision === '*' ? take() : precision === undefined ? null : Number(precision);
      if (at2 !== undefined) [next, reordered] = [Number(at2) - 1, true];
      const minus = signs.includes('-') || (wide ?? 0) < 0;
      wide = wide === null ? null : Math.abs(wide);
      const flags: Flags = {
        plus: signs.includes('+'),
        minus,
        sharp: signs.includes('#'),
        space: signs.includes(' '),
        zero: signs.includes('0') && !minus,
        width: wide,
        precision: exact,
      };
      if (verb === '%') return '%';
      if (next >= operands.length)
        return `%!${verb}(${at1 === undefined && at2 === undefined ? 'MISSING' : 'BADINDEX'})`;
      return printOperand(verb, operands[next++], flags);
    },
  );
  if (reordered || next >= operands.length) return printed;
  const extra = operands.slice(next).map((value) => (isNil(value) ? '<nil>' : `${typeName(value)}=${format(value)}`));
  return `${printed}%!(EXTRA ${extra.join(', ')})`;
}

function printOperand(verb: string, value: GoValue, flags: Flags): string {
  if (verb === 'T') return pad(typeName(value), flags);
  if (isNil(value)) return verb === 'v' ? pad('<nil>', flags) : `%!${verb}(<nil>)`;
  if (verb === 'v') return printDefault(value, flags);
  // Inside of something, what is nil has no verb.
  const inner = (item: GoValue): string => (isNil(item) ? pad('<nil>', flags) : printOperand(verb, item, flags));
  if (isList(value)) return `[${value.map(inner).join(' ')}]`;
  if (isMap(value)) {
    const entries = sortedNames(value).map((name) => `${printOperand(verb, name, flags)}:${inner(value[name])}`);
    return `map[${entries.join(' ')}]`;
  }
  if (value instanceof Struct) {
    return `{${value.fieldNames.map((name) => inner(value.field(name))).join(' ')}}`;
  }
  if (
    (value instanceof GoTime ||
      value instanceof GoDuration ||
      value instanceof GoOperation ||
      value instanceof SemanticVersion) &&
    /^[sqxX]$/.test(verb)
  ) {
    return printText(verb, format(value), flags);
  }
  if (value instanceof GoDuration) return printOperand(verb, value.nanoseconds, flags);
  if (value instanceof GoOperation) return printOperand(verb, value.number, flags);
  const bytes = bytesOf(value);
  if (bytes !== null) {
    if (/^[sqxX]$/.test(verb)) return printText(verb, textOfBytes(bytes), flags);
    return `[${[...bytes].map((byte) => printOperand(verb, BigInt(byte), flags)).join(' ')}]`;
  }
  const bad = `%!${verb}(${typeName(value)}=${format(value)})`;
  switch (typeof value) {
    case 'string':
      return /^[sqxX]$/.test(verb) ? printText(verb, value, flags) : bad;
    case 'boolean':
      return verb === 't' ? pad(String(value), flags) : bad;
    case 'bigint':
      return /^[bcdoOqxXU]$/.test(verb) ? printInteger(verb, value, flags) : bad;
    case 'number':
      return /^[eEfFgG]$/.test(verb) ? printFloat(verb, value, flags) : bad;
  }
  return bad;
}

function printDefault(value: GoValue, flags: Flags): string {
  if (typeof value === 'bigint') return printInteger('d', value, flags);
  if (typeof value === 'number') return printFloat('g', value, flags);
  if (typeof value === 'string' && flags.sharp) return pad(quoteText(value), flags);
  return pad(format(value, flags.plus), flags);
}

function printText(verb: string, text: string, flags: Flags): string {
  const cut = flags.precision === null ? text : [...text].slice(0, flags.precision).join('');
  if (verb === 's') return pad(cut, flags);
  if (verb === 'q') return pad(flags.sharp && !cut.includes('`') ? `\`${cut}\`` : quoteText(cut), flags);
  const hex = Buffer.from(bytesOfText(text)).toString('hex');
  return pad(verb === 'X' ? hex.toUpperCase() : hex, flags);
}

function printInteger(verb: string, value: bigint, flags: Flags): string {
  if (verb === 'c') return pad(String.fromCodePoint(Number(value)), flags);
  if (verb === 'q') return pad(`'${String.fromCodePoint(Number(value))}'`, flags);
  if (verb === 'U') return pad(`U+${value.toString(16).toUpperCase().padStart(4, '0')}`, flags);
  const size = value < 0n ? -value : value;
  const base = verb === 'b' ? 2 : verb === 'o' || verb === 'O' ? 8 : verb === 'x' || verb === 'X' ? 16 : 10;
  let digits = size.toString(base);
  if (flags.precision !== null) digits = digits.padStart(flags.precision, '0');
  const prefix = verb === 'O' ? '0o' : flags.sharp ? { 2: '0b', 8: '0', 16: '0x', 10: '' }[base] : '';
  const sign = value < 0n ? '-' : flags.plus ? '+' : flags.space ? ' ' : '';
  const head = `${sign}${prefix}`;
  if (flags.zero && flags.precision === null && flags.width !== null) {
    digits = digits.padStart(flags.width - head.length, '0');
  }
  const text = `${head}${digits}`;
  return pad(verb === 'X' ? text.toUpperCase() : text, { ...flags, zero: false });
}

function printFloat(verb: string, value: number, flags: Flags): string {
  const lower = verb.toLowerCase();
  const precision = flags.precision ?? (lower === 'g' ? null : 6);
  let text = formatFloat(Math.abs(value), lower === 'f' ? 'f' : lower === 'e' ? 'e' : 'g', precision);
  if (verb === 'E' || verb === 'G') text = text.toUpperCase();
  const sign = value < 0 || Object.is(value, -0) ? '-' : flags.plus ? '+' : flags.space ? ' ' : '';
  if (flags.zero && flags.width !== null && Number.isFinite(value))
    text = text.padStart(flags.width - sign.length, '0');
  return pad(`${sign}${text}`, { ...flags, zero: false });
}

function pad(text: string, flags: Flags): string {
  if (flags.width === null) return text;
  const missing = flags.width - [...text].length;
  if (missing <= 0) return text;
  if (flags.minus) return text + ' '.repeat(missing);
  return (flags.zero ? '0' : ' ').repeat(missing) + text;
}

/** strconv.FormatFloat; `precision` null: as many digits as tell the number from its neighbours. */
export function formatFloat(value: number, form: 'g' | 'e' | 'f', precision: number | null): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const size = Math.abs(value);
  if (form === 'f') return sign + (precision === null ? plainDigits(size) : toFixed(size, precision));
  const significant = form === 'g' && precision === 0 ? 1 : precision;
  const shown =
    significant === null
      ? size.toExponential()
      : size.toExponential(Math.min(100, form === 'e' ? significant : significant - 1));
  const [mantissa = '0', power = '0'] = shown.split('e');
  const exponent = Number(power);
  const exponentText = `e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
  if (form === 'e') return `${sign}${mantissa}${exponentText}`;
  const trimmed = mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa;
  const digits = trimmed.replace('.', '').length;
  const limit = significant === null ? 6 : significant > digits && digits >= exponent + 1 ? digits : significant;
  if (exponent < -4 || exponent >= limit) return `${sign}${trimmed}${exponentText}`;
  return sign + plainDigits(Number(`${trimmed}e${exponent}`));
}

/** Without an exponent, however large or small. */
function plainDigits(size: number): string {
  const text = String(size);
  const match = /^(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (match === null) return text;
  const digits = `${match[1]}${match[2] ?? ''}`;
  const power = Number(match[3]);
  if (power < 0) return `0.${'0'.repeat(-power - 1)}${digits}`;
  return digits.padEnd(power + 1, '0');
}

/** Exact, as Go rounds: to the nearest, ties to even of the exact binary value. */
function toFixed(size: number, precision: number): string {
  if (size < 1e21 && precision <= 100) {
    const rounded = size.toFixed(precision);
    const exact = size.toFixed(Math.min(100, precision + 60));
    const point = exact.indexOf('.') + (precision === 0 ? 0 : precision + 1);
    const isTie = /^\.?50*$/.test(exact.slice(point));
    // toFixed rounds a tie up.
    return isTie && /[02468]\.?$/.test(exact.slice(0, point)) ? exact.slice(0, point) : rounded;
  }
  return precision === 0 ? BigInt(size).toString() : `${BigInt(size)}.${'0'.repeat(precision)}`;
}

/** strconv.Quote */
export function quoteText(text: string): string {
  const names: Readonly<Record<string, string>> = {
    '\x07': '\\a',
    '\b': '\\b',
    '\f': '\\f',
    '\n': '\\n',
    '\r': '\\r',
    '\t': '\\t',
    '\v': '\\v',
    '"': '\\"',
    '\\': '\\\\',
  };
  let quoted = '';
  for (const letter of text) {
    const code = letter.codePointAt(0) ?? 0;
    if (names[letter] !== undefined) quoted += names[letter];
    else if (code >= 0xdc80 && code <= 0xdcff) quoted += `\\x${(code - 0xdc00).toString(16)}`;
    else if (code < 0x20 || code === 0x7f) quoted += `\\x${code.toString(16).padStart(2, '0')}`;
    else if (/\p{C}|\p{Z}/u.test(letter) && letter !== ' ') {
      quoted += code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
    } else quoted += letter;
  }
  return `"${quoted}"`;
}
