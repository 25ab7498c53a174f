// Bytes as base64 text, straight into an output: standard alphabet, padded (RFC 4648, section 4).

// ── data plane ──
// A table of 4096 pairs of letters: three bytes are two look-ups and one store of four letters.

const letters = Uint16Array.from({ length: 4096 }, (_, bits) => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  return alphabet.charCodeAt(bits >> 6) | (alphabet.charCodeAt(bits & 63) << 8);
});

/** Letters that `length` bytes become. */
export function base64Length(length: number): number {
  return Math.floor((length + 2) / 3) * 4;
}

/** Prints source[start .. end); the caller has made room. Returns the position behind it. */
export function printBase64(source: Uint8Array, start: number, end: number, view: DataView, at: number): number {
  let to = at;
  let i = start;
  for (const whole = end - 2; i < whole; i += 3) {
    const bits = (source[i]! << 16) | (source[i + 1]! << 8) | source[i + 2]!;
    view.setInt32(to, letters[bits >> 12]! | (letters[bits & 4095]! << 16), true);
    to += 4;
  }
  if (i === end) return to;
  const two = i + 1 < end;
  const bits = (source[i]! << 16) | (two ? source[i + 1]! << 8 : 0);
  view.setUint16(to, letters[bits >> 12]!, true);
  view.setUint16(to + 2, two ? (letters[bits & 4095]! & 0xff) | 0x3d00 : 0x3d3d, true);
  return to + 4;
}
