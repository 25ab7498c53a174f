// Characters of strings: SQL counts code points, JavaScript counts UTF-16 units.
//
// They are the same in a string without surrogates, which is nearly every string: those are cut without being taken apart.

const surrogate = /[\ud800-\udfff]/;

export function countCharacters(text: string): number {
  return surrogate.test(text) ? [...text].length : text.length;
}

/** Characters from `start` to before `end`, both from 0 and clamped to the string. */
export function sliceCharacters(text: string, start: number, end: number): string {
  const from = Math.max(0, start);
  if (end <= from) return '';
  return surrogate.test(text) ? [...text].slice(from, end).join('') : text.slice(from, end);
}

/** Position (from 1) of the first occurrence, 0 when there is none. */
export function positionOf(needle: string, text: string): number {
  const unit = text.indexOf(needle);
  if (unit < 0) return 0;
  return countCharacters(text.slice(0, unit)) + 1;
}

export function reverseCharacters(text: string): string {
  return [...text].reverse().join('');
}

/** Compares by code points, as the bytes of UTF-8 do. */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x === y) continue;
    // A surrogate stands for a code point beyond every single unit.
    const [xHigh, yHigh] = [x >= 0xd800 && x < 0xe000, y >= 0xd800 && y < 0xe000];
    return xHigh === yHigh ? x - y : xHigh ? 1 : -1;
  }
  return a.length - b.length;
}
