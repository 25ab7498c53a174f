// Editing of strings: what the string functions do. Positions count characters from 1, as SQL does.
import { InvalidArgument } from './evaluation-errors.ts';
import { countCharacters, sliceCharacters } from './text-characters.ts';

/** No result of a function is longer, in UTF-16 units. */
const textUnitsMax = 1 << 26;

export function capitalize(x: string, word: RegExp): string {
  return x.replace(word, (match) => {
    const [first = '', ...rest] = match;
    return first.toUpperCase() + rest.join('').toLowerCase();
  });
}

export function trim(x: string, set: string | undefined, leading: boolean, trailing: boolean): string {
  const characters = [...(set ?? ' ')];
  let [start, end] = [0, x.length];
  if (leading) {
    for (let hit = prefixOf(x, start, characters); hit > 0; hit = prefixOf(x, start, characters)) start += hit;
  }
  if (trailing) {
    for (let hit = suffixOf(x, start, end, characters); hit > 0; hit = suffixOf(x, start, end, characters)) end -= hit;
  }
  return x.slice(start, end);
}

function prefixOf(x: string, start: number, characters: readonly string[]): number {
  return characters.find((character) => x.startsWith(character, start))?.length ?? 0;
}

function suffixOf(x: string, start: number, end: number, characters: readonly string[]): number {
  const hit = characters.find((character) => end - character.length >= start && x.endsWith(character, end));
  return hit?.length ?? 0;
}

export function substring(x: string, start: bigint, count?: bigint): string {
  const from = Number(start) - 1;
  if (count === undefined) return sliceCharacters(x, from, x.length);
  return sliceCharacters(x, from, from + Math.max(0, Number(count)));
}

export function substr(x: string, start: bigint, count?: bigint): string {
  const from = start < 0n ? countCharacters(x) + Number(start) : Math.max(0, Number(start) - 1);
  if (from < 0) return '';
  return sliceCharacters(x, from, count === undefined ? x.length : from + Math.max(0, Number(count)));
}

export function right(x: string, count: bigint): string {
  const length = countCharacters(x);
  return count <= 0n ? '' : sliceCharacters(x, length - Number(count), length);
}

export function replace(x: string, needle: string, replacement: string): string {
  if (needle === '') return x;
  const parts = x.split(needle);
  checkLength('REPLACE', x.length + (parts.length - 1) * (replacement.length - needle.length));
  return parts.join(replacement);
}

export function translate(x: string, from: string, to: string): string {
  const [sources, targets] = [[...from], [...to]];
  return [...x]
    .map((character) => {
      const at = sources.indexOf(character);
      return at < 0 ? character : (targets[at] ?? '');
    })
    .join('');
}

export function overlay(x: string, placing: string, start: bigint, count?: bigint): string {
  if (start <= 0n) return x;
  const from = Number(start) - 1;
  const removed = count === undefined ? countCharacters(placing) : Math.max(0, Number(count));
  return sliceCharacters(x, 0, from) + placing + sliceCharacters(x, from + removed, x.length);
}

export function repeat(x: string, count: bigint): string {
  if (count <= 0n) return '';
  checkLength('REPEAT', x.length * Number(count));
  return x.repeat(Number(count));
}

export function splitPart(x: string, delimiter: string, n: bigint): string {
  const parts = delimiter === '' ? [x] : x.split(delimiter);
  return (n === 0n ? undefined : parts.at(n > 0n ? Number(n) - 1 : Number(n))) ?? '';
}

export function concatWithSeparator(separator: string | null, ...parts: (string | null)[]): string | null {
  return separator === null ? null : parts.map((part) => part ?? '').join(separator);
}

export function chr(code: bigint): string {
  return code < 0n || code > 0x10ffffn || (code >= 0xd800n && code < 0xe000n) ? '' : String.fromCodePoint(Number(code));
}

export function pad(x: string, length: bigint, fill: string | undefined, left: boolean): string {
  const wanted = Math.max(0, Number(length));
  const missing = wanted - countCharacters(x);
  if (missing <= 0) return sliceCharacters(x, 0, wanted);
  const unit = fill ?? ' ';
  if (unit === '') return x;
  checkLength(left ? 'LPAD' : 'RPAD', wanted);
  const filling = sliceCharacters(unit.repeat(Math.ceil(missing / countCharacters(unit))), 0, missing);
  return left ? filling + x : x + filling;
}

function checkLength(name: string, units: number): void {
  if (units <= textUnitsMax) return;
  throw new InvalidArgument({ function: name, detail: `the result would be longer than ${textUnitsMax} characters` });
}
