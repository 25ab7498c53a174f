// Names of SQL types: synonyms, and their parameters checked.
//
// FLOAT alone is refused, as Feldera does: dialects disagree about its size. VARCHAR and VARBINARY without a length are
// unbounded, CHAR and BINARY without one have length 1, DECIMAL without precision is DECIMAL(38, 0). The precision of
// TIME and TIMESTAMP is accepted and means nothing: both count microseconds.

import { decimalPrecisionMax, isNested, type SqlType, unsignedType } from '../../../runtime/batch/sql-type.ts';
import { nearestName } from '../../../runtime/nearest-name.ts';
import type { TypeName, TypePart } from './ast.ts';
import { intervalType } from './interval-units.ts';
import { normalizeUnit } from './literals.ts';
import { SqlInvalidDefinition, SqlUnknownType, SqlUnsupported } from './sql-errors.ts';
import type { SqlText } from './sql-text.ts';

const plainTypes: Readonly<Record<string, SqlType>> = {
  boolean: { kind: 'BOOLEAN' },
  bool: { kind: 'BOOLEAN' },
  tinyint: { kind: 'TINYINT' },
  smallint: { kind: 'SMALLINT' },
  int2: { kind: 'SMALLINT' },
  integer: { kind: 'INTEGER' },
  int: { kind: 'INTEGER' },
  signed: { kind: 'INTEGER' },
  int4: { kind: 'INTEGER' },
  bigint: { kind: 'BIGINT' },
  int8: { kind: 'BIGINT' },
  int64: { kind: 'BIGINT' },
  real: { kind: 'REAL' },
  float4: { kind: 'REAL' },
  float32: { kind: 'REAL' },
  double: { kind: 'DOUBLE' },
  float: { kind: 'DOUBLE' },
  'double precision': { kind: 'DOUBLE' },
  float8: { kind: 'DOUBLE' },
  float64: { kind: 'DOUBLE' },
  date: { kind: 'DATE' },
  'tinyint unsigned': unsignedType(8),
  utinyint: unsignedType(8),
  uint8: unsignedType(8),
  'smallint unsigned': unsignedType(16),
  usmallint: unsignedType(16),
  uint16: unsignedType(16),
  unsigned: unsignedType(32),
  'int unsigned': unsignedType(32),
  'integer unsigned': unsignedType(32),
  uinteger: unsignedType(32),
  uint: unsignedType(32),
  uint32: unsignedType(32),
  'bigint unsigned': unsignedType(64),
  ubigint: unsignedType(64),
  uint64: unsignedType(64),
  uuid: { kind: 'UUID' },
  variant: { kind: 'VARIANT' },
};

/** Types with parameters: how many they may have. */
const parametersMax: Readonly<Record<string, number>> = {
  decimal: 2,
  dec: 2,
  numeric: 2,
  number: 2,
  char: 1,
  character: 1,
  varchar: 1,
  'char varying': 1,
  'character varying': 1,
  string: 1,
  text: 1,
  binary: 1,
  varbinary: 1,
  'binary varying': 1,
  bytea: 1,
  time: 1,
  'time without time zone': 1,
  timestamp: 1,
  datetime: 1,
  'timestamp without time zone': 1,
  'timestamp with time zone': 1,
};

const instead: Readonly<Record<string, string>> = {
  json: 'write VARIANT',
  jsonb: 'write VARIANT',
  object: 'write VARIANT, or ROW(name type, …)',
  struct: 'write ROW(name type, …)',
  list: 'write type ARRAY',
  blob: 'write VARBINARY',
  longblob: 'write VARBINARY',
  image: 'write VARBINARY',
  raw: 'write VARBINARY',
  clob: 'write VARCHAR',
  nclob: 'write VARCHAR',
  ntext: 'write VARCHAR',
  longtext: 'write VARCHAR',
  mediumtext: 'write VARCHAR',
  tinytext: 'write VARCHAR',
  nchar: 'write CHAR',
  nvarchar: 'write VARCHAR',
  nvarchar2: 'write VARCHAR',
  varchar2: 'write VARCHAR',
  citext: 'write VARCHAR, and compare LOWER(x)',
  enum: 'write VARCHAR',
  xml: 'write VARCHAR',
  inet: 'write VARCHAR',
  bit: 'write BOOLEAN',
  serial: 'write INTEGER: the source numbers the rows',
  bigserial: 'write BIGINT: the source numbers the rows',
  smallserial: 'write SMALLINT: the source numbers the rows',
  money: 'write DECIMAL(19, 4)',
  smallmoney: 'write DECIMAL(10, 4)',
  hugeint: 'write DECIMAL(38, 0)',
  int128: 'write DECIMAL(38, 0)',
  bignumeric: 'write DECIMAL(38, s)',
  timestamptz: 'write TIMESTAMP WITH TIME ZONE',
  timestamp_tz: 'write TIMESTAMP WITH TIME ZONE',
  timestamp_ltz: 'write TIMESTAMP WITH TIME ZONE',
  datetimeoffset: 'write TIMESTAMP WITH TIME ZONE',
  datetime2: 'write TIMESTAMP',
  smalldatetime: 'write TIMESTAMP',
  timestamp_ntz: 'write TIMESTAMP',
  timetz: 'write TIME',
  uniqueidentifier: 'write UUID',
  geometry: 'keep coordinates as DOUBLE columns',
  geography: 'keep coordinates as DOUBLE columns',
};

