// What is written for a broker is what the library would read, and the other way round.
import { Reader, Writer } from '@platformatic/kafka';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { WireReader, WireWriter } from '../../../connectors/kafka/wire-bytes.ts';

const values = fc.record({
  small: fc.integer({ min: -128, max: 127 }),
  short: fc.integer({ min: -32_768, max: 32_767 }),
  int: fc.integer(),
  long: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  unsigned: fc.nat(),
  text: fc.option(fc.string({ maxLength: 400 })),
  id: fc.uuid(),
  list: fc.array(fc.string({ maxLength: 20 }), { maxLength: 200 }),
});

test('the library reads what is written', () => {
  fc.assert(
    fc.property(values, ({ small, short, int, long, unsigned, text, id, list }) => {
      const writer = new WireWriter().int8(small).int16(short).int32(int).int64(long).unsigned(unsigned).text(text);
      writer.uuid(id).list(list, (item) => writer.text(item));
      const reader = Reader.from(writer.tags().finish());
      assert.equal(
        [reader.readInt8(), reader.readInt16(), reader.readInt32(), reader.readInt64(), reader.readUnsignedVarInt()],
        [small, short, int, long, unsigned],
      );
      assert.is(reader.readNullableString(), text);
      assert.is(reader.readUUID(), id);
      assert.equal(
        reader.readArray((each) => each.readString()),
        list,
      );
    }),
  );
});

test('what the library writes is read', () => {
  fc.assert(
    fc.property(values, ({ small, short, int, long, unsigned, text, id, list }) => {
      const writer = Writer.create().appendInt8(small).appendInt16(short).appendInt32(int).appendInt64(long);
      writer.appendUnsignedVarInt(unsigned).appendString(text).appendUUID(id);
      writer.appendArray(list, (each, item) => void each.appendString(item)).appendTaggedFields();
      const bytes = writer.dynamicBuffer.slice();
      const reader = new WireReader(bytes);
      assert.equal(
        [reader.int8(), reader.int16(), reader.int32(), reader.int64(), reader.unsigned()],
        [small, short, int, long, unsigned],
      );
      assert.is(reader.text(), text);
      assert.is(reader.uuid(), id);
      assert.equal(
        reader.list(() => reader.text()),
        list,
      );
      reader.tags();
      assert.throws(() => reader.int8(), 'is cut');
    }),
  );
});

test.run();
