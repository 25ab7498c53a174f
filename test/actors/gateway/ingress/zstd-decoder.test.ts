// Zstandard where Node has none: frames of every kind, and those that are refused.
import { Readable } from 'node:stream';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { zstdDecoder } from '../../../../actors/gateway/ingress/zstd-decoder.ts';
import { MillraceError } from '../../../../runtime/errors.ts';

/** What `zstd` makes of 50,000 lines {"id":1}, of {} without a checksum, and of nothing. */
const lines = 'KLUv/QRYjAAASHsiaWQiOjF9CgEA9P/MyxFMAAAIOgEA/P85EAJMAAAIIgEA/P85EAJNAAAIMQEAzF0dCAGSyamn';
const braces = 'KLUv/QBYEQAAe30=';
const nothing = 'KLUv/SQAAQAAmenYUQ==';
const skippable = Buffer.from([0x52, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);

async function unpack(packed: Uint8Array, chunkBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < packed.length; at += chunkBytes) chunks.push(packed.subarray(at, at + chunkBytes));
  const parts: Uint8Array[] = [];
  for await (const part of Readable.from(chunks).pipe(zstdDecoder())) parts.push(part);
  return Buffer.concat(parts).toString();
}

async function codeOf(packed: Uint8Array): Promise<string> {
  try {
    await unpack(packed, 7);
    return 'none';
  } catch (error) {
    return error instanceof MillraceError ? error.code : String(error);
  }
}

test('frames behind one another come out whole, wherever the body is cut', async () => {
  const packed = Buffer.concat([
    Buffer.from(lines, 'base64'),
    skippable,
    Buffer.from(nothing, 'base64'),
    Buffer.from(braces, 'base64'),
  ]);
  const expected = `${'{"id":1}\n'.repeat(50_000)}{}`;
  for (const chunkBytes of [1, 3, 17, packed.length]) assert.ok((await unpack(packed, chunkBytes)) === expected);
});

test('what is cut off, is something else, or asks for too much memory is refused', async () => {
  const whole = Buffer.from(lines, 'base64');
  for (const length of [3, 5, 9, 40, whole.length - 1]) {
    assert.is(await codeOf(whole.subarray(0, length)), 'ingress.zstd_invalid');
  }
  assert.is(await codeOf(Buffer.from('no Zstandard at all')), 'ingress.zstd_invalid');
  // Windows of 1 GiB, and of as much as a frame says that it holds.
  assert.is(await codeOf(Buffer.from('28b52ffd00a0010000', 'hex')), 'ingress.zstd_invalid');
  assert.is(await codeOf(Buffer.from('28b52ffde0ffffffffff000000010000', 'hex')), 'ingress.zstd_invalid');
  assert.is(await codeOf(Buffer.from('28b52ffd210102010000', 'hex')), 'ingress.zstd_invalid');
});

test.run();
