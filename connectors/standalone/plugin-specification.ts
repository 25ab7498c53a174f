// What a plugin says about itself: its name, its version, and the parameters of its source and of its destination. The rules of a
// parameter are those of Conduit's configuration (config.v1); names may hold `*` for one part between dots.

export interface PluginSpecification {
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  readonly version: string;
  readonly author: string;
  readonly source: PluginParameters;
  readonly destination: PluginParameters;
}

/** By name. */
export type PluginParameters = Readonly<Record<string, PluginParameter>>;

export type PluginParameterType = 'unspecified' | 'string' | 'int' | 'float' | 'bool' | 'file' | 'duration';

export type PluginValidationKind =
  | 'unspecified'
  | 'required'
  | 'greater-than'
  | 'less-than'
  | 'inclusion'
  | 'exclusion'
  | 'regex';

export interface PluginParameter {
  /** '' = none. */
  readonly default: string;
  readonly description: string;
  readonly type: PluginParameterType;
  readonly validations: readonly PluginValidation[];
}

export interface PluginValidation {
  readonly kind: PluginValidationKind;
  /** A number for greater-than and less-than, a comma-separated list for inclusion and exclusion, a pattern for regex. */
  readonly value: string;
}

/** In the order of the protocol's numbers, from 0. */
export const parameterTypes: readonly PluginParameterType[] = [
  'unspecified',
  'string',
  'int',
  'float',
  'bool',
  'file',
  'duration',
];

/** In the order of the protocol's numbers, from 0. */
export const validationKinds: readonly PluginValidationKind[] = [
  'unspecified',
  'required',
  'greater-than',
  'less-than',
  'inclusion',
  'exclusion',
  'regex',
];
