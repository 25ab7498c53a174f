// String functions. Positions count characters from 1.
import { createHash } from 'node:crypto';
import { lastBytes, overlayBytes, sliceBytes } from './byte-editing.ts';
import type { FunctionDefinition } from './function-definition.ts';
import { strictRow, typed, types } from './function-rows.ts';
import { countCharacters, positionOf, reverseCharacters, sliceCharacters } from './text-characters.ts';
import {
  capitalize,
  chr,
  concatWithSeparator,
  overlay,
  pad,
  repeat,
  replace,
  right,
  splitPart,
  substr,
  substring,
  translate,
  trim,
} from './text-editing.ts';

const { text, integer, boolean } = types;

export const stringFunctions: readonly FunctionDefinition[] = [
  define(
    'upper',
    ['ucase'],
    'UPPER(x)',
    'Upper case.',
    ["UPPER('tom')", "'TOM'"],
    [
      strictRow(
        ['string'],
        text,
        typed((x: string) => x.toUpperCase()),
      ),
    ],
  ),
  define(
    'lower',
    ['lcase'],
    'LOWER(x)',
    'Lower case.',
    ["LOWER('TOM')", "'tom'"],
    [
      strictRow(
        ['string'],
        text,
        typed((x: string) => x.toLowerCase()),
      ),
    ],
  ),
  define(
    'initcap',
    [],
    'INITCAP(x)',
    'First letter of each word in upper case, the rest in lower case.',
    ["INITCAP('hi THOMAS-son')", "'Hi Thomas-Son'"],
    [
      strictRow(
        ['string'],
        text,
        typed((x: string) => capitalize(x, /[\p{L}\p{N}]+/gu)),
      ),
    ],
  ),
  define(
    'initcap_spaces',
    [],
    'INITCAP_SPACES(x)',
    'INITCAP where only spaces part words.',
    ["INITCAP_SPACES('hi THOMAS-SON')", "'Hi Thomas-son'"],
    [
      strictRow(
        ['string'],
        text,
        typed((x: string) => capitalize(x, /[^ ]+/g)),
      ),
    ],
  ),
  define(
    'char_length',
    ['character_length', 'length', 'len'],
    'CHAR_LENGTH(x)',
    'Number of characters.',
    ["CHAR_LENGTH('josé')", '4'],
    [
      strictRow(
        ['string'],
        integer,
        typed((x: string) => countCharacters(x)),
      ),
    ],
  ),
  define(
    'trim',
    ['btrim'],
    'TRIM([LEADING | TRAILING | BOTH] [characters FROM] x)',
    'Removes characters (a space) from both ends.',
    ["TRIM(BOTH 'xyz' FROM 'yxTomxx')", "'Tom'"],
    [
      strictRow(
        ['string', 'string'],
        text,
        typed((x: string, set?: string) => trim(x, set, true, true)),
        { optional: 1 },
      ),
    ],
  ),
  define(
    'ltrim',
    [],
    'LTRIM(x [, characters])',
    'Removes characters (a space) from the start.',
    ["LTRIM('  a ')", "'a '"],
    [
      strictRow(
        ['string', 'string'],
        text,
        typed((x: string, set?: string) => trim(x, set, true, false)),
        { optional: 1 },
      ),
    ],
  ),
  define(
    'rtrim',
    [],
    'RTRIM(x [, characters])',
    'Removes characters (a space) from the end.',
    ["RTRIM(' a  ')", "' a'"],
    [
      strictRow(
        ['string', 'string'],
        text,
        typed((x: string, set?: string) => trim(x, set, false, true)),
        { optional: 1 },
      ),
    ],
  ),
  define(
    'substring',
    [],
    'SUBSTRING(x FROM start [FOR count])',
    'Characters from `start`; those before the first one count.',
    ["SUBSTRING('Thomas' FROM 2 FOR 3)", "'hom'"],
    [
      strictRow(['binary', 'BIGINT', 'BIGINT'], types.bytes, typed(sliceBytes), { optional: 1 }),
      strictRow(['string', 'BIGINT', 'BIGINT'], text, typed(substring), { optional: 1 }),
    ],
  ),
  define(
    'substr',
    [],
    'SUBSTR(x, start [, count])',
    'Characters from `start`; a negative start counts from the end.',
    ["SUBSTR('Thomas', -3, 2)", "'ma'"],
    [
      strictRow(['binary', 'BIGINT', 'BIGINT'], types.bytes, typed(sliceBytes), { optional: 1 }),
      strictRow(['string', 'BIGINT', 'BIGINT'], text, typed(substr), { optional: 1 }),
    ],
  ),
  define(
    'left',
    [],
    'LEFT(x, count)',
    'The first characters.',
    ["LEFT('abcde', 2)", "'ab'"],
    [
      strictRow(
        ['binary', 'BIGINT'],
        types.bytes,
        typed((x: Uint8Array, count: bigint) => sliceBytes(x, 1n, count)),
      ),
      strictRow(
        ['string', 'BIGINT'],
        text,
        typed((x: string, count: bigint) => sliceCharacters(x, 0, Number(count))),
      ),
    ],
  ),
  define(
    'right',
    [],
    'RIGHT(x, count)',
    'The last characters.',
    ["RIGHT('abcde', 2)", "'de'"],
    [
      strictRow(['binary', 'BIGINT'], types.bytes, typed(lastBytes)),
      strictRow(['string', 'BIGINT'], text, typed(right)),
    ],
  ),
  define(
    'position',
    [],
    'POSITION(needle IN x)',
    'Where `needle` begins first, 0 when it does not occur.',
    ["POSITION('om' IN 'Thomas')", '3'],
    [
      strictRow(
        ['binary', 'binary'],
        types.integer,
        typed((needle: Uint8Array, x: Uint8Array) => Buffer.from(x).indexOf(needle) + 1),
      ),
      strictRow(
        ['string', 'string'],
        integer,
        typed((needle: string, x: string) => positionOf(needle, x)),
      ),
    ],
  ),
  define(
    'strpos',
    [],
    'STRPOS(x, needle)',
    'The same as POSITION(needle IN x).',
    ["STRPOS('Thomas', 'om')", '3'],
    [
      strictRow(
        ['string', 'string'],
        integer,
        typed((x: string, needle: string) => positionOf(needle, x)),
      ),
    ],
  ),
  define(
    'replace',
    [],
    'REPLACE(x, needle, replacement)',
    'Replaces every occurrence.',
    ["REPLACE('abcdabcd', 'cd', 'X')", "'abXabX'"],
    [strictRow(['string', 'string', 'string'], text, typed(replace), { canFail: true })],
  ),
  define(
    'translate',
    [],
    'TRANSLATE(x, from, to)',
    'Replaces each character of `from` with the one of `to` at its place, or removes it.',
    ["TRANSLATE('a-b.c', '-.', '_')", "'a_bc'"],
    [strictRow(['string', 'string', 'string'], text, typed(translate))],
  ),
  define(
    'overlay',
    [],
    'OVERLAY(x PLACING y FROM start [FOR count])',
    'Replaces `count` characters from `start` with y.',
    ["OVERLAY('Txxxxas' PLACING 'hom' FROM 2 FOR 4)", "'Thomas'"],
    [
      strictRow(['binary', 'binary', 'BIGINT', 'BIGINT'], types.bytes, typed(overlayBytes), { optional: 1 }),
      strictRow(['string', 'string', 'BIGINT', 'BIGINT'], text, typed(overlay), { optional: 1 }),
    ],
  ),
  define(
    'repeat',
    [],
    'REPEAT(x, count)',
    'x, `count` times.',
    ["REPEAT('Pg', 3)", "'PgPgPg'"],
    [strictRow(['string', 'BIGINT'], text, typed(repeat), { canFail: true })],
  ),
  define(
    'reverse',
    [],
    'REVERSE(x)',
    'The characters in reverse order.',
    ["REVERSE('abc')", "'cba'"],
    [strictRow(['string'], text, typed(reverseCharacters))],
  ),
  define(
    'split_part',
    [],
    'SPLIT_PART(x, delimiter, n)',
    'The n-th part between delimiters; from the end when n is negative.',
    ["SPLIT_PART('a|b|c', '|', -1)", "'c'"],
    [strictRow(['string', 'string', 'BIGINT'], text, typed(splitPart))],
  ),
  define(
    'concat',
    [],
    'CONCAT(x, …)',
    'The texts of all arguments, one after another.',
    ["CONCAT('a', 1, 'b')", "'a1b'"],
    [
      strictRow(
        ['text'],
        text,
        typed((...parts: string[]) => parts.join('')),
        { variadic: true },
      ),
    ],
  ),
  define(
    'concat_ws',
    [],
    'CONCAT_WS(separator, x, …)',
    'The texts of all arguments with a separator between them; a NULL of a column is an empty text, NULL as it is written is left out.',
    ["CONCAT_WS(',', 'a', NULL, 'b')", "'a,b'"],
    [
      {
        ...strictRow(['string', 'text'], text, typed(concatWithSeparator), { variadic: true }),
        strict: false,
        nullable: true,
      },
    ],
  ),
  define(
    'ascii',
    [],
    'ASCII(x)',
    'Code point of the first character, 0 for the empty string.',
    ["ASCII('x')", '120'],
    [
      strictRow(
        ['string'],
        integer,
        typed((x: string) => x.codePointAt(0) ?? 0),
      ),
    ],
  ),
  define(
    'chr',
    [],
    'CHR(code)',
    'The character with a code point, the empty string when there is none.',
    ['CHR(65)', "'A'"],
    [strictRow(['BIGINT'], text, typed(chr))],
  ),
  define(
    'lpad',
    [],
    'LPAD(x, length [, fill])',
    'Fills on the left (with spaces), or cuts, to a length.',
    ["LPAD('7', 3, '0')", "'007'"],
    [
      strictRow(
        ['string', 'BIGINT', 'string'],
        text,
        typed((x: string, length: bigint, fill?: string) => pad(x, length, fill, true)),
        { optional: 1, canFail: true },
      ),
    ],
  ),
  define(
    'rpad',
    [],
    'RPAD(x, length [, fill])',
    'Fills on the right (with spaces), or cuts, to a length.',
    ["RPAD('7', 3, '.')", "'7..'"],
    [
      strictRow(
        ['string', 'BIGINT', 'string'],
        text,
        typed((x: string, length: bigint, fill?: string) => pad(x, length, fill, false)),
        { optional: 1, canFail: true },
      ),
    ],
  ),
  define(
    'starts_with',
    ['startswith'],
    'STARTS_WITH(x, prefix)',
    'Whether x begins with a prefix.',
    ["STARTS_WITH('abc', 'ab')", 'TRUE'],
    [
      strictRow(
        ['string', 'string'],
        boolean,
        typed((x: string, prefix: string) => x.startsWith(prefix)),
      ),
    ],
  ),
  define(
    'ends_with',
    ['endswith'],
    'ENDS_WITH(x, suffix)',
    'Whether x ends with a suffix.',
    ["ENDS_WITH('abc', 'bc')", 'TRUE'],
    [
      strictRow(
        ['string', 'string'],
        boolean,
        typed((x: string, suffix: string) => x.endsWith(suffix)),
      ),
    ],
  ),
  define(
    'md5',
    [],
    'MD5(x)',
    'MD5 checksum in hexadecimal.',
    ["MD5('Feldera')", "'841afc2f65b5763600818ef42a56d7d1'"],
    [
      strictRow(
        ['string'],
        text,
        typed((x: string) => createHash('md5').update(x).digest('hex')),
      ),
      strictRow(
        ['binary'],
        text,
        typed((x: Uint8Array) => createHash('md5').update(x).digest('hex')),
      ),
    ],
  ),
];

function define(
  name: string,
  aliases: readonly string[],
  synopsis: string,
  summary: string,
  example: FunctionDefinition['example'],
  overloads: FunctionDefinition['overloads'],
): FunctionDefinition {
  return { name, aliases, synopsis, category: 'string', summary, example, deterministic: true, overloads };
}
