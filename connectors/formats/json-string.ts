// A text as a JSON string: quoted, with what JSON does not allow in one escaped. Other bytes of UTF-8 stand for themselves.

// ── data plane ──

/** Prints a JSON string; the caller has made room for 6 bytes for each, and 2. Returns the position behind it. */
export function printString(bytes: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
  let to = at;
  out[to++] = 0x22;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte >= 0x20 && byte !== 0x22 && byte !== 0x5c) out[to++] = byte;
    else to = printEscape(byte, out, to);
  }
  out[to] = 0x22;
  return to + 1;
}

function printEscape(byte: number, out: Uint8Array, at: number): number {
  out[at] = 0x5c;
  const letter = escapeLetter(byte);
  if (letter !== 0) {
    out[at + 1] = letter;
    return at + 2;
  }
  out[at + 1] = 0x75;
  out[at + 2] = 0x30;
  out[at + 3] = 0x30;
  out[at + 4] = 0x30 + (byte >> 4);
  const low = byte & 15;
  out[at + 5] = low < 10 ? 0x30 + low : 0x57 + low;
  return at + 6;
}

function escapeLetter(byte: number): number {
  switch (byte) {
    case 0x22:
    case 0x5c:
      return byte;
    case 8:
      return 0x62;
    case 9:
      return 0x74;
    case 10:
      return 0x6e;
    case 12:
      return 0x66;
    case 13:
      return 0x72;
    default:
      return 0;
  }
}
