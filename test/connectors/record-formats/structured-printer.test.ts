// JSON of structured data from its bytes: what the same data prints as objects, in both shapes, and nothing worse than an error for rubbish.
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { PrintedBytes } from '../../../connectors/record-formats/printed-bytes.ts';
import { printStructured } from '../../../connectors/record-formats/structured-printer.ts';
import { printJson } from '../../../connectors/sdk/exact-json.ts';
import { encodeStruct } from '../../../connectors/sdk/protobuf-struct.ts';
import type { StructuredValue } from '../../../connectors/sdk/record.ts';
import { dataShape } from '../../../connectors/sdk/record-batch.ts';
import { packStructured } from '../../../connectors/sdk/structured-data.ts';
import { MillraceError } from '../../../runtime/errors.ts';

const names = fc
  .oneof(
    fc.string({ unit: 'binary', maxLength: 6 }),
    fc.string({ minLength: 30, maxLength: 70 }),
    fc.constantFrom('a', 'B', '10', '2', '\u{1f600}', '\uffee'),
  )
  .filter((name) => name !== '__proto__');
const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('<&>"\\', '\u2028\b\f\n\r\t\u0001\u007f', 'x'.repeat(300)),
);

function values(exact: boolean): fc.Arbitrary<StructuredValue> {
  const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  const bytes = fc.uint8Array({ maxLength: 20 }).map((array): Uint8Array => new Uint8Array(array));
  const { value } = fc.letrec<{ value: StructuredValue }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      texts,
      // MessagePack writes -0 as the integer 0.
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => (exact && number === 0 ? 0 : number)),
      fc.integer(),
      fc.constantFrom(0, 1e-7, 1e21, 4294967295, -2147483648, 2147483648),
      fc.boolean(),
      fc.constant(null),
      ...(exact ? [int64, bytes] : []),
      fc.array(tie('value'), { maxLength: 20 }),
      fc.dictionary(names, tie('value'), { maxKeys: 18, noNullPrototype: true }),
    ),
  }));
  return value;
}

function printed(bytes: Uint8Array, shape: number): string {
  const output = new PrintedBytes();
  // The data lies in the middle of a column.
  const column = new Uint8Array([7, ...bytes, 9]);
  printStructured(column, 1, 1 + bytes.length, shape, output);
  return Buffer.from(output.bytes.subarray(0, output.length)).toString();
}

for (const [title, shape, exact, encode] of [
  ['MessagePack', dataShape.msgpack, true, packStructured],
  ['google.protobuf.Struct', dataShape.struct, false, encodeStruct],
] as const) {
  test(`${title} prints as the same data does as an object`, () => {
    fc.assert(
      fc.property(fc.dictionary(names, values(exact), { maxKeys: 20, noNullPrototype: true }), (data) => {
        assert.is(printed(encode(data), shape), printJson(data));
      }),
      { numRuns: 300 },
    );
  });

  test(`${title} that is cut or changed is refused with a coded error, or prints something`, () => {
    const data = encode({ a: [1, 'text', { b: null }], c: 'é'.repeat(40), d: true });
    fc.assert(
      fc.property(fc.nat(data.length), fc.nat(data.length - 1), fc.nat(255), (length, at, byte) => {
        const rubbish = data.slice(0, length);
        if (at < length) rubbish[at] = byte;
        try {
          printed(rubbish, shape);
        } catch (thrown) {
          if (!(thrown instanceof MillraceError)) throw thrown;
        }
      }),
      { numRuns: 2000 },
    );
  });
}

test.run();
