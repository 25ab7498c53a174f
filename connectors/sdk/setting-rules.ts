// What parameters as data cannot say of a configuration: settings that need, exclude or contradict one another, texts with a form.
//
// Rules stand in the declaration of a connector or format and are pure, so that they are found before anything is started, together with
// every other problem, each with its place. What needs the outside world is for `configure` and `open`.
// A rule sees values that may be of a wrong type (that is a problem already): it looks before it reads.
import { nearestName } from '../../runtime/nearest-name.ts';
import { ConfigInvalidValue, ConfigMissingKey } from './configuration-errors.ts';
import type { Parameter, ParameterValues, PlaceOf } from './parameters.ts';
import { type ValidatedParameters, validateParameters } from './validate-parameters.ts';

export interface SettingProblem {
  /** Of the parameter that is to be added or changed. */
  readonly key: string;
  /** 'missing', or what is wrong with the value, behind its name: `"key" reason`. Holds no value of a secret. */
  readonly reason: 'missing' | string;
  /** The value that was perhaps meant. */
  readonly suggestion?: string | undefined;
}

export type SettingRules = (values: ParameterValues) => Iterable<SettingProblem>;

export interface RuledParameters {
  readonly parameters: readonly Parameter[];
  readonly rules?: SettingRules;
}

/** Checks `value`, which stands at `path`, against parameters and rules: every problem at once. `owner` names what they belong to. */
export function validateSettings(
  { parameters, rules }: RuledParameters,
  value: unknown,
  placeOf: PlaceOf,
  path: readonly (string | number)[],
  owner: string,
): ValidatedParameters {
  const { values, problems } = validateParameters(parameters, value, placeOf, path, owner);
  for (const { key, reason, suggestion } of rules?.(values) ?? []) {
    if (reason === 'missing') problems.push(new ConfigMissingKey({ key, owner }, { place: placeOf(path) }));
    else problems.push(new ConfigInvalidValue({ key, reason }, { place: placeOf([...path, key]), suggestion }));
  }
  return { values, problems };
}

/** The values of a validated configuration. @throws the first problem */
export function validSettings(definition: RuledParameters, value: unknown, owner: string): ParameterValues {
  const { values, problems } = validateSettings(definition, value, () => ({}), [], owner);
  if (problems[0] !== undefined) throw problems[0];
  return values;
}

/** A problem of a text that is none of `known`. */
export function unknownText(key: string, value: unknown, known: readonly string[], reason: string): SettingProblem {
  return { key, reason, suggestion: typeof value === 'string' ? nearestName(value, known) : undefined };
}
