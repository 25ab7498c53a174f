// Structured data of a record as JSON, straight from the bytes in which it lies: google.protobuf.Struct or MessagePack. Names are sorted
// by their bytes; the spelling is that of exact-json.ts. No objects and no strings are made but for numbers that are no small integers.
import { dataShape } from '../sdk/record-batch.ts';
import { printMsgpack } from './msgpack-printer.ts';
import type { PrintedBytes } from './printed-bytes.ts';
import { printStruct } from './struct-printer.ts';
import { StructuredBytesMalformed, type StructuredWalk } from './structured-walk.ts';

/** Appends bytes[start .. end), which hold structured data in the given shape. @throws a coded error; then nothing counts. */
export function printStructured(
  bytes: Uint8Array,
  start: number,
  end: number,
  shape: number,
  output: PrintedBytes,
): void {
  const walk: StructuredWalk = {
    bytes,
    view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    end,
    output,
  };
  if (shape === dataShape.struct) printStruct(walk, start, end, 0);
  else if (printMsgpack(walk, start, 0) !== end) throw new StructuredBytesMalformed({ offset: end });
}
