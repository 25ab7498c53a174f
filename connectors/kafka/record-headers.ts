// The headers of a record, from the bytes behind its value.
//
//   count, then for each: length and bytes of its name, length (-1: it is null) and bytes of its value; numbers as zigzag varints

export interface RecordHeader {
  readonly name: string;
  readonly value: Uint8Array | null;
}

/** Of bytes[start .. end); what is cut is left out. Values are views. */
export function readHeaders(bytes: Uint8Array, start: number, end: number): readonly RecordHeader[] {
  let at = start;
  const number = (): number => {
    let value = 0;
    for (let shift = 0; at < end && shift < 35; shift += 7) {
      const byte = bytes[at++] ?? 0;
      value |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    return (value >>> 1) ^ -(value & 1);
  };
  const headers: RecordHeader[] = [];
  for (let count = number(); count > 0 && at < end; count--) {
    const nameLength = Math.max(0, number());
    const name = Buffer.from(bytes.subarray(at, Math.min(end, at + nameLength))).toString();
    at += nameLength;
    const length = number();
    headers.push({ name, value: length < 0 ? null : bytes.subarray(at, Math.min(end, at + length)) });
    at += Math.max(0, length);
  }
  return headers;
}
