// Bytes found in long stretches of bytes: a typed array looks at one after the other, and twice as long in shared memory.

/** The same bytes, whose `indexOf` is that of the system. Made once for many searches. */
export function searchable({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}
