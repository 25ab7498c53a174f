// Record batches: written as other clients read them and read as others write them, however the socket has cut them; keys go to the
// partitions where other clients put them.
import {
  compressionsAlgorithms,
  crc32c,
  createRecordsBatch,
  Reader,
  readRecordsBatch,
  murmur2 as reference,
} from '@platformatic/kafka';
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { splitBatch } from '../../../connectors/kafka/batch-splitting.ts';
import { murmur2, partitionOfKey } from '../../../connectors/kafka/key-partition.ts';
import {
  type BatchSeal,
  encodeHeaders,
  type HeaderValue,
  RecordBatchWriter,
  sealBatch,
} from '../../../connectors/kafka/record-batch-writer.ts';
import { readHeaders } from '../../../connectors/kafka/record-headers.ts';
import { RecordSet, surveySet } from '../../../connectors/kafka/record-set.ts';
import { RecordValues } from '../../../connectors/kafka/record-values.ts';

const noHeaders = encodeHeaders(new Map());

interface Message {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}

const buffer = (maxLength: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes));
const message: fc.Arbitrary<Message> = fc.record(
  {
    key: fc.option(buffer(20)),
    value: fc.option(fc.oneof(buffer(40), buffer(700))),
    headers: fc.dictionary(fc.string({ minLength: 1, maxLength: 5 }), fc.string({ maxLength: 10 }), {
      maxKeys: 3,
      noNullPrototype: true,
    }),
  },
  { noNullPrototype: true },
);
const messages = fc.array(message, { minLength: 1, maxLength: 60 });
const plain: BatchSeal = { producerId: 7n, producerEpoch: 3, sequence: 11, compression: null, crc32c };

function write(list: readonly Message[], bytesMax = 1 << 20): RecordBatchWriter {
  const writer = new RecordBatchWriter(1_787_322_851_123, bytesMax);
  for (const { key, value, headers } of list)
    append(writer, key, value, encodeHeaders(new Map(Object.entries(headers))));
  return writer;
}

function append(writer: RecordBatchWriter, key: Buffer | null, value: Buffer | null, headers: Uint8Array): boolean {
  const source = Buffer.concat([Buffer.from('..'), key ?? Buffer.alloc(0), value ?? Buffer.alloc(0)]);
  const middle = 2 + (key?.length ?? 0);
  return writer.append(source, 2, key === null ? -1 : middle, middle, value === null ? -1 : source.length, headers);
}

/** As the library reads it. */
function records(batch: Buffer): readonly Message[] {
  return readRecordsBatch(Reader.from(batch)).records.map(({ key, value, headers }) => ({
    key: key ?? null,
    value: value ?? null,
    headers: Object.fromEntries([...headers].map(([name, own]) => [String(name), String(own)])),
  }));
}

test('a batch is read by the library as the messages that it was written of', () => {
  fc.assert(
    fc.property(messages, fc.constantFrom('none', 'gzip', 'lz4', 'snappy'), (list, name) => {
      const algorithm = name === 'none' ? null : compressionsAlgorithms[name as 'gzip' | 'lz4' | 'snappy'];
      const compression =
        algorithm === null
          ? null
          : { bitmask: algorithm.bitmask, compress: (bytes: Buffer) => algorithm.compressSync(bytes) };
      const sealed = sealBatch(write(list).finish(), { ...plain, compression });
      assert.equal(records(sealed), list);
      const head = readRecordsBatch(Reader.from(sealed));
      assert.equal([head.producerId, head.producerEpoch, head.firstSequence, head.magic], [7n, 3, 11, 2]);
      assert.is(head.crc, crc32c(sealed.subarray(21)) >>> 0);
    }),
  );
});

