// What a plugin says about itself: its name, its version, and the parameters of its source and of its destination. The rules of a
// parameter are those of Conduit's configuration (config.v1); names may hold `*` for one part between dots.

export interface PluginSpecification {
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  readonly version: string;
  readonly author: string;
  /** null: it is no source. */
  readonly sourceParameters: PluginParameters | null;
  /** null: it is no destination. */
  readonly destinationParameters: PluginParameters | null;
}

/** By name. */
export type PluginParameters = Readonly<Record<string, PluginParameter>>;

export interface PluginParameter {
  /** '' = none. */
  readonly default: string;
  readonly description: string;
  readonly type: PluginParameterType;
  readonly validations: readonly PluginValidation[];
  /** Known of connectors of ours only: the protocol does not say it. */
  readonly secret?: boolean;
}

export interface PluginValidation {
  readonly type: PluginValidationType;
  /** A number for greater-than and less-than, a comma-separated list for inclusion and exclusion, a pattern for regex. */
  readonly value: string;
}

export type PluginParameterType = 'string' | 'int' | 'float' | 'bool' | 'file' | 'duration';
export type PluginValidationType = 'required' | 'greater-than' | 'less-than' | 'inclusion' | 'exclusion' | 'regex';

/** In the order of the protocol's numbers, from 1; what has another number is a text. */
export const parameterTypes: readonly PluginParameterType[] = ['string', 'int', 'float', 'bool', 'file', 'duration'];

/** In the order of the protocol's numbers, from 1; what has another number is no rule that is known here. */
export const validationTypes: readonly PluginValidationType[] = [
  'required',
  'greater-than',
  'less-than',
  'inclusion',
  'exclusion',
  'regex',
];
