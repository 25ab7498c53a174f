// The shape of a reply, written once: its type for the function that makes the reply, its schema for the OpenAPI document.
//
// A shape is plain data in the words of JSON Schema; the type it stands for is never there at run time. Keys are exactly those
// that are named: clients may rely on each, and a test refuses any other. Not here: requests, which are read and checked by
// the code that needs them.

export type JsonSchema = Readonly<Record<string, unknown>>;

export interface Shape<T> {
  readonly schema: JsonSchema;
  /** Carries the type; never set. */
  readonly of?: T;
}

/** What a shape stands for. */
export type Shaped<S> = S extends Shape<infer T> ? T : never;

/** A success that is not JSON alone. */
export interface OtherBody {
  /** null: there is no body. */
  readonly contentType: string | null;
  /** What it is where the request asks for JSON. */
  readonly json: Shape<unknown> | null;
}

export type ReplyBody = Shape<unknown> | OtherBody;

export const text: Shape<string> = { schema: { type: 'string' } };
export const whole: Shape<number> = { schema: { type: 'integer' } };
export const numeric: Shape<number> = { schema: { type: 'number' } };
export const flag: Shape<boolean> = { schema: { type: 'boolean' } };
export const moment: Shape<string> = { schema: { type: 'string', format: 'date-time' } };
export const uuid: Shape<string> = { schema: { type: 'string', format: 'uuid' } };
/** What a user has written, or a part of the program says: nothing is promised of it. */
export const anything: Shape<unknown> = { schema: {} };
export const anyObject: Shape<object> = {
  schema: { type: 'object', additionalProperties: true },
};
/** No body. */
export const nothing: OtherBody = { contentType: null, json: null };

export function oneOf<const T extends string>(...texts: readonly T[]): Shape<T> {
  return { schema: { type: 'string', enum: texts } };
}

export function list<T>(items: Shape<T>): Shape<readonly T[]> {
  return { schema: { type: 'array', items: items.schema } };
}

/** An object whose keys are names of things. */
export function byName<T>(values: Shape<T>): Shape<Readonly<Record<string, T>>> {
  return { schema: { type: 'object', additionalProperties: values.schema } };
}

export function orNull<T>({ schema }: Shape<T>): Shape<T | null> {
  // Beside a reference no other word counts: it goes into a list of one.
  return { schema: '$ref' in schema ? { allOf: [schema], nullable: true } : { ...schema, nullable: true } };
}

export function either<A, B>(a: Shape<A>, b: Shape<B>): Shape<A | B> {
  return { schema: { anyOf: [a.schema, b.schema] } };
}

type Shapes = Readonly<Record<string, Shape<unknown>>>;
type Whole<P extends Shapes> = { readonly [K in keyof P]: Shaped<P[K]> };
type Partly<P extends Shapes> = { readonly [K in keyof P]?: Shaped<P[K]> };

/** Every key of `properties` is there; those of `optional` may be. */
export function object<P extends Shapes, O extends Shapes = Record<never, never>>(
  properties: P,
  optional?: O,
): Shape<Whole<P> & Partly<O>> {
  const all: Shapes = { ...properties, ...optional };
  return {
    schema: {
      type: 'object',
      required: Object.keys(properties),
      properties: Object.fromEntries(Object.entries(all).map(([key, { schema }]) => [key, schema])),
    },
  };
}

/** Text, bytes or a stream of them; JSON where the request asks for it. */
export function body(contentType: string, json: Shape<unknown> | null = null): OtherBody {
  return { contentType, json };
}