const typeNames: readonly string[] = [...Object.keys(plainTypes), ...Object.keys(parametersMax)];

/** @throws SqlUnknownType, SqlUnsupported, SqlInvalidDefinition */
export function resolveTypeName(source: SqlText, type: TypeName): SqlType {
  let resolved = type.name === 'map' || type.name === 'row' ? nestedType(source, type) : plainType(source, type);
  for (let i = 0; i < type.arrays; i++) resolved = { kind: 'ARRAY', element: resolved };
  return resolved;
}

function nestedType(source: SqlText, { name, parameters, parts, span }: TypeName): SqlType {
  const refuse = (detail: string): Error => new SqlInvalidDefinition({ detail }, { place: source.span(span) });
  if (name === 'row') {
    const fields = parts.flatMap((part) =>
      part.name === null ? [] : [{ name: part.name.name, type: fieldType(source, part) }],
    );
    if (fields.length === 0 || fields.length < parts.length || parameters.length > 0)
      throw refuse('ROW takes its fields, as in ROW(a INTEGER, b VARCHAR)');
    return { kind: 'ROW', fields };
  }
  const [key, value] = parts;
  if (key === undefined || value === undefined || parts.length > 2 || key.name !== null)
    throw refuse('MAP takes two types, as in MAP<VARCHAR, INTEGER>');
  const keyType = resolveTypeName(source, key.type);
  if (isNested(keyType)) throw refuse('the keys of a MAP have a scalar type');
  return { kind: 'MAP', key: keyType, value: resolveTypeName(source, value.type) };
}

/** A VARIANT that does not say what the null of JSON is; other types as they are. */
export function plainVariant(type: SqlType): SqlType {
  return type.kind === 'VARIANT' && type.keepsNull === true ? { kind: 'VARIANT' } : type;
}

/** A VARIANT field that is NOT NULL, as those of ROW(…) are where nothing is said, has the null of JSON as a value. */
function fieldType(source: SqlText, { type, nullable }: TypePart): SqlType {
  const resolved = resolveTypeName(source, type);
  return resolved.kind === 'VARIANT' && nullable === false ? { kind: 'VARIANT', keepsNull: true } : resolved;
}

function plainType(source: SqlText, type: TypeName): SqlType {
  const place = source.span(type.span);
  const { name, parameters } = type;
  const refuse = (detail: string): Error => new SqlInvalidDefinition({ detail }, { place });
  const plain = source.types.get(name) ?? plainTypes[name] ?? intervalOf(name);
  const max = plain === undefined ? parametersMax[name] : 0;
  if (max === undefined) throw unknownType(name, place);
  if (type.parts.length > 0) throw refuse(`${name.toUpperCase()} takes no types`);
  if (parameters.length > max) {
    throw refuse(`${name.toUpperCase()} takes ${max === 0 ? 'no parameters' : `at most ${max}`}`);
  }
  if (parameters.some((parameter) => !Number.isInteger(parameter))) {
    throw refuse(`the parameters of ${name.toUpperCase()} are integers`);
  }
  if (plain !== undefined) return plain;
  const [first, second] = parameters;
  if (first === 0 && !name.startsWith('time')) throw refuse(`the length of ${name.toUpperCase()} is at least 1`);
  switch (name) {
    case 'decimal':
    case 'dec':
    case 'numeric':
    case 'number': {
      const precision = first ?? decimalPrecisionMax;
      const scale = second ?? 0;
      if (precision > decimalPrecisionMax) throw refuse(`DECIMAL has at most ${decimalPrecisionMax} digits`);
      if (scale > precision) throw refuse(`the scale of DECIMAL(${precision}, ${scale}) is larger than its precision`);
      return { kind: 'DECIMAL', precision, scale };
    }
    case 'char':
    case 'character':
      return { kind: 'CHAR', length: first ?? 1 };
    case 'binary':
      return { kind: 'BINARY', length: first ?? 1 };
    case 'varbinary':
    case 'binary varying':
    case 'bytea':
      return { kind: 'VARBINARY', length: first ?? null };
    case 'time':
    case 'time without time zone':
      return { kind: 'TIME' };
    case 'timestamp':
    case 'datetime':
    case 'timestamp without time zone':
      return { kind: 'TIMESTAMP' };
    case 'timestamp with time zone':
      return { kind: 'TIMESTAMP', zoned: true };
    default:
      return { kind: 'VARCHAR', length: first ?? null };
  }
}

function intervalOf(name: string): SqlType | undefined {
  const units = name.startsWith('interval ') ? name.slice('interval '.length).split(' to ').map(normalizeUnit) : [];
  return units[0] === undefined ? undefined : intervalType(units[0], units.at(-1) ?? '');
}

function unknownType(name: string, place: ReturnType<SqlText['place']>): Error {
  const shown = name.toUpperCase();
  if (instead[name] !== undefined) {
    return new SqlUnsupported({ construct: `type ${shown}`, instead: instead[name] }, { place });
  }
  if (name.endsWith('with time zone')) {
    return new SqlUnsupported({ construct: `type ${shown}`, instead: 'use TIMESTAMP: it is UTC' }, { place });
  }
  if (name === 'geometry') {
    return new SqlUnsupported({ construct: `type ${shown}`, instead: '' }, { place });
  }
  return new SqlUnknownType({ name: shown }, { place, suggestion: nearestName(name, typeNames)?.toUpperCase() });
}
