// Texts that stand for expressions and relations, of a length that does not grow with what they stand for.
//
// The key of a node is made of the keys of its parts: left at their length, those of a tree of thousands of nodes would be as many long texts.
import { createHash } from 'node:crypto';

const keptMax = 1000;
const shownMax = 120;

/** The text itself, or of a long one its beginning and a digest of all of it. */
export function shortKey(text: string): string {
  if (text.length <= keptMax) return text;
  return `${text.slice(0, shownMax)}… #${createHash('sha256').update(text).digest('base64url')}`;
}
