// Frames of change batches: what goes in comes out, and nothing else comes out of anything else.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import type { DictionaryColumn } from '../../../runtime/batch/column.ts';
import { hashRows, rowEquality } from '../../../runtime/batch/row-key.ts';
import { makeSchema } from '../../../runtime/batch/schema.ts';
import { MillraceError } from '../../../runtime/errors.ts';
import { decodeBatch, encodeBatch } from '../../../runtime/wire/batch-codec.ts';
import { openEnvelope, sealEnvelope } from '../../../runtime/wire/envelope.ts';
import { unpack } from '../../../runtime/wire/msgpack.ts';
import { arbitraryBatch, rowsOfBatch } from '../batch/arbitrary-batch.ts';

const numRuns = process.env['MILLRACE_LONG'] === undefined ? 250 : 50_000;

test('a batch of any schema comes back as it was, with its sequence', () => {
  fc.assert(
    fc.property(arbitraryBatch(), fc.maxSafeNat(), (batch, sequence) => {
      const decoded = decodeBatch(encodeBatch(batch, sequence), batch.schema);
      assert.is(decoded.sequence, sequence);
      assert.equal(rowsOfBatch(decoded.batch), rowsOfBatch(batch));
    }),
    { numRuns },
  );
});

test('a frame is one msgpack value whose arrays are aligned and lie in its own buffer', () => {
  fc.assert(
    fc.property(arbitraryBatch(), (batch) => {
      const frame = encodeBatch(batch);
      assert.is((unpack(new Uint8Array(frame)) as unknown[]).length, 3);
      for (const column of decodeBatch(frame, batch.schema).batch.columns) {
        for (const array of Object.values(column)) {
          if (!ArrayBuffer.isView(array)) continue;
          assert.is(array.buffer, frame);
          assert.is(array.byteOffset % 8, 0);
        }
      }
    }),
    { numRuns },
  );
});

test('a dictionary whose entries repeat goes as the strings of the rows', () => {
  const schema = makeSchema([{ name: 's', type: { kind: 'VARCHAR', length: null }, nullable: true }]);
  const bytes = new TextEncoder().encode('aaab'.padEnd(4 + 60, 'x'));
  const dictionary = { identity: {}, size: 4, offsets: Int32Array.of(0, 1, 2, 2, 64), bytes, repeats: true };
  const column: DictionaryColumn = {
    layout: 'dictionary',
    type: schema.fields[0]!.type,
    validity: Uint8Array.of(0b10111),
    codes: Int32Array.of(0, 3, 1, 2_000_000, 2),
    dictionary,
  };
  const batch = { schema, rows: 5, weights: null, columns: [column], presence: null };
  const decoded = decodeBatch(encodeBatch(batch), schema).batch;
  assert.is(decoded.columns[0]?.layout, 'bytes');
  assert.equal(rowsOfBatch(decoded), rowsOfBatch(batch));
  const equal = rowEquality([column]);
  assert.ok(equal(0, 2) && !equal(0, 1) && !equal(0, 3));
  const hashes = hashRows([column], 5, true);
  assert.is(hashes[0], hashes[2]);
});

test('a frame that was cut anywhere is refused', () => {
  fc.assert(
    fc.property(arbitraryBatch(), fc.nat(), (batch, cut) => {
      const frame = encodeBatch(batch);
      assert.is(
        codeOf(() => decodeBatch(frame.slice(0, cut % frame.byteLength), batch.schema)),
        'wire.frame_corrupt',
      );
    }),
    { numRuns },
  );
});

test('a frame with flipped bits is refused', () => {
  fc.assert(
    fc.property(arbitraryBatch(), fc.nat(), fc.integer({ min: 1, max: 255 }), (batch, at, flip) => {
      const frame = encodeBatch(batch);
      new Uint8Array(frame)[at % frame.byteLength]! ^= flip;
      assert.is(
        codeOf(() => decodeBatch(frame, batch.schema)),
        'wire.frame_corrupt',
      );
    }),
    { numRuns },
  );
});

test('a frame that stays in memory has no checksum, and is refused where one is needed', () => {
  fc.assert(
    fc.property(arbitraryBatch(), fc.maxSafeNat(), (batch, sequence) => {
      const frame = encodeBatch(batch, sequence, 'in memory');
      const decoded = decodeBatch(frame, batch.schema, 'in memory');
      assert.is(decoded.sequence, sequence);
      assert.equal(rowsOfBatch(decoded.batch), rowsOfBatch(batch));
      assert.is(
        codeOf(() => decodeBatch(frame, batch.schema)),
        'wire.frame_corrupt',
      );
    }),
    { numRuns },
  );
});

test('a checksum counts wherever it is', () => {
  const batch = dictionaryBatch(3, 2);
  const frame = encodeBatch(batch);
  assert.equal(rowsOfBatch(decodeBatch(frame, batch.schema, 'in memory').batch), rowsOfBatch(batch));
  new Uint8Array(frame)[frame.byteLength - 1]! ^= 1;
  assert.is(
    codeOf(() => decodeBatch(frame, batch.schema, 'in memory')),
    'wire.frame_corrupt',
  );
});

test('a forged header or body with a right checksum is refused or read within bounds, never another exception', () => {
  fc.assert(
    fc.property(arbitraryBatch(), fc.nat(), forgery, forgedNumber, (batch, pick, how, number) => {
      assertRefusedOrSound(forge(encodeBatch(batch), pick, how, number), batch);
    }),
    { numRuns: numRuns * 4 },
  );
});

