// Where the values of some members of a JSON object begin: for envelopes that are rare enough to be walked twice.
import { skipColon, skipSpace, skipString, skipValue } from './json-scan.ts';

/** The object at `start` is whole and legal. -1: the member is missing, or null. The last of a name counts. */
export function memberPositions(
  bytes: Uint8Array,
  start: number,
  end: number,
  names: readonly string[],
): readonly number[] {
  const positions = names.map(() => -1);
  for (let i = skipSpace(bytes, start + 1, end); bytes[i] !== 0x7d; ) {
    const keyEnd = skipString(bytes, i, end);
    const name: unknown = JSON.parse(new TextDecoder().decode(bytes.subarray(i, keyEnd)));
    const value = skipColon(bytes, keyEnd, end);
    const at = names.findIndex((wanted) => Object.is(wanted, name));
    if (at >= 0) positions[at] = bytes[value] === 0x6e ? -1 : value;
    i = skipSpace(bytes, skipValue(bytes, value, end), end);
    if (bytes[i] === 0x2c) i = skipSpace(bytes, i + 1, end);
  }
  return positions;
}
