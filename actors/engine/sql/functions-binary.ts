// Functions on byte strings, and concatenation. Positions count bytes from 1.
import { gunzipSync } from 'node:zlib';
import { InvalidArgument } from './evaluation-errors.ts';
import type { FunctionDefinition } from './function-definition.ts';
import { strictRow, typed, types } from './function-rows.ts';
import { xxHash64 } from './xx-hash.ts';

const { bytes, text, integer, bigint } = types;

export const binaryFunctions: readonly FunctionDefinition[] = [
  {
    name: '||',
    synopsis: 'x || y',
    category: 'operator',
    summary: 'Two strings, or two byte strings, one after the other.',
    example: ["'Post' || 'greSQL'", "'PostgreSQL'"],
    deterministic: true,
    overloads: [
      strictRow(
        ['binary', 'binary'],
        bytes,
        typed((x: Uint8Array, y: Uint8Array) => new Uint8Array([...x, ...y])),
      ),
      strictRow(
        ['text', 'text'],
        text,
        typed((x: string, y: string) => x + y),
      ),
    ],
  },
  define(
    'octet_length',
    'OCTET_LENGTH(x)',
    'Number of bytes, of a string in UTF-8.',
    ["OCTET_LENGTH(X'0abc')", '2'],
    [
      strictRow(
        ['binary'],
        integer,
        typed((x: Uint8Array) => x.length),
      ),
      strictRow(
        ['characters'],
        integer,
        typed((x: string) => Buffer.byteLength(x)),
      ),
    ],
  ),
  define(
    'xxhash',
    'XXHASH(x [, seed])',
    'The 64 bits of XXH64 of bytes, or of a text in UTF-8, as a BIGINT.',
    ["XXHASH('')", '-1205034819632174695'],
    [
      strictRow(
        ['binary', 'BIGINT'],
        bigint,
        typed((x: Uint8Array, seed: bigint | undefined) => hash64(x, seed)),
        { optional: 1 },
      ),
      strictRow(
        ['characters', 'BIGINT'],
        bigint,
        typed((x: string, seed: bigint | undefined) => hash64(Buffer.from(x), seed)),
        { optional: 1 },
      ),
    ],
  ),
  define(
    'to_hex',
    'TO_HEX(x)',
    'Hexadecimal digits of the bytes, lower case.',
    ["TO_HEX(X'0ABC')", "'0abc'"],
    [
      strictRow(
        ['binary'],
        text,
        typed((x: Uint8Array) => Buffer.from(x).toString('hex')),
      ),
      strictRow(
        ['characters'],
        text,
        typed((x: string) => Buffer.from(x).toString('hex')),
      ),
    ],
  ),
  define(
    'from_hex',
    'FROM_HEX(x)',
    'The bytes that hexadecimal digits spell.',
    ["FROM_HEX('0abc')", "X'0ABC'"],
    [strictRow(['string'], bytes, typed(fromHex), { canFail: true })],
  ),
  define(
    'bin2utf8',
    'BIN2UTF8(x)',
    'The bytes read as UTF-8, NULL when they are not.',
    ["BIN2UTF8(X'4041')", "'@A'"],
    [strictRow(['binary'], text, typed(readUtf8), { nullable: true })],
  ),
  define(
    'gunzip',
    'GUNZIP(x)',
    'The text that bytes in gzip format hold.',
    ["GUNZIP(X'1f8b08000000000000ff4b4bcd49492d4a0400218115ac07000000')", "'feldera'"],
    [strictRow(['binary'], text, typed(gunzip), { canFail: true })],
  ),
  define(
    'to_int',
    'TO_INT(x)',
    'The first four bytes as an INTEGER, the highest first.',
    ["TO_INT(X'0abc')", '2748'],
    [
      strictRow(['binary'], integer, typed(firstInteger)),
      strictRow(
        ['characters'],
        integer,
        typed((x: string) => firstInteger(Buffer.from(x))),
      ),
    ],
  ),
];

function define(
  name: string,
  synopsis: string,
  summary: string,
  example: FunctionDefinition['example'],
  overloads: FunctionDefinition['overloads'],
): FunctionDefinition {
  return { name, synopsis, category: 'binary', summary, example, deterministic: true, overloads };
}

function firstInteger(x: Uint8Array): number {
  return x.slice(0, 4).reduce((sum, byte) => (sum << 8) | byte, 0);
}

function gunzip(x: Uint8Array): string {
  try {
    return gunzipSync(x, { maxOutputLength: textBytesMax }).toString();
  } catch (cause) {
    throw new InvalidArgument({ function: 'GUNZIP', detail: 'the bytes are not in gzip format' }, { cause });
  }
}

/** What a text that comes out of few bytes may take. */
const textBytesMax = 1 << 26;

function fromHex(x: string): Uint8Array {
  if (/^(?:[0-9a-fA-F]{2})*$/.test(x)) return new Uint8Array(Buffer.from(x, 'hex'));
  throw new InvalidArgument({
    function: 'FROM_HEX',
    detail: `'${x.slice(0, 100)}' is not an even number of hexadecimal digits`,
  });
}

function readUtf8(x: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(x);
  } catch {
    return null;
  }
}

function hash64(bytes: Uint8Array, seed: bigint | undefined): bigint {
  return BigInt.asIntN(64, xxHash64(bytes, BigInt.asUintN(64, seed ?? 0n)));
}
