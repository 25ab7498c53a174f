// Lines of csv as the inside of a JSON string, cut into chunks at line ends.
//
// A line end inside quotes belongs to its field: quotes are counted, doubled ones cancel out. The weight is the last field of
// a line; where it is left out, a line stands as often as its weight says. The caller owns `out` and has made room.
// Not here: who prints the lines (connectors/formats), what stands around the text (chunk-printer.ts).

/** The most bytes that one byte of text takes inside a JSON string. */
export const escapedBytesMax = 6;

// ── data plane ──

/** The position of the line feed that ends the record at `start`, or `end`. */
export function recordEnd(bytes: Uint8Array, start: number, end: number): number {
  let quoted = false;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte === 0x22) quoted = !quoted;
    else if (byte === 0x0a && !quoted) return i;
  }
  return end;
}

/** The position of the delimiter before the weight of the record bytes[start .. end). */
export function weightStart(bytes: Uint8Array, start: number, end: number, delimiter: number): number {
  let at = end - 1;
  while (at > start && bytes[at] !== delimiter) at--;
  return at;
}

/** How often the record occurs: the digits bytes[start .. end), without their sign. */
export function occurrences(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let i = start; i < end; i++) {
    const digit = bytes[i]! - 0x30;
    if (digit >= 0 && digit <= 9) count = count * 10 + digit;
  }
  return count;
}

/** Prints bytes[start .. end) as the inside of a JSON string. Returns the position behind it. */
export function printEscaped(bytes: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
  let to = at;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte >= 0x20 && byte !== 0x22 && byte !== 0x5c) {
      out[to++] = byte;
      continue;
    }
    out[to++] = 0x5c;
    switch (byte) {
      case 0x22:
      case 0x5c:
        out[to++] = byte;
        break;
      case 0x0a:
        out[to++] = 0x6e;
        break;
      case 0x0d:
        out[to++] = 0x72;
        break;
      case 0x09:
        out[to++] = 0x74;
        break;
      default: {
        const low = byte & 15;
        out[to] = 0x75;
        out[to + 1] = 0x30;
        out[to + 2] = 0x30;
        out[to + 3] = 0x30 + (byte >> 4);
        out[to + 4] = low < 10 ? 0x30 + low : 0x57 + low;
        to += 5;
      }
    }
  }
  return to;
}