test('every number in a header may be any other number', () => {
  for (const [rows, isPlain] of [
    [0, true],
    [9, true],
    [9, false],
  ] as const) {
    const type = { kind: 'DECIMAL', precision: 30, scale: 2 } as const;
    const fixed = { layout: 'fixed', type, validity: new Uint8Array(2), values: new BigInt64Array(rows * 2) } as const;
    const strings = dictionaryBatch(rows, 3);
    const fields = [{ name: 'd', type, nullable: true }, ...strings.schema.fields];
    const weights = isPlain ? null : new Int32Array(rows).fill(-1);
    const presence = isPlain ? null : new Uint8Array(rows).fill(3);
    const columns = [fixed, ...strings.columns];
    const batch = { schema: makeSchema(fields), rows, weights, columns, presence };
    for (let pick = 0; pick < 22; pick++) {
      for (const number of oddNumbers)
        assertRefusedOrSound(forge(encodeBatch(batch), pick, 'number in header', number), batch);
    }
  }
});

test('bytes that are no frame are refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const schema = makeSchema([{ name: 'a', type: { kind: 'BIGINT' }, nullable: false }]);
      assert.is(
        codeOf(() => decodeBatch(bytes.slice().buffer, schema)),
        'wire.frame_corrupt',
      );
    }),
    { numRuns },
  );
});

test('a frame of other columns is refused as a schema mismatch', () => {
  const schema = makeSchema([{ name: 'a', type: { kind: 'BIGINT' }, nullable: false }]);
  const other = makeSchema([{ name: 'b', type: { kind: 'BIGINT' }, nullable: false }]);
  const values = new BigInt64Array([1n]);
  const column = { layout: 'fixed', type: { kind: 'BIGINT' }, validity: null, values } as const;
  const frame = encodeBatch({ schema, rows: 1, weights: null, columns: [column], presence: null });
  assert.is(
    codeOf(() => decodeBatch(frame, other)),
    'wire.schema_mismatch',
  );
});

test('weights that are all +1 are not sent', () => {
  const weights = new Int32Array([1, 1, 1]);
  const frame = encodeBatch({ ...dictionaryBatch(3, 2), weights });
  assert.is(decodeBatch(frame, dictionaryBatch(3, 2).schema).batch.weights, null);
});

test('of a large dictionary only the entries in use are sent, and the receiver has a dictionary of its own', () => {
  const batch = dictionaryBatch(10, 100_000);
  const frame = encodeBatch(batch);
  assert.ok(frame.byteLength < 1_000);
  const decoded = decodeBatch(frame, batch.schema).batch;
  assert.equal(rowsOfBatch(decoded), rowsOfBatch(batch));
  const [column] = decoded.columns;
  assert.is(column?.layout, 'dictionary');
  assert.is((column as DictionaryColumn).dictionary.size, 10);
  assert.is.not(
    (column as DictionaryColumn).dictionary.identity,
    (batch.columns[0] as DictionaryColumn).dictionary.identity,
  );
});

function dictionaryBatch(rows: number, entries: number): ChangeBatch {
  const type = { kind: 'VARCHAR', length: null } as const;
  const offsets = Int32Array.from({ length: entries + 1 }, (_, i) => i * 5);
  const bytes = new TextEncoder().encode(
    Array.from({ length: entries }, (_, i) => String(i).padStart(5, '0')).join(''),
  );
  const codes = Int32Array.from({ length: rows }, (_, row) => (row * 7_919) % entries);
  const dictionary = { identity: {}, size: entries, offsets, bytes };
  const schema = makeSchema([{ name: 's', type, nullable: false }]);
  const columns = [{ layout: 'dictionary', type, validity: null, codes, dictionary } as const];
  return { schema, rows, weights: null, columns, presence: null };
}

function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof MillraceError) return error.code;
    throw error;
  }
  return 'nothing thrown';
}

function assertRefusedOrSound(frame: ArrayBuffer, batch: ChangeBatch): void {
  let decoded: ChangeBatch;
  try {
    decoded = decodeBatch(frame, batch.schema).batch;
  } catch (error) {
    assert.instance(error, MillraceError);
    assert.match((error as MillraceError).code, /^wire\.(frame_corrupt|schema_mismatch)$/);
    return;
  }
  // Whatever was accepted can be read to its end: no value is missing.
  for (const row of rowsOfBatch(decoded)) assert.not.ok(row.includes(undefined));
}

const oddNumbers = [
  0,
  1,
  7,
  8,
  16,
  -1,
  2 ** 31 - 8,
  2 ** 31 - 7,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 40,
  0.5,
  Number.NaN,
];
const forgery = fc.constantFrom('number in header', 'header gone', 'body');
const forgedNumber = fc.oneof(fc.constantFrom(...oddNumbers), fc.integer({ min: 0, max: 200 }));

/** A frame with another number somewhere in its header, or other bytes in its body, and a checksum to match. */
function forge(frame: ArrayBuffer, pick: number, how: string, number: number): ArrayBuffer {
  const { header, bodyAt, bodyBytes } = openEnvelope(frame, 'checked');
  const body = new Uint8Array(frame.slice(bodyAt));
  if (how === 'body' && bodyBytes > 0) body[pick % bodyBytes] = number;
  const forged =
    how === 'number in header' ? withNumber(header, pick, number) : how === 'header gone' ? number : header;
  return sealEnvelope(forged, bodyBytes, 'checked', (made, at) => new Uint8Array(made, at).set(body));
}

function withNumber(header: unknown, pick: number, number: number): unknown {
  const places: [holder: Record<string, unknown>, key: string][] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    const holder = value as Record<string, unknown>;
    for (const [key, item] of Object.entries(holder)) {
      places.push([holder, key]);
      visit(item);
    }
  };
  visit(header);
  const [holder, key] = places[pick % places.length]!;
  holder[key] = number;
  return header;
}

test.run();
