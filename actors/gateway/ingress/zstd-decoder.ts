// Zstandard for a Node whose zlib has none, with a decoder in JavaScript behind a reader of frames and blocks.
//
//   frame     28 B5 2F FD | descriptor | window? | dictionary? | content size? | blocks | checksum?
//   block     3 bytes: last (1 bit), type (2 bits: raw, run, compressed), size (21 bits) | body
//   skipped   5x 2A 4D 18 | size (4 bytes) | body
//
// The decoder is given one block at a time, so that whoever reads holds it back: at most one block of 128 KiB is unpacked ahead.
// A frame may ask for a window of 32 MiB; dictionaries are refused. A content checksum is read over, not compared.
import { Duplex } from 'node:stream';
import { Decompress } from 'fzstd';
import { type CodedErrorClass, defineError } from '../../../runtime/errors.ts';

export const ZstdInvalid: CodedErrorClass<{ readonly detail: string }> = defineError(
  'ingress.zstd_invalid',
  {
    help: 'Send the body as `zstd` writes it: without a dictionary, and with a window of at most 32 MiB (no --ultra --long).',
  },
  (f) => `the body is no Zstandard that can be read: ${f.detail}`,
);

const windowBytesMax = 32 * 1024 * 1024;
const blockBytesMax = 128 * 1024;
const frameMagic = 0xfd2fb528;
const skippableMagic = 0x184d2a5;
const dictionaryBytes = [0, 1, 2, 4];
const contentSizeBytes = [0, 2, 4, 8];

export function zstdDecoder(): Duplex {
  return Duplex.from(unpack);
}

async function* unpack(source: AsyncIterable<Buffer>): AsyncGenerator<Uint8Array, void> {
  const input = new ByteQueue(source);
  while (await input.has(1)) {
    const magic = (await input.peek(4)).readUInt32LE();
    if (magic === frameMagic) yield* unpackFrame(input);
    else if (magic >>> 4 === skippableMagic) await input.skip(8 + (await input.peek(8)).readUInt32LE(4));
    else throw new ZstdInvalid({ detail: 'what should be the beginning of a frame is none' });
  }
}

async function* unpackFrame(input: ByteQueue): AsyncGenerator<Uint8Array, void> {
  const descriptor = (await input.peek(5)).readUInt8(4);
  const isSingle = (descriptor & 0x20) !== 0;
  const hasChecksum = (descriptor & 4) !== 0;
  if ((descriptor & 8) !== 0) throw new ZstdInvalid({ detail: 'a reserved bit is set' });
  const dictionary = dictionaryBytes[descriptor & 3] ?? 0;
  const sizeBytes = Math.max(contentSizeBytes[descriptor >>> 6] ?? 0, isSingle ? 1 : 0);
  const header = await input.take(5 + (isSingle ? 0 : 1) + dictionary + sizeBytes);
  if (dictionary > 0) throw new ZstdInvalid({ detail: 'it needs a dictionary' });
  const window = isSingle ? contentSize(header, sizeBytes) : windowSize(header.readUInt8(5));
  if (window > windowBytesMax) throw new ZstdInvalid({ detail: `it needs a window of ${window} bytes` });
  let unpacked: Uint8Array[] = [];
  const decoder = new Decompress((chunk) => {
    if (chunk.length > 0) unpacked.push(chunk);
  });
  decoder.push(header);
  for (let isLast = false; !isLast; ) {
    const head = (await input.peek(3)).readUIntLE(0, 3);
    const [type, size] = [(head >>> 1) & 3, head >>> 3];
    isLast = (head & 1) === 1;
    if (type === 3 || size > blockBytesMax) throw new ZstdInvalid({ detail: 'a block is malformed' });
    const block = await input.take(3 + (type === 1 ? 1 : size));
    try {
      decoder.push(block, isLast && !hasChecksum);
      if (isLast && hasChecksum) decoder.push(await input.take(4), true);
    } catch (cause) {
      if (cause instanceof ZstdInvalid) throw cause;
      throw new ZstdInvalid({ detail: cause instanceof Error ? cause.message : String(cause) }, { cause });
    }
    const ready = unpacked;
    unpacked = [];
    yield* ready;
  }
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >>> 3));
  return base + (base / 8) * (descriptor & 7);
}

/** Of a frame that is its own window: the last field of its header. */
function contentSize(header: Buffer, bytes: number): number {
  const at = header.length - bytes;
  if (bytes === 8) return Number(header.readBigUInt64LE(at));
  return header.readUIntLE(at, bytes) + (bytes === 2 ? 256 : 0);
}

/** Bytes as they are wanted, of chunks as they come. */
class ByteQueue {
  readonly #source: AsyncIterator<Buffer>;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  async has(count: number): Promise<boolean> {
    const parts = [this.#bytes];
    let length = this.#bytes.length;
    while (length < count) {
      const next = await this.#source.next();
      if (next.done === true) break;
      parts.push(next.value);
      length += next.value.length;
    }
    if (parts.length > 1) this.#bytes = Buffer.concat(parts, length);
    return length >= count;
  }

  /** @throws ZstdInvalid */
  async peek(count: number): Promise<Buffer> {
    if (!(await this.has(count))) throw new ZstdInvalid({ detail: 'it is cut off' });
    return this.#bytes.subarray(0, count);
  }

  async take(count: number): Promise<Buffer> {
    const taken = await this.peek(count);
    this.#bytes = this.#bytes.subarray(count);
    return taken;
  }

  async skip(count: number): Promise<void> {
    let left = count;
    while (left > 0) {
      if (this.#bytes.length === 0) await this.peek(1);
      const part = Math.min(left, this.#bytes.length);
      this.#bytes = this.#bytes.subarray(part);
      left -= part;
    }
  }
}
