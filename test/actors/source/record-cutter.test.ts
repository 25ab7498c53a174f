// Cutting: whatever the payloads, the pieces hold the same bytes, and every piece ends at a record border.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Piece, RecordCutter } from '../../../actors/source/record-cutter.ts';
import type { Splitter } from '../../../connectors/sdk/format.ts';

/** Lines, by a splitter that remembers how far it has looked. */
function lineSplitter(looked: { bytes: number }): Splitter {
  let seen = 0;
  return {
    split: (bytes) => {
      looked.bytes += bytes.length - seen;
      for (let i = bytes.length - 1; i >= seen; i--) {
        if (bytes[i] !== 10) continue;
        seen = bytes.length - i - 1;
        return i + 1;
      }
      seen = bytes.length;
      return 0;
    },
    prologue: (bytes) => bytes.slice(0, bytes.indexOf(10) + 1),
    reset: () => {
      seen = 0;
    },
  };
}

const encode = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

test('pieces are the payloads again, cut behind records, and nothing is looked at twice', () => {
  const line = fc.string({ maxLength: 40 }).map((text) => text.replaceAll('\n', '.'));
  const chunks = fc.array(fc.nat({ max: 60 }), { maxLength: 30 });
  fc.assert(
    fc.property(fc.array(line), chunks, fc.integer({ min: 8, max: 200 }), fc.boolean(), (lines, sizes, max, lazy) => {
      const text = lines.join('\n');
      const bytes = encode(text);
      const looked = { bytes: 0 };
      const cutter = new RecordCutter(lineSplitter(looked), { recordBytesMax: 1 << 20, pieceBytesMax: max });
      const pieces = [];
      let at = 0;
      for (const size of [...sizes, bytes.length]) {
        cutter.append(bytes.slice(at, at + size));
        at += size;
        if (!lazy || size % 2 === 0) pieces.push(...cutter.cut());
      }
      pieces.push(...cutter.end());
      assert.is(pieces.map((piece) => decode(piece.bytes)).join(''), text);
      let offset = 0;
      pieces.forEach((piece, i) => {
        assert.is(piece.startOffset, offset);
        assert.is(piece.endOffset, (offset += piece.bytes.length));
        assert.is(piece.first, i === 0);
        if (i < pieces.length - 1) assert.is(piece.bytes.at(-1), 10);
        if (pieces.length > 1) assert.is(decode(piece.prologue), text.slice(0, text.indexOf('\n') + 1));
      });
      assert.ok(looked.bytes <= bytes.length);
    }),
  );
});

test('payloads that are lent become pieces where they lie, and each comes back once, when nobody looks at it any more', () => {
  const line = fc.string({ maxLength: 40 }).map((text) => text.replaceAll('\n', '.'));
  const chunks = fc.array(fc.record({ size: fc.nat({ max: 90 }), front: fc.nat({ max: 60 }), isLent: fc.boolean() }), {
    maxLength: 30,
  });
  fc.assert(
    fc.property(fc.array(line), chunks, fc.integer({ min: 8, max: 200 }), (lines, sizes, max) => {
      const bytes = encode(lines.join('\n'));
      const cutter = new RecordCutter(lineSplitter({ bytes: 0 }), { recordBytesMax: 1 << 20, pieceBytesMax: max });
      const out = new Set<SharedArrayBuffer>();
      const pieces: Piece[] = [];
      let text = '';
      let at = 0;
      for (const { size, front, isLent } of [...sizes, { size: bytes.length, front: 20, isLent: true }]) {
        const part = bytes.subarray(at, at + size);
        at += size;
        if (isLent) {
          const memory = new SharedArrayBuffer(front + part.length);
          const payload = new Uint8Array(memory, front);
          payload.set(part);
          out.add(memory);
          cutter.append(payload, () => {
            assert.ok(out.delete(memory), 'released once');
            new Uint8Array(memory).fill(0xee);
          });
        } else cutter.append(part.slice());
        pieces.push(...cutter.cut());
        // One of them is still being looked at.
        for (const piece of pieces.splice(0, pieces.length - 1)) text += looked(piece);
      }
      for (const piece of [...pieces, ...cutter.end()]) text += looked(piece);
      assert.is(text, decode(bytes));
      assert.is(out.size, 0);
    }),
  );
});

function looked({ bytes, release }: Piece): string {
  const text = decode(bytes);
  release?.();
  return text;
}

test('a record that lies in two payloads that are lent moves alone', () => {
  const cutter = new RecordCutter(lineSplitter({ bytes: 0 }));
  const payload = (text: string): Uint8Array<SharedArrayBuffer> => {
    const memory = new Uint8Array(new SharedArrayBuffer(16 + text.length), 16);
    memory.set(encode(text));
    return memory;
  };
  const [first, second] = [payload('one\ntw'), payload('o\nthree\n')];
  cutter.append(first);
  assert.is(cutter.cut()[0]?.bytes.buffer, first.buffer);
  cutter.append(second);
  const [piece] = cutter.cut();
  assert.is(piece?.bytes.buffer, second.buffer);
  assert.is(decode(piece?.bytes ?? first), 'two\nthree\n');
});

test('a new stream begins with a first piece and a prologue of its own', () => {
  const cutter = new RecordCutter(lineSplitter({ bytes: 0 }));
  cutter.append(encode('a,b\n1,2'));
  assert.equal(
    cutter.cut().map((piece) => decode(piece.bytes)),
    ['a,b\n'],
  );
  assert.equal(
    cutter.end().map((piece) => [decode(piece.bytes), piece.first]),
    [['1,2', false]],
  );
  cutter.append(encode('c,d\n3,4\n'));
  const [piece] = cutter.end();
  assert.equal([decode(piece!.bytes), piece!.first, decode(piece!.prologue)], ['c,d\n3,4\n', true, 'c,d\n']);
});

test('a record over many payloads is copied a few times, not once a payload', () => {
  const cutter = new RecordCutter(lineSplitter({ bytes: 0 }));
  const payload = new Uint8Array(1 << 16).fill(65);
  let buffers = 0;
  for (let i = 0; i < 256; i++) {
    cutter.append(payload.slice());
    if (cutter.cut().length > 0) buffers++;
  }
  assert.is(buffers, 0);
  assert.is(cutter.waitingBytes, 256 << 16);
  assert.is(cutter.end()[0]!.bytes.length, 256 << 16);
});

test('a record that is longer than the bound is refused with the place where it begins', () => {
  const cutter = new RecordCutter(lineSplitter({ bytes: 0 }), { recordBytesMax: 100, pieceBytesMax: 64 });
  cutter.append(encode(`short\n${'x'.repeat(90)}`));
  assert.is(cutter.cut().length, 1);
  cutter.append(encode('x'.repeat(20)));
  assert.throws(
    () => cutter.cut(),
    (error: { code: string; fields: unknown }) => {
      assert.is(error.code, 'source.record_too_large');
      assert.equal(error.fields, { recordBytesMax: 100, offset: 6 });
      return true;
    },
  );
});

test.run();
