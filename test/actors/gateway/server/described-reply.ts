// Holds replies against the schemas of /openapi.json, key by key: a key that the schema does not name is as wrong as one that is
// missing. Words of JSON Schema that it does not know are refused, so that no part of a schema goes unread.

export type Schema = Readonly<Record<string, unknown>>;

const known = new Set([
  'type',
  'nullable',
  'enum',
  'format',
  'required',
  'properties',
  'additionalProperties',
  'items',
  'anyOf',
  'allOf',
  '$ref',
]);

/** What is wrong with `value`, each with the path of its place; empty: nothing. */
export function violations(schema: Schema, value: unknown, path = '$'): readonly string[] {
  for (const word of Object.keys(schema)) if (!known.has(word)) return [`${path}: the schema says '${word}'`];
  if (value === null && schema['nullable'] === true) return [];
  if (Array.isArray(schema['anyOf'])) {
    const each = schema['anyOf'].map((one: Schema) => violations(one, value, path));
    return each.some((found) => found.length === 0) ? [] : each.flat();
  }
  if (Array.isArray(schema['allOf'])) return schema['allOf'].flatMap((one: Schema) => violations(one, value, path));
  if (Array.isArray(schema['enum']) && !schema['enum'].includes(value)) return [`${path}: ${JSON.stringify(value)}`];
  const { type } = schema;
  if (type === undefined) return [];
  if (!isOf(type, value)) return [`${path}: ${JSON.stringify(value)?.slice(0, 100)} is no ${type}`];
  if (type === 'array') {
    // SAFETY: the types of the schema and the value say so.
    const items = schema['items'] as Schema;
    return (value as readonly unknown[]).flatMap((item, at) => violations(items, item, `${path}[${at}]`));
  }
  if (type === 'object') return ofObject(schema, Object(value), path);
  return typeof value === 'string' && !isWritten(schema['format'], value) ? [`${path}: '${value}'`] : [];
}

function isOf(type: unknown, value: unknown): boolean {
  if (type === 'integer') return Number.isSafeInteger(value);
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  return typeof value === type;
}

function ofObject(schema: Schema, value: Readonly<Record<string, unknown>>, path: string): readonly string[] {
  // SAFETY: the form of a JSON Schema; a wrong one fails the test.
  const {
    required = [],
    properties = {},
    additionalProperties: others,
  } = schema as {
    readonly required?: readonly string[];
    readonly properties?: Readonly<Record<string, Schema>>;
    readonly additionalProperties?: Schema | true;
  };
  const missing = required.filter((key) => !(key in value)).map((key) => `${path}.${key} is missing`);
  const found = Object.entries(value).flatMap(([key, item]) => {
    const own = Object.hasOwn(properties, key) ? properties[key] : others;
    if (own === undefined) return [`${path}.${key} is not in the schema`];
    return own === true ? [] : violations(own, item, `${path}.${key}`);
  });
  return [...missing, ...found];
}

function isWritten(format: unknown, value: string): boolean {
  if (format === 'uuid') return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value);
  if (format !== 'date-time') return true;
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(value);
}

/** Of a reply whose head has come. `text`: its body, or the first line of one that is a stream. */
export function unlikeDescribed(
  bodies: Readonly<Record<string, { readonly schema: Schema }>>,
  contentType: string | undefined,
  text: string,
): readonly string[] {
  const types = Object.keys(bodies);
  if (types.length === 0) return text === '' ? [] : [`a body where none is described: ${text.slice(0, 100)}`];
  const found = types.find((type) => contentType?.split(';')[0] === type);
  // Binary formats of queries and such have types of their own.
  if (found === undefined) {
    return bodies['text/plain'] === undefined ? [`a body of the type '${contentType}', not ${types.join(', ')}`] : [];
  }
  if (found !== 'application/json' || text === '') return [];
  return violations(bodies[found]?.schema ?? {}, JSON.parse(text));
}
