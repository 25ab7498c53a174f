// Texts and numbers of JSON as bytes, spelled as exact-json.ts spells them.
import { JsonUnencodable, printJsonNumber } from '../sdk/exact-json.ts';
import type { PrintedBytes } from './printed-bytes.ts';

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

// ── data plane ──

/** A text in quotes. What is not plain ASCII goes through exact-json's rules byte by byte. */
export function printText(bytes: Uint8Array, output: PrintedBytes, start: number, end: number): void {
  output.reserve((end - start) * 6 + 2);
  const out = output.bytes;
  let at = output.length;
  out[at++] = 0x22;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte >= 0x80) {
      output.length = at;
      printUnicode(bytes, output, i, end);
      return;
    }
    if (byte >= 0x20 && byte !== 0x22 && byte !== 0x5c && byte !== 0x3c && byte !== 0x3e && byte !== 0x26)
      out[at++] = byte;
    else at = printEscape(byte, out, at);
  }
  out[at++] = 0x22;
  output.length = at;
}

/** The rest of a text from its first byte that is no ASCII, and the closing quote. U+2028 and U+2029 are escaped, too. */
function printUnicode(bytes: Uint8Array, output: PrintedBytes, start: number, end: number): void {
  const text = decoder.decode(bytes.subarray(start, end));
  for (const letter of text) {
    const code = letter.codePointAt(0)!;
    output.reserve(8);
    if (code === 0x2028 || code === 0x2029) putAscii(output, code === 0x2028 ? '\\u2028' : '\\u2029');
    else if (code >= 0x80) output.appendText(letter);
    else if (code >= 0x20 && !/["\\<>&]/.test(letter)) putByte(output, code);
    else output.length = printEscape(code, output.bytes, output.length);
  }
  putByte(output, 0x22);
}

function printEscape(byte: number, out: Uint8Array, at: number): number {
  out[at] = 0x5c;
  const letter =
    byte === 0x22 || byte === 0x5c ? byte : byte === 10 ? 0x6e : byte === 13 ? 0x72 : byte === 9 ? 0x74 : 0;
  if (letter !== 0) {
    out[at + 1] = letter;
    return at + 2;
  }
  const low = byte & 15;
  out[at + 1] = 0x75;
  out[at + 2] = 0x30;
  out[at + 3] = 0x30;
  out[at + 4] = 0x30 + (byte >> 4);
  out[at + 5] = low < 10 ? 0x30 + low : 0x57 + low;
  return at + 6;
}

export function putByte(output: PrintedBytes, byte: number): void {
  output.reserve(1);
  output.bytes[output.length++] = byte;
}

export function putAscii(output: PrintedBytes, text: string): void {
  output.reserve(text.length);
  for (let i = 0; i < text.length; i++) output.bytes[output.length + i] = text.charCodeAt(i);
  output.length += text.length;
}

export function putNumber(output: PrintedBytes, value: number): void {
  if (value - value !== 0) throw new JsonUnencodable({ value: String(value) });
  if (value === (value | 0) && (value !== 0 || 1 / value > 0)) putSmall(output, value, 0);
  else putAscii(output, printJsonNumber(value));
}

/** An integer of 32 bits; answers with `behind`. */
export function putSmall(output: PrintedBytes, value: number, behind: number): number {
  output.reserve(12);
  const out = output.bytes;
  let at = output.length;
  let left = value;
  if (left < 0) {
    out[at++] = 0x2d;
    left = -left;
  }
  let digits = 1;
  for (let bound = 10; bound <= left && digits < 10; bound *= 10) digits++;
  for (let i = at + digits - 1; i >= at; i--) {
    const rest = Math.floor(left / 10);
    out[i] = 0x30 + left - rest * 10;
    left = rest;
  }
  output.length = at + digits;
  return behind;
}
