// Records between the wire of the plugin protocol and columns, and positions in flight.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeStruct } from '../../../connectors/sdk/protobuf-struct.ts';
import { ByteReader, ByteWriter } from '../../../connectors/sdk/protobuf-wire.ts';
import {
  type ConnectorRecord,
  type RecordData,
  recordOperations,
  type StructuredData,
} from '../../../connectors/sdk/record.ts';
import { recordBatchBuilder, recordBatchOf, recordsOf } from '../../../connectors/sdk/record-batch.ts';
import { writeMetadata } from '../../../connectors/sdk/record-metadata.ts';
import { ackRequests } from '../../../connectors/standalone/ack-requests.ts';
import { MessageCutter } from '../../../connectors/standalone/grpc-message.ts';
import { PositionQueue } from '../../../connectors/standalone/position-queue.ts';
import {
  addedMetadata,
  decoded,
  decodeRecord,
  nextRecord,
  type RecordCursor,
} from '../../../connectors/standalone/record-decoder.ts';
import { RecordEncoder } from '../../../connectors/standalone/record-encoder.ts';
import { schemaAddress } from '../../../connectors/standalone/schema-client.ts';
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';

const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => new Uint8Array(array));
const names = fc.string({ maxLength: 40 }).filter((name) => name !== '__proto__');
const structured = fc.dictionary(names, fc.oneof(fc.string(), fc.boolean(), fc.constant(null)), {
  maxKeys: 4,
  noNullPrototype: true,
});
const data: fc.Arbitrary<RecordData> = fc.oneof(fc.constant(null), bytes, structured);
const record: fc.Arbitrary<ConnectorRecord> = fc.record(
  {
    position: bytes.filter(({ length }) => length > 0),
    operation: fc.constantFrom(...recordOperations),
    metadata: fc.dictionary(names, fc.string(), { maxKeys: 4, noNullPrototype: true }),
    key: data,
    before: data,
    after: data,
  },
  { noNullPrototype: true },
);

const added = addedMetadata(1_700_000_000_000, 'p:c');
const addedPairs = { 'opencdc.readAt': '1700000000000000000', 'conduit.source.connector.id': 'p:c' };
const limits = { plugin: 'test', messageBytesMax: 4 << 20, recordsPerMessageMax: 100 };

interface Decoded {
  readonly batch: ChangeBatch;
  readonly outcomes: readonly number[];
  readonly messages: readonly number[];
}

/** Every record of every whole message. */
function decodeMessages(wire: Uint8Array): Decoded {
  const builder = recordBatchBuilder();
  const outcomes: number[] = [];
  const messages: number[] = [];
  const view = Buffer.from(wire.buffer, wire.byteOffset, wire.length);
  for (let at = 0; at < view.length; ) {
    const end = at + 5 + view.readUInt32BE(at + 1);
    const cursor: RecordCursor = { bytes: wire, at: at + 5, operation: 0, positionStart: 0, positionEnd: 0 };
    let records = 0;
    while (cursor.at < end) {
      const recordEnd = nextRecord(cursor, end);
      if (recordEnd < 0) {
        outcomes.push(decoded.malformed);
        break;
      }
      outcomes.push(decodeRecord(cursor, recordEnd, builder, added));
      cursor.at = recordEnd;
      records++;
    }
    messages.push(records);
    at = end;
  }
  return { batch: builder.finish(), outcomes, messages };
}

const message = (write: (writer: ByteWriter) => void): Uint8Array => {
  const writer = new ByteWriter();
  write(writer);
  const body = writer.finish();
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(body.length, 1);
  return Buffer.concat([prefix, body]);
};

/** One record as another encoder would write it: its fields in the order of the list. */
const wireRecord = (fields: readonly [tag: number, value: Uint8Array | number][]): Uint8Array =>
  message((writer) => {
    writer.tag(0x0a);
    writer.nested((inner) => {
      for (const [tag, value] of fields) {
        inner.tag(tag);
        if (typeof value === 'number') inner.varint(value);
        else inner.view(value);
      }
    });
  });

test('records come out of the protocol as they went in, with what a host adds to their metadata', () => {
  fc.assert(
    fc.property(fc.array(record, { maxLength: 8 }), (records) => {
      const wire = new RecordEncoder(limits).encode(recordBatchOf(records), () => assert.unreachable());
      const { batch, outcomes } = decodeMessages(wire);
      assert.equal(
        outcomes,
        records.map(() => decoded.taken),
      );
      const expected = records.map((one) => ({ ...one, metadata: { ...one.metadata, ...addedPairs } }));
      assert.equal(recordsOf(batch), expected);
    }),
  );
});

