// An Avro schema that fits structured data, without loss: numbers are doubles, bigints longs, bytes bytes. Objects are records as
// far as their names are Avro names, else maps. What is null is null or text, as nothing is known of it.
// Fields stand in the order of their names: plugins send the entries of a map in any order, and each order would be a schema of its own.
// It is the schema of this value and not of its like: data of another shape gets another version.
import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';
import type { StructuredData, StructuredValue } from './record.ts';

type Json = string | readonly Json[] | { readonly [key: string]: Json };

export const AvroUnknowable: CodedErrorClass<{ readonly path: string }> = defineError(
  'avro.unknowable',
  { help: 'An integer must fit 64 bits, and data is nested 64 deep at most.' },
  (f) => `no Avro schema fits ${f.path}`,
);

const depthMax = 64;
const avroName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** The text of the schema. @throws AvroUnknowable */
export function inferAvroSchema(data: StructuredData): string {
  return JSON.stringify(typeOf(data, { name: 'record', path: '' }, 0));
}

interface Place {
  /** What a record at this place is called. */
  readonly name: string;
  readonly path: string;
}

function typeOf(value: StructuredValue, place: Place, depth: number): Json {
  if (depth > depthMax) throw new AvroUnknowable({ path: place.path });
  if (value === null) return ['null', 'string'];
  switch (typeof value) {
    case 'boolean':
      return 'boolean';
    case 'number':
      return 'double';
    case 'bigint':
      if (BigInt.asIntN(64, value) !== value) throw new AvroUnknowable({ path: place.path });
      return 'long';
    case 'string':
      return 'string';
    default:
  }
  if (value instanceof Uint8Array) return 'bytes';
  if (isList(value)) {
    return { type: 'array', items: union(value.map((item, i) => typeOf(item, inside(place, `item${i}`), depth + 1))) };
  }
  const entries = Object.entries(value);
  if (entries.some(([name]) => !avroName.test(name))) {
    return {
      type: 'map',
      values: union(entries.map(([, item], i) => typeOf(item, inside(place, `value${i}`), depth + 1))),
    };
  }
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  const fields = entries.map(([name, item]) => ({ name, type: typeOf(item, inside(place, name), depth + 1) }));
  return { type: 'record', name: place.name, fields };
}

/** Null and each type that occurs, once. A union has one array and one map at most: theirs are united. */
function union(types: readonly Json[]): Json {
  const flat = types.flatMap((type) => (isJsonList(type) ? type : [type]));
  const arrays: Json[] = [];
  const maps: Json[] = [];
  const rest = new Map<string, Json>([['"null"', 'null']]);
  for (const type of flat) {
    const kind = typeof type === 'object' && !isJsonList(type) ? type['type'] : null;
    if (kind === 'array' && typeof type === 'object' && !isJsonList(type)) arrays.push(type['items'] ?? 'null');
    else if (kind === 'map' && typeof type === 'object' && !isJsonList(type)) maps.push(type['values'] ?? 'null');
    else rest.set(JSON.stringify(type), type);
  }
  if (arrays.length > 0) rest.set('array', { type: 'array', items: union(arrays) });
  if (maps.length > 0) rest.set('map', { type: 'map', values: union(maps) });
  return [...rest.values()];
}

function inside({ name, path }: Place, part: string): Place {
  const isName = avroName.test(part);
  return { name: isName ? `${name}_${part}` : `${name}_x`, path: path === '' ? part : `${path}.${part}` };
}

function isJsonList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function isList(value: StructuredValue): value is readonly StructuredValue[] {
  return Array.isArray(value);
}
