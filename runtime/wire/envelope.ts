// The envelope of a frame: a checksum, a header and an aligned body, together one valid msgpack value in one ArrayBuffer.
//
//   0          0x93                 array of 3
//   1          0xce  u32            CRC-32 (as in zlib) of every byte from offset 6 to the end
//           or 0xd2  i32 = 0        no checksum: a frame that does not leave the memory of its process
//   6          map                  header, msgpack, h bytes
//   6 + h      0xc6  u32            bin32: length of what follows
//   11 + h     p zero bytes         0 <= p < 8, so that the body begins at a multiple of 8
//   11 + h + p body                 its arrays begin at multiples of 8 of the body; to the end of the buffer
//
// All integers of msgpack are big-endian; the arrays of the body are in the machine's order (little-endian wherever Node
// runs). A frame is a fresh ArrayBuffer of exactly its size, so it can be transferred. The checksum is what makes every
// flipped bit known; it costs about 0.2 ms a MiB on each side, for which there is no reason between two threads. Only who
// is handed a frame by another thread opens it without a checksum; whatever comes from elsewhere needs one.
// `openEnvelope` copies nothing and throws nothing but FrameCorrupt.
// Not here: what header and body mean (batch-codec.ts).
import { crc32 } from 'node:zlib';
import { assert } from '../assert.ts';
import { type CodedErrorClass, defineError } from '../errors.ts';
import { pack, unpack } from './msgpack.ts';

export const FrameCorrupt: CodedErrorClass<{ readonly reason: string; readonly frameBytes: number }> = defineError(
  'wire.frame_corrupt',
  { help: 'The bytes were cut or changed on their way. Read them again from where they came; the sender is unharmed.' },
  (f) => `frame of ${f.frameBytes} bytes is corrupt: ${f.reason}`,
);

const arrayOf3 = 0x93;
const uint32 = 0xce;
const int32 = 0xd2;
const bin32 = 0xc6;
const checksumAt = 2;
const headerAt = 6;
/** The least a frame can have: an empty map and an empty body. */
const frameBytesMin = headerAt + 1 + 5;
const bodyBytesMax = 2 ** 32 - 8;

/** Where a body lies in its frame. */
export interface OpenEnvelope {
  readonly header: unknown;
  /** A multiple of 8. */
  readonly bodyAt: number;
  readonly bodyBytes: number;
}

/** Whether a frame has a checksum, as one that is kept or comes from elsewhere must. */
export type Seal = 'checked' | 'in memory';

/** Makes a frame in fresh memory; `fill` writes the body, which begins zeroed at `bodyAt`. */
export function sealEnvelope(
  header: unknown,
  bodyBytes: number,
  seal: Seal,
  fill: (frame: ArrayBuffer, bodyAt: number) => void,
): ArrayBuffer {
  return sealEnvelopeIn((bytes) => new ArrayBuffer(bytes), header, bodyBytes, seal, fill);
}

/**
 * Makes a frame at the beginning of the memory that is `made` for its size. Where that is not zeroed, what is between the arrays of the
 * body is not either: no frame to be kept.
 */
export function sealEnvelopeIn<Memory extends ArrayBuffer | SharedArrayBuffer>(
  make: (bytes: number) => Memory,
  header: unknown,
  bodyBytes: number,
  seal: Seal,
  fill: (frame: Memory, bodyAt: number) => void,
): Memory {
  assert(bodyBytes <= bodyBytesMax, 'the body of a frame stays below 4 GiB');
  const head = pack(header);
  const binAt = headerAt + head.length;
  const bodyAt = (binAt + 5 + 7) & ~7;
  const frameBytes = bodyAt + bodyBytes;
  const frame = make(frameBytes);
  const bytes = new Uint8Array(frame, 0, frameBytes);
  const view = new DataView(frame);
  bytes[0] = arrayOf3;
  bytes[1] = seal === 'checked' ? uint32 : int32;
  view.setUint32(checksumAt, 0);
  bytes.set(head, headerAt);
  bytes[binAt] = bin32;
  view.setUint32(binAt + 1, frameBytes - binAt - 5);
  fill(frame, bodyAt);
  if (seal === 'checked') view.setUint32(checksumAt, crc32(bytes.subarray(headerAt)));
  return frame;
}

/** `seal`: the least it must have. @throws FrameCorrupt when the frame is not exactly what `sealEnvelope` made. */
export function openEnvelope(
  frame: ArrayBuffer | SharedArrayBuffer,
  seal: Seal,
  frameBytes: number = frame.byteLength,
): OpenEnvelope {
  const bytes = new Uint8Array(frame, 0, frameBytes);
  if (bytes.length < frameBytesMin) throw corrupt(frame, 'it is shorter than an empty one');
  const isUnchecked = seal === 'in memory' && bytes[1] === int32;
  if (bytes[0] !== arrayOf3 || (bytes[1] !== uint32 && !isUnchecked)) {
    throw corrupt(frame, 'it does not begin as a frame does');
  }
  const expected = isUnchecked ? 0 : crc32(bytes.subarray(headerAt));
  if (new DataView(frame).getUint32(checksumAt) !== expected) {
    throw corrupt(frame, 'its checksum does not match');
  }
  let parts: unknown;
  try {
    parts = unpack(bytes);
  } catch (cause) {
    throw corrupt(frame, 'it is not one msgpack value', cause);
  }
  if (!Array.isArray(parts) || parts.length !== 3) throw corrupt(frame, 'it has not three parts');
  const [, header, body]: unknown[] = parts;
  if (!(body instanceof Uint8Array) || body.buffer !== frame) throw corrupt(frame, 'its body is not binary');
  const bodyAt = (body.byteOffset + 7) & ~7;
  const bodyBytes = frameBytes - bodyAt;
  if (bodyBytes < 0 || body.byteOffset + body.byteLength !== frameBytes) {
    throw corrupt(frame, 'its body does not reach to its end');
  }
  return { header, bodyAt, bodyBytes };
}

/** The one way to say that a frame is not what it should be. */
export function corrupt(
  frame: ArrayBuffer | SharedArrayBuffer,
  reason: string,
  cause?: unknown,
): InstanceType<typeof FrameCorrupt> {
  return new FrameCorrupt({ reason, frameBytes: frame.byteLength }, cause === undefined ? {} : { cause });
}
