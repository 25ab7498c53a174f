// sprig's functions of versions.
import { type GoValue, typeName } from './go-values.ts';
import { compareVersions, parseVersion, SemanticVersion } from './semantic-version.ts';
import { FunctionFailure } from './template-errors.ts';
import { type FunctionTable, fn, textAt } from './template-function.ts';
import { takesVersion } from './version-constraint.ts';

export const versionFunctions: FunctionTable = {
  semver: fn(1, (o) => versionAt(o, 0)),
  semverCompare: fn(2, (o) => {
    const isTaken = takesVersion(textAt(o, 0), versionAt(o, 1));
    if (isTaken === null) throw new FunctionFailure(`improper constraint: ${textAt(o, 0)}`);
    return isTaken;
  }),
};

function versionAt(operands: readonly GoValue[], i: number): SemanticVersion {
  const version = parseVersion(textAt(operands, i));
  if (version === null) throw new FunctionFailure('invalid semantic version');
  return version;
}

/** The methods of a version that templates call; null: there is none of that name. */
export function versionMethod(
  version: SemanticVersion,
  name: string,
): ((operands: readonly GoValue[]) => GoValue) | null {
  const other = (operands: readonly GoValue[]): number => {
    const [value] = operands;
    if (value instanceof SemanticVersion) return compareVersions(version, value);
    throw new FunctionFailure(`wrong type for value; expected *semver.Version; got ${typeName(value)}`);
  };
  switch (name) {
    case 'Major':
      return () => version.major;
    case 'Minor':
      return () => version.minor;
    case 'Patch':
      return () => version.patch;
    case 'Prerelease':
      return () => version.prerelease;
    case 'Metadata':
      return () => version.metadata;
    case 'Original':
      return () => version.original;
    case 'String':
      return () => String(version);
    case 'Compare':
      return (operands) => BigInt(other(operands));
    case 'Equal':
      return (operands) => other(operands) === 0;
    case 'GreaterThan':
      return (operands) => other(operands) > 0;
    case 'LessThan':
      return (operands) => other(operands) < 0;
    default:
      return null;
  }
}
