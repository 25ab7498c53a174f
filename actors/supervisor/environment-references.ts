// `${env:NAME}` and `${secret:kubernetes:NAME/KEY}` in the strings of a connector. Resolved when the pipeline is opened and never stored.
// What was resolved is not named in errors: it may be a secret.
import type { PlaceOf } from '../../connectors/sdk/parameters.ts';
import type { MillraceError } from '../../runtime/errors.ts';
import { ConfigSecretMissing, ConfigUnsetVariable, ConfigUnsupported } from './configuration-errors.ts';
import { readSecret } from './secret-references.ts';

const reference = /\$\{([a-z]+):([^}]*)\}/g;

/** A copy of `value` with every reference replaced; problems name the path where each stands. */
export function resolveReferences(
  value: unknown,
  environment: Readonly<Record<string, string | undefined>>,
  placeOf: PlaceOf,
  path: readonly (string | number)[],
  problems: MillraceError[],
): unknown {
  if (typeof value === 'string') {
    return value.replace(reference, (whole: string, kind: string, name: string) => {
      const place = placeOf(path);
      if (kind === 'secret') {
        try {
          return readSecret(name, environment, place);
        } catch (error) {
          if (!(error instanceof ConfigSecretMissing)) throw error;
          problems.push(error);
          return whole;
        }
      }
      if (kind !== 'env') {
        problems.push(
          new ConfigUnsupported(
            { what: `\${${kind}:…}`, instead: `use \${env:NAME} or \${secret:kubernetes:NAME/KEY}` },
            { place },
          ),
        );
        return whole;
      }
      const found = environment[name];
      if (found === undefined) problems.push(new ConfigUnsetVariable({ variable: name }, { place }));
      return found ?? whole;
    });
  }
  if (Array.isArray(value)) {
    return value.map((item, i) => resolveReferences(item, environment, placeOf, [...path, i], problems));
  }
  if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    const entries = Object.entries(value).map(([key, item]) => [
      key,
      resolveReferences(item, environment, placeOf, [...path, key], problems),
    ]);
    return Object.fromEntries(entries);
  }
  return value;
}