test('metadata that a record has is not replaced, unless it is empty', () => {
  const own = { 'opencdc.readAt': '5', 'conduit.source.connector.id': '' };
  const wire = wireRecord([
    [0x0a, Buffer.from('p')],
    [0x10, 1],
  ]);
  const withOwn = new RecordEncoder(limits).encode(recordBatchOf([{ ...onlyRecord(wire), metadata: own }]), () =>
    assert.unreachable(),
  );
  assert.equal(onlyRecord(withOwn).metadata, { 'opencdc.readAt': '5', 'conduit.source.connector.id': 'p:c' });
});

function onlyRecord(wire: Uint8Array): ConnectorRecord {
  const [first] = recordsOf(decodeMessages(wire).batch);
  assert.ok(first !== undefined);
  return first;
}

test('fields of a record may come in any order, twice, or be unknown', () => {
  const struct = encodeStruct({ a: 1.5 });
  const data = new ByteWriter();
  data.tag(0x12);
  data.view(struct);
  const raw = Buffer.from([0x0a, 1, 7]);
  const change = new ByteWriter();
  change.tag(0x12);
  change.view(data.finish());
  const wire = wireRecord([
    [0x2a, change.finish()],
    [0x78, 300],
    [0x22, raw],
    [0x22, data.finish()],
    [0x1a, writeMetadata({ a: 'b' }).subarray(2)],
    [0x10, 3],
    [0x0a, Buffer.from('first')],
    [0x0a, Buffer.from('second')],
    [0xfa02, Buffer.from('later')],
  ]);
  const { metadata, ...rest } = onlyRecord(wire);
  assert.equal(metadata, { a: 'b', ...addedPairs });
  const position = new Uint8Array(Buffer.from('second'));
  assert.equal(rest, { position, operation: 'delete', key: { a: 1.5 }, before: null, after: { a: 1.5 } });
});

test('a record without a position and one with an unknown operation have no row', () => {
  assert.equal(decodeMessages(wireRecord([[0x10, 1]])).outcomes, [decoded.noPosition]);
  for (const operation of [0, 5, 1000]) {
    const wire = wireRecord([
      [0x0a, Buffer.from('p')],
      [0x10, operation],
      [0x22, Buffer.from([0x0a, 1, 7])],
    ]);
    const { outcomes, batch } = decodeMessages(
      Buffer.concat([
        wire,
        wireRecord([
          [0x0a, Buffer.from('q')],
          [0x10, 2],
        ]),
      ]),
    );
    assert.equal(outcomes, [decoded.unknownOperation, decoded.taken]);
    assert.equal(recordsOf(batch)[0]?.key, null);
  }
});

test('bytes that are no records are told from records, and never read past their end', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (garbage) => {
      const { outcomes, batch } = decodeMessages(message((writer) => writer.raw(garbage)));
      assert.is(batch.rows, outcomes.filter((outcome) => outcome === decoded.taken).length);
    }),
    { numRuns: 2000 },
  );
  assert.equal(decodeMessages(message((writer) => writer.raw(Buffer.from([0x0a, 200, 1])))).outcomes, [1]);
});

test('a message stays below the receiver limit, none is empty, and what cannot be sent is refused alone', () => {
  const sized = (length: number, position: string): ConnectorRecord => ({
    position: Buffer.from(position),
    operation: 'create',
    metadata: {},
    key: null,
    before: null,
    after: new Uint8Array(length),
  });
  const loses: StructuredData = { big: 2n ** 60n + 1n };
  const records = [
    sized(3000, 'a'),
    sized(5000, 'b'),
    { ...sized(1, 'c'), after: loses },
    ...Array.from({ length: 30 }, (_, i) => sized(600, `d${i}`)),
  ];
  const refused: string[] = [];
  const encoder = new RecordEncoder({ ...limits, messageBytesMax: 4096 });
  const wire = encoder.encode(recordBatchOf(records), (row, error) =>
    refused.push(`${row} ${(error as Error & { code: string }).code}`),
  );
  assert.equal(refused, ['1 plugin.record_too_large', '2 record.struct_loses_value']);
  const { batch, messages } = decodeMessages(wire);
  assert.is(batch.rows, 31);
  assert.ok(messages.every((count) => count >= 1) && messages.length >= 5);
  let at = 0;
  for (const _ of messages) {
    const length = Buffer.from(wire).readUInt32BE(at + 1);
    assert.ok(length <= 4096);
    at += 5 + length;
  }
  const single = new RecordEncoder({ ...limits, recordsPerMessageMax: 1 }).encode(
    recordBatchOf(records.slice(0, 2)),
    () => {},
  );
  assert.equal(decodeMessages(single).messages, [1, 1]);
});

