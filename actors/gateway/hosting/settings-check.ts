// The settings of a connector or processor against its specification, before any process is started: every problem at once,
// each with its place, what was expected and the nearest name. The rules are those of the plugins' own check, so that nothing
// is refused here that a plugin would take.
import { parseDuration } from '../../../connectors/sdk/duration.ts';
import { nearestName } from '../../../runtime/nearest-name.ts';
import {
  matches,
  type PluginParameter,
  type PluginParameters,
  type PluginValidation,
  parameterOf,
} from './plugin-specification.ts';

export interface SettingProblem {
  /** Name of the setting. */
  readonly setting: string;
  readonly kind: 'unknown' | 'required' | 'type' | 'value';
  /** A whole phrase, without the value of a secret. */
  readonly message: string;
  readonly expected: string;
  readonly suggestion?: string;
}

/** Blanks around names and values do not count. Nothing is returned when a plugin would take it. */
export function checkSettings(
  parameters: PluginParameters,
  settings: Readonly<Record<string, string>>,
  isSecret: (name: string) => boolean,
): readonly SettingProblem[] {
  const problems: SettingProblem[] = [];
  const given = new Map(Object.entries(settings).map(([name, value]) => [name.trim(), value.trim()]));
  for (const [name, value] of given) {
    const parameter = parameterOf(parameters, name);
    if (parameter === undefined) problems.push(unknownSetting(parameters, name));
    else {
      const shown = isSecret(name) ? 'the value' : JSON.stringify(value);
      problems.push(...checkValue(name, value === '' ? parameter.default : value, shown, parameter));
    }
  }
  for (const [name, parameter] of Object.entries(parameters)) {
    if (given.has(name) || parameter.default !== '') continue;
    if (!parameter.validations.some(({ type }) => type === 'required')) continue;
    // Below a star a parameter is required in each group that is there.
    for (const missing of missingNames(name, [...given.keys()])) problems.push(requiredSetting(missing));
  }
  return problems;
}

function unknownSetting(parameters: PluginParameters, name: string): SettingProblem {
  const suggestion = nearestName(name, Object.keys(parameters));
  return {
    setting: name,
    kind: 'unknown',
    message: 'unrecognized parameter',
    expected: 'one of the parameters of the plugin',
    ...(suggestion === undefined ? {} : { suggestion }),
  };
}

function requiredSetting(setting: string): SettingProblem {
  return { setting, kind: 'required', message: 'required parameter is not provided', expected: 'a value' };
}

function missingNames(name: string, given: readonly string[]): readonly string[] {
  if (!name.includes('*')) return [name];
  const parts = name.split('.');
  const star = parts.indexOf('*');
  const groups = new Set(
    given
      .filter((other) =>
        matches(
          parts.slice(0, star + 1).join('.'),
          other
            .split('.')
            .slice(0, star + 1)
            .join('.'),
        ),
      )
      .map((other) => other.split('.')[star] ?? ''),
  );
  return [...groups]
    .flatMap((group) => missingNames(parts.with(star, group).join('.'), given))
    .filter((wanted) => !given.includes(wanted));
}

function checkValue(setting: string, value: string, shown: string, parameter: PluginParameter): SettingProblem[] {
  const isRequired = parameter.validations.some(({ type }) => type === 'required');
  if (value === '') return isRequired ? [requiredSetting(setting)] : [];
  const expected = expectedTypes[parameter.type];
  if (expected !== undefined && !expected.accepts(value)) {
    return [{ setting, kind: 'type', message: `${shown} is not ${expected.what}`, expected: expected.what }];
  }
  const problems: SettingProblem[] = [];
  for (const validation of parameter.validations) {
    const wanted = violated(validation, value);
    if (wanted === null) continue;
    const suggestion = validation.type === 'inclusion' ? nearestName(value, choices(validation.value)) : undefined;
    problems.push({
      setting,
      kind: 'value',
      message: `${shown} must be ${wanted}`,
      expected: wanted,
      ...(suggestion === undefined ? {} : { suggestion }),
    });
  }
  return problems;
}

const expectedTypes: Readonly<
  Record<PluginParameter['type'], { readonly what: string; readonly accepts: (text: string) => boolean } | undefined>
> = {
  string: undefined,
  file: undefined,
  int: { what: 'a whole number', accepts: isInt64 },
  float: { what: 'a number', accepts: isFloat },
  bool: { what: 'true or false', accepts: (text) => /^(?:1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$/.test(text) },
  duration: { what: 'a duration such as 1s or 2m30s', accepts: (text) => parseDuration(text) !== null },
};

function isInt64(text: string): boolean {
  return /^[+-]?\d{1,40}$/.test(text) && BigInt.asIntN(64, bigInt(text)) === bigInt(text);
}

function bigInt(text: string): bigint {
  return BigInt(text.replace(/^\+/, ''));
}

function isFloat(text: string): boolean {
  if (/^[+-]?(?:inf(?:inity)?|nan)$/i.test(text)) return true;
  return /^[+-]?(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:e[+-]?\d+)?$/i.test(text) || /^[+-]?0x/i.test(text);
}

/** What is wanted instead; null: nothing is wrong. */
function violated(validation: PluginValidation, value: string): string | null {
  switch (validation.type) {
    case 'required':
      return null;
    case 'greater-than':
      return isFloat(value) && Number(value) > Number(validation.value) ? null : `greater than ${validation.value}`;
    case 'less-than':
      return isFloat(value) && Number(value) < Number(validation.value) ? null : `less than ${validation.value}`;
    case 'inclusion':
      return choices(validation.value).includes(value) ? null : `one of ${choices(validation.value).join(', ')}`;
    case 'exclusion':
      return choices(validation.value).includes(value) ? `none of ${choices(validation.value).join(', ')}` : null;
    case 'regex':
      return matchesRegex(validation.value, value) ? null : `something that matches ${validation.value}`;
  }
}

function choices(text: string): readonly string[] {
  return text.split(',').map((choice) => choice.trim());
}

/** What only Go's expressions can say is left to the plugin. */
function matchesRegex(pattern: string, value: string): boolean {
  try {
    const flags = /^\(\?([ims]+)\)/.exec(pattern);
    return new RegExp(pattern.slice(flags?.[0].length ?? 0), flags?.[1] ?? '').test(value);
  } catch {
    return true;
  }
}
