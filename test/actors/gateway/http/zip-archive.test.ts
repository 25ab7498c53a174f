// The ZIP writer: what is written is found again by the rules of the format.
import { crc32, inflateRawSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { zipArchive } from '../../../../actors/gateway/http/zip-archive.ts';

test('every entry is found through the directory, with its bytes and its checksum', () => {
  const entries = [
    { name: 'a/stats.json', bytes: Buffer.from('{"x":1}'.repeat(100)) },
    { name: 'ä.txt', bytes: Buffer.alloc(0) },
  ];
  const zip = zipArchive(entries, Date.UTC(2026, 0, 2, 3, 4, 6));
  const end = zip.length - 22;
  assert.is(zip.readUInt32LE(end), 0x06054b50);
  assert.is(zip.readUInt16LE(end + 10), 2);
  let at = zip.readUInt32LE(end + 16);
  assert.is(at + zip.readUInt32LE(end + 12), end);
  for (const { name, bytes } of entries) {
    assert.is(zip.readUInt32LE(at), 0x02014b50);
    const nameLength = zip.readUInt16LE(at + 28);
    assert.is(zip.toString('utf8', at + 46, at + 46 + nameLength), name);
    const local = zip.readUInt32LE(at + 42);
    assert.is(zip.readUInt32LE(local), 0x04034b50);
    const from = local + 30 + zip.readUInt16LE(local + 26);
    const read = inflateRawSync(zip.subarray(from, from + zip.readUInt32LE(at + 20)));
    assert.equal(read, Buffer.from(bytes));
    assert.is(zip.readUInt32LE(at + 16), crc32(bytes));
    at += 46 + nameLength;
  }
});

test.run();