test('positions in flight leave in the order in which they came, whole messages or parts of them', () => {
  const position = fc.uint8Array({ minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(fc.array(fc.tuple(position, fc.nat(3)), { maxLength: 400 }), (steps) => {
      const queue = new PositionQueue();
      const expected: string[] = [];
      for (const [bytes, action] of steps) {
        if (action === 3) {
          // As rows of a column, which begins somewhere in its bytes.
          const offsets = Int32Array.of(2, 2 + bytes.length, 2 + 2 * bytes.length);
          queue.pushRows(Uint8Array.of(9, 9, ...bytes, ...bytes, 9), offsets, 2);
          expected.push(Buffer.from(bytes).toString('hex'), Buffer.from(bytes).toString('hex'));
        } else {
          queue.push(bytes, 0, bytes.length);
          expected.push(Buffer.from(bytes).toString('hex'));
        }
        if (action !== 0) continue;
        assert.ok(queue.headEquals(Buffer.from(expected[0] ?? '', 'hex')));
        queue.shift();
        expected.shift();
      }
      assert.is(queue.length, expected.length);
      assert.equal(
        expected.map((_, i) => Buffer.from(queue.at(i)).toString('hex')),
        expected,
      );
      assert.is(queue.byteLength, expected.join('').length / 2);
    }),
  );
});

test('a confirmation is one request for each message that the source had sent', () => {
  const queue = new PositionQueue();
  for (const [name, ends] of [
    ['a', true],
    ['b', false],
    ['c', true],
    ['d', false],
    ['e', true],
  ] as const) {
    const bytes = Buffer.from(name);
    queue.push(bytes, 0, 1);
    if (ends) queue.markBorder();
  }
  const texts = (count: number, most: number): string[] =>
    requestsOf(ackRequests(queue, count, most)).map((request) => request.join(''));
  assert.is(queue.countUntil(Buffer.from('x')), 0);
  assert.is(queue.countUntil(Buffer.from('d')), 4);
  assert.equal(texts(4, 100), ['a', 'bc', 'd']);
  assert.is(queue.length, 1);
  assert.equal(texts(1, 1), ['e']);
});

/** The positions of each request. */
function requestsOf(bytes: Uint8Array): string[][] {
  const wire = Buffer.from(bytes);
  const requests: string[][] = [];
  for (let at = 0; at < wire.length; at += 5 + wire.readUInt32BE(at + 1)) {
    const reader = new ByteReader(wire.subarray(at + 5, at + 5 + wire.readUInt32BE(at + 1)));
    const positions: string[] = [];
    while (!reader.isDone) {
      assert.is(reader.tag(), 0x0a);
      positions.push(reader.text());
    }
    requests.push(positions);
  }
  return requests;
}

test('confirmations of many messages at once share requests, which stay small', () => {
  const queue = new PositionQueue();
  const positions = Array.from({ length: 5_000 }, (_, n) => `position ${n}`);
  const fill = (): void => {
    for (const position of positions) {
      const bytes = Buffer.from(position);
      queue.push(bytes, 0, bytes.length);
      queue.markBorder();
    }
  };
  fill();
  const apart = requestsOf(ackRequests(queue, 200, 10_000));
  assert.is(apart.length, 200);
  const wire = ackRequests(queue, 4_800, 10_000);
  const joined = requestsOf(wire);
  assert.ok(joined.length > 1 && joined.length < 5, `${joined.length} requests of ${wire.length} bytes`);
  assert.equal([...apart, ...joined].flat(), positions);
  fill();
  // A plugin of version 1 takes one position in a request.
  assert.equal(
    requestsOf(ackRequests(queue, 5_000, 1)),
    positions.map((position) => [position]),
  );
});

test('messages are found in chunks of any size', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }),
      (bodies, sizes) => {
        const wire = Buffer.concat(bodies.map((body) => message((writer) => writer.raw(body))));
        const cutter = new MessageCutter();
        const found: string[] = [];
        let at = 0;
        for (let i = 0; at < wire.length; i++) {
          const size = sizes[i % sizes.length] ?? 1;
          cutter.push(wire.subarray(at, at + size));
          at += size;
          while (cutter.hasMessage) {
            const whole = cutter.take();
            const end = 5 + whole.readUInt32BE(1);
            found.push(whole.subarray(5, end).toString('hex'));
            cutter.keep(whole.subarray(end));
          }
        }
        assert.equal(
          found,
          bodies.map((body) => Buffer.from(body).toString('hex')),
        );
        assert.is(cutter.bytes, 0);
      },
    ),
  );
});

test('a schema service is found at the address that a host names, also at that of all interfaces', () => {
  assert.equal(schemaAddress('127.0.0.1:4000'), { host: '127.0.0.1', port: 4000 });
  assert.equal(schemaAddress('[::]:43211'), { host: '127.0.0.1', port: 43211 });
  assert.equal(schemaAddress(':9'), { host: '127.0.0.1', port: 9 });
  assert.equal(schemaAddress('[::1]:80'), { host: '::1', port: 80 });
});

test.run();
