// A connector's or format's parameters, as data. Validation, docs, console forms and both facades are derived from them.
//
// Names are as users write them in a configuration (snake_case, as Feldera spells them).
import type { Place } from '../../runtime/errors.ts';

/** How a parameter's value is checked and shown. */
export type ParameterType =
  | { readonly kind: 'string' }
  | { readonly kind: 'boolean' }
  /** Inclusive bounds. */
  | { readonly kind: 'integer'; readonly min?: number; readonly max?: number }
  | { readonly kind: 'number'; readonly min?: number; readonly max?: number }
  | { readonly kind: 'enum'; readonly values: readonly string[] }
  /** A length of time as text in Go's form: '1s', '2m30s', '100ms', '0'. */
  | { readonly kind: 'duration' }
  /** One ASCII character. */
  | { readonly kind: 'character' }
  | { readonly kind: 'list'; readonly item: ParameterType }
  /** String keys, all values of one type, such as HTTP headers. */
  | { readonly kind: 'map'; readonly value: ParameterType }
  | { readonly kind: 'object'; readonly parameters: readonly Parameter[] }
  /** Anything JSON can say; the connector checks it itself in `configure`. */
  | { readonly kind: 'any' };

export interface Parameter {
  readonly name: string;
  readonly type: ParameterType;
  readonly required: boolean;
  /** Left out: the parameter is absent when the user does not give it. */
  readonly default?: unknown;
  /** Where it is left out, this variable of the environment gives it, if it is set. Texts only. */
  readonly environment?: string;
  /** Never printed, logged or returned. */
  readonly secret?: boolean;
  /** One or two sentences for docs and forms, with the unit. */
  readonly description: string;
}

/** A configuration after validation: every default filled in, nothing unknown. */
export type ParameterValues = Readonly<Record<string, unknown>>;

/** What a validated value of a parameter's type is in TypeScript; unknown where the type is not known at compile time. */
export type ValueOf<T extends ParameterType> = ParameterType extends T ? unknown : ValueOfKind<T>;

type ValueOfKind<T extends ParameterType> = T extends { readonly kind: 'string' | 'duration' | 'character' }
  ? string
  : T extends { readonly kind: 'boolean' }
    ? boolean
    : T extends { readonly kind: 'integer' | 'number' }
      ? number
      : T extends { readonly kind: 'enum'; readonly values: readonly (infer V)[] }
        ? V
        : T extends { readonly kind: 'list'; readonly item: infer I extends ParameterType }
          ? readonly ValueOf<I>[]
          : T extends { readonly kind: 'map'; readonly value: infer V extends ParameterType }
            ? Readonly<Record<string, ValueOf<V>>>
            : T extends { readonly kind: 'object'; readonly parameters: infer P extends readonly Parameter[] }
              ? ConfigurationOf<P>
              : unknown;

/** Parameters that are there whatever the user writes. */
type Always =
  | { readonly required: true }
  | { readonly default: string | number | boolean | readonly unknown[] | Readonly<Record<string, unknown>> };

/** The configuration that parameters given as data describe: `create` gets it typed. */
export type ConfigurationOf<P extends readonly Parameter[]> = {
  readonly [K in P[number] as K extends Always ? K['name'] : never]: ValueOf<K['type']>;
} & {
  readonly [K in P[number] as K extends Always ? never : K['name']]?: ValueOf<K['type']>;
};

/** Finds the place of a path inside the user's configuration, such as `transport.config.path`, for error messages. */
export type PlaceOf = (path: readonly (string | number)[]) => Place;
