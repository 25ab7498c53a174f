// Versions as sprig's `semver` reads them: three numbers of which the last two may be left out, a pre-release, metadata. Ordered as
// semver.org says: a pre-release is before its version, metadata do not count.

export class SemanticVersion {
  readonly major: bigint;
  readonly minor: bigint;
  readonly patch: bigint;
  readonly prerelease: string;
  readonly metadata: string;
  readonly original: string;

  constructor(numbers: readonly [bigint, bigint, bigint], prerelease: string, metadata: string, original: string) {
    [this.major, this.minor, this.patch] = numbers;
    this.prerelease = prerelease;
    this.metadata = metadata;
    this.original = original;
  }

  toString(): string {
    const before = this.prerelease === '' ? '' : `-${this.prerelease}`;
    return `${this.major}.${this.minor}.${this.patch}${before}${this.metadata === '' ? '' : `+${this.metadata}`}`;
  }
}

const identifiers = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*';
const versionPattern = new RegExp(
  `^v?(\\d+)(?:\\.(\\d+))?(?:\\.(\\d+))?(?:-(${identifiers}))?(?:\\+(${identifiers}))?$`,
);
const numberMax = 2n ** 64n;

/** null: it is none. */
export function parseVersion(text: string): SemanticVersion | null {
  const found = versionPattern.exec(text);
  if (found === null) return null;
  const [, major = '0', minor = '0', patch = '0', prerelease = '', metadata = ''] = found;
  if (prerelease.split('.').some((part) => /^0\d+$/.test(part))) return null;
  const numbers = [BigInt(major), BigInt(minor), BigInt(patch)] as const;
  return numbers.some((number) => number >= numberMax)
    ? null
    : new SemanticVersion(numbers, prerelease, metadata, text);
}

/** -1, 0 or 1. */
export function compareVersions(a: SemanticVersion, b: SemanticVersion): number {
  for (const [x, y] of [
    [a.major, b.major],
    [a.minor, b.minor],
    [a.patch, b.patch],
  ] as const) {
    if (x !== y) return x < y ? -1 : 1;
  }
  if (a.prerelease === b.prerelease) return 0;
  if (a.prerelease === '') return 1;
  if (b.prerelease === '') return -1;
  const [left, right] = [a.prerelease.split('.'), b.prerelease.split('.')];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const order = compareParts(left[i], right[i]);
    if (order !== 0) return order;
  }
  return 0;
}

/** Numbers go before texts, and what is not there before all. */
function compareParts(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0;
  if (a === undefined) return -1;
  if (b === undefined) return 1;
  const [isNumberA, isNumberB] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (isNumberA && isNumberB) return BigInt(a) < BigInt(b) ? -1 : BigInt(a) > BigInt(b) ? 1 : 0;
  if (isNumberA !== isNumberB) return isNumberA ? -1 : 1;
  return a < b ? -1 : 1;
}
