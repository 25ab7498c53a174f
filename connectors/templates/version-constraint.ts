// Which versions a constraint takes: `>=1.2 <2 || ~3.1, !=3.1.5`, `^1`, `1.x`, `1.2 - 1.4`, as sprig's `semverCompare` reads it.
//
// Alternatives are separated by ||, what has to hold together by commas or blanks. A pre-release is only taken where one of the
// bounds that hold together names one itself. Numbers that are left out, or written x, X or *, leave what is behind them open.
import { compareVersions, parseVersion, type SemanticVersion } from './semantic-version.ts';

interface Bound {
  readonly operator: string;
  readonly version: SemanticVersion;
  readonly isMinorOpen: boolean;
  readonly isPatchOpen: boolean;
  readonly isOpen: boolean;
}

const number = '[0-9|xX*]+';
const rest = '(?:-([0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*))?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?';
const version = `v?(${number})(?:\\.(${number}))?(?:\\.(${number}))?${rest}`;
const operators = '!=|>=|=>|<=|=<|=|>|<|~>|~|\\^';
const boundPattern = new RegExp(`^\\s*(${operators}|)\\s*(${version})\\s*$`);
const boundsPattern = new RegExp(`(?:${operators})?\\s*${version}`, 'g');
const rangePattern = new RegExp(`\\s*(${version})\\s+-\\s+(${version})\\s*`, 'g');

/** null: it is no constraint. */
export function takesVersion(constraint: string, candidate: SemanticVersion): boolean | null {
  const ranged = constraint.replaceAll(
    rangePattern,
    (_, ...groups: readonly string[]) => ` >=${groups[0]} <=${groups[5]} `,
  );
  let isTaken = false;
  for (const alternative of ranged.split('||')) {
    const bounds = boundsOf(alternative);
    if (bounds === null) return null;
    const isAsked = candidate.prerelease === '' || bounds.some(({ version: { prerelease } }) => prerelease !== '');
    isTaken ||= isAsked && bounds.every((bound) => holds(bound, candidate));
  }
  return isTaken;
}

function boundsOf(text: string): readonly Bound[] | null {
  const parts = text.match(boundsPattern);
  // A comma or blanks stand between them, and blanks around.
  if (parts === null || !/^\s*(?:,?\s*\0)*\s*$/.test(text.replaceAll(boundsPattern, '\0'))) return null;
  const bounds = parts.map(boundOf);
  return bounds.every((bound) => bound !== null) ? bounds : null;
}

function boundOf(text: string): Bound | null {
  const found = boundPattern.exec(text);
  if (found === null) return null;
  const [, operator = '', written = '', major = '', minor, patch, prerelease] = found;
  const before = prerelease === undefined ? '' : `-${prerelease}`;
  const isMajorOpen = isOpen(major);
  const isMinorOpen = !isMajorOpen && isOpen(minor);
  const isPatchOpen = !isMajorOpen && !isMinorOpen && isOpen(patch);
  const whole = isMajorOpen
    ? `0.0.0${before}`
    : isMinorOpen
      ? `${major}.0.0${before}`
      : isPatchOpen
        ? `${major}.${minor}.0${before}`
        : written;
  const parsed = parseVersion(whole);
  if (parsed === null) return null;
  return { operator, version: parsed, isMinorOpen, isPatchOpen, isOpen: isMajorOpen || isMinorOpen || isPatchOpen };
}

function isOpen(part: string | undefined): boolean {
  return part === undefined || part === 'x' || part === 'X' || part === '*';
}

function holds(bound: Bound, candidate: SemanticVersion): boolean {
  const { operator, version: own } = bound;
  const order = compareVersions(candidate, own);
  switch (operator) {
    case '':
    case '=':
      return bound.isOpen ? isNear(bound, candidate) : order === 0;
    case '!=':
      return isOther(bound, candidate);
    case '>':
      return isAbove(bound, candidate);
    case '<':
      return order < 0;
    case '>=':
    case '=>':
      return order >= 0;
    case '<=':
    case '=<':
      if (!bound.isOpen) return order <= 0;
      if (candidate.major > own.major) return false;
      return !(candidate.major === own.major && candidate.minor > own.minor && !bound.isMinorOpen);
    case '~':
    case '~>':
      return isNear(bound, candidate);
    default:
      return isCompatible(bound, candidate);
  }
}

function isOther(bound: Bound, candidate: SemanticVersion): boolean {
  const { version: own } = bound;
  if (!bound.isOpen) return compareVersions(candidate, own) !== 0;
  if (own.major !== candidate.major) return true;
  if (bound.isMinorOpen) return false;
  if (own.minor !== candidate.minor) return true;
  if (bound.isPatchOpen) return false;
  return own.patch !== candidate.patch;
}

function isAbove(bound: Bound, candidate: SemanticVersion): boolean {
  const { version: own } = bound;
  if (!bound.isOpen) return compareVersions(candidate, own) > 0;
  if (candidate.major !== own.major) return candidate.major > own.major;
  if (bound.isMinorOpen) return false;
  return bound.isPatchOpen ? candidate.minor > own.minor : true;
}

/** ~: as far as what was written allows. */
function isNear(bound: Bound, candidate: SemanticVersion): boolean {
  const { version: own } = bound;
  if (compareVersions(candidate, own) < 0) return false;
  const isZero = own.major === 0n && own.minor === 0n && own.patch === 0n;
  if (isZero && !bound.isMinorOpen && !bound.isPatchOpen) return true;
  if (candidate.major !== own.major) return false;
  return candidate.minor === own.minor || bound.isMinorOpen;
}

/** ^: the first number that is not 0 stays. */
function isCompatible(bound: Bound, candidate: SemanticVersion): boolean {
  const { version: own } = bound;
  if (compareVersions(candidate, own) < 0) return false;
  if (own.major > 0n || bound.isMinorOpen) return candidate.major === own.major;
  if (candidate.major > 0n) return false;
  if (own.minor > 0n || bound.isPatchOpen) return candidate.minor === own.minor;
  return candidate.minor === 0n && candidate.patch === own.patch;
}
