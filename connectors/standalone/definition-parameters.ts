// Parameters of a definition in the terms of plugins: flat names with dots, `*` for the keys of maps, everything a text, rules
// as validations. What a plugin of ours says of itself, and how built-in connectors are listed beside plugin processes.
import type { Parameter } from '../sdk/parameters.ts';
import type {
  PluginParameter,
  PluginParameters,
  PluginParameterType,
  PluginValidation,
} from './plugin-specification.ts';

/** Parameters as data in the terms of plugins: flat names, everything a text. */
export function pluginParameters(parameters: readonly Parameter[]): PluginParameters {
  const flat: Record<string, PluginParameter> = {};
  for (const parameter of parameters) addParameter(parameter, parameter.name, flat);
  return flat;
}

function addParameter(parameter: Parameter, name: string, to: Record<string, PluginParameter>): void {
  const { type } = parameter;
  if (type.kind === 'object') {
    for (const inner of type.parameters) addParameter(inner, `${name}.${inner.name}`, to);
    return;
  }
  if (type.kind === 'map') {
    const { default: _, ...each } = parameter;
    addParameter({ ...each, name, type: type.value, required: false }, `${name}.*`, to);
    return;
  }
  const validations: PluginValidation[] = parameter.required ? [{ type: 'required', value: '' }] : [];
  if (type.kind === 'enum') validations.push({ type: 'inclusion', value: type.values.join(',') });
  if (type.kind === 'integer' || type.kind === 'number') {
    // The bounds belong to what is allowed, which the words of plugins cannot say of fractions: the next whole number lies outside, and what
    // is between the two is refused when the settings are read.
    if (type.min !== undefined) validations.push({ type: 'greater-than', value: String(type.min - 1) });
    if (type.max !== undefined) validations.push({ type: 'less-than', value: String(type.max + 1) });
  }
  to[name] = {
    default: defaultText(parameter.default),
    description: parameter.description,
    type: typeNames[type.kind],
    validations,
    ...(parameter.secret === true ? { secret: true } : {}),
  };
}

function defaultText(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (Array.isArray(value)) return value.join(',');
  return typeof value === 'object' ? '' : String(value);
}

const typeNames: Readonly<Record<Exclude<Parameter['type']['kind'], 'object' | 'map'>, PluginParameterType>> = {
  string: 'string',
  boolean: 'bool',
  integer: 'int',
  number: 'float',
  enum: 'string',
  duration: 'duration',
  character: 'string',
  list: 'string',
  any: 'string',
};
