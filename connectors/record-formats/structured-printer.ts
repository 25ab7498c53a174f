// Structured data of a record as JSON: names sorted by their bytes, in the spelling of exact-json.ts.
import { printJson } from '../sdk/exact-json.ts';
import { decodeStruct } from '../sdk/protobuf-struct.ts';
import { dataShape } from '../sdk/record-batch.ts';
import { unpackStructured } from '../sdk/structured-data.ts';
import type { PrintedBytes } from './printed-bytes.ts';

/** Appends bytes[start .. end), which hold structured data in the given shape. @throws a coded error; then nothing counts. */
export function printStructured(
  bytes: Uint8Array,
  start: number,
  end: number,
  shape: number,
  output: PrintedBytes,
): void {
  const data = bytes.subarray(start, end);
  output.appendText(printJson(shape === dataShape.struct ? decodeStruct(data) : unpackStructured(data)));
}