test('batches of the library give their values, also where the broker has cut the last one', () => {
  fc.assert(
    fc.property(fc.array(messages, { minLength: 1, maxLength: 4 }), fc.nat(30), (sets, skipped) => {
      let offset = 0n;
      const batches = sets.map((list) => {
        const made = createRecordsBatch(
          list.map(({ key, value, headers }) => {
            const map = new Map(Object.entries(headers).map(([name, text]) => [Buffer.from(name), Buffer.from(text)]));
            // SAFETY: the types of the library leave messages without a value out.
            return { topic: 't', key: key as Buffer, value: value as Buffer, headers: map };
          }),
        );
        const bytes = Buffer.from(made.buffer);
        bytes.writeBigInt64BE(offset, 0);
        offset += BigInt(list.length);
        return bytes;
      });
      // The broker cuts the last batch where its answer is full.
      const whole = Buffer.concat([...batches, batches[0]!.subarray(0, batches[0]!.length - 1)]);
      const wanted = Math.min(skipped, Number(offset) - 1);
      const expected = sets
        .flat()
        .map(({ value }, i) => ({ value, i }))
        .filter(({ value, i }) => i >= wanted && value !== null);
      const decompress = (): never => assert.unreachable() as never;
      const set = new RecordSet({ records: whole, aborted: [], decompress, details: null, filter: null }, wanted);
      const values = new RecordValues();
      const seen: { value: Buffer; i: number }[] = [];
      while (set.read(values)) {
        for (let v = 0; v < values.count; v++) {
          const value = Buffer.from(values.bytes.slice(values.starts[v], values.ends[v]));
          assert.is(values.bytes[values.ends[v]!], 10);
          seen.push({ value, i: values.offsets[v]! });
        }
      }
      assert.equal(seen, expected);
      assert.is(set.nextOffset, Number(offset));
      assert.equal(surveySet(whole, 0), { behind: Number(offset), isPacked: false });
    }),
  );
});

test('a batch that is too large becomes two with the same messages in the same order', () => {
  fc.assert(
    fc.property(messages, (list) => {
      const halves = splitBatch(write(list).finish(), 1);
      if (list.length < 2) {
        assert.is(halves, null);
        return;
      }
      const parts = halves?.map((half) => records(sealBatch(half.finish(), plain))) ?? [];
      assert.equal(parts.flat(), list);
      assert.ok(parts.every((part) => part.length > 0));
    }),
  );
});

test('a batch takes no more than it may, but one message of any size', () => {
  const writer = new RecordBatchWriter(0, 500);
  const value = Buffer.alloc(200, 'x');
  assert.is(append(writer, null, Buffer.alloc(5_000, 'x'), noHeaders), true);
  assert.is(append(writer, null, value, noHeaders), false);
  const other = new RecordBatchWriter(0, 500);
  assert.equal(
    [1, 2, 3].map(() => append(other, null, value, noHeaders)),
    [true, true, false],
  );
});

test('a key goes to the partition where other clients put it', () => {
  fc.assert(
    fc.property(buffer(30), fc.integer({ min: 1, max: 50 }), (key, partitions) => {
      const source = Buffer.concat([Buffer.from('ab'), key, Buffer.from('c')]);
      assert.is(murmur2(source, 2, 2 + key.length) | 0, reference(key) | 0);
      assert.is(partitionOfKey(source, 2, 2 + key.length, partitions), (reference(key) & 0x7fffffff) % partitions);
    }),
  );
});

test('headers have texts, bytes or nothing for a value', () => {
  const bytes = encodeHeaders(
    new Map<string, HeaderValue>([
      ['text', 'ž'],
      ['bytes', [0, 255]],
      ['empty', ''],
      ['none', null],
    ]),
  );
  const found = readHeaders(bytes, 0, bytes.length).map(({ name, value }) => [
    name,
    value === null ? null : [...value],
  ]);
  assert.equal(found, [
    ['text', [...Buffer.from('ž')]],
    ['bytes', [0, 255]],
    ['empty', []],
    ['none', null],
  ]);
});

test.run();
