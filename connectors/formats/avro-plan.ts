// From the schema that a message was written with to the columns of a table: for each field of the record a way into a column, or past it.
//
// Fields and columns are matched by name as in JSON: any case for unquoted columns, the exact one for quoted ones. A field without a column
// is skipped; a column without a field takes its default. A type that a column cannot take is found here, once for a schema: the schema is
// then unfit for the table, and each of its messages is refused with the reason.
import type { Field } from '../../runtime/batch/schema.ts';
import { formatSqlType } from '../../runtime/batch/sql-type.ts';
import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';
import type { AvroType } from '../sdk/avro-schema.ts';
import {
  type ColumnTarget,
  targetBigint,
  targetBinary,
  targetBoolean,
  targetDate,
  targetDecimal,
  targetFloat,
  targetInteger,
  targetNested,
  targetString,
  targetTime,
  targetTimestamp,
  targetUuid,
  targetVariant,
} from './column-target.ts';

export const AvroUnfitSchema: CodedErrorClass<{ readonly detail: string }> = defineError(
  'avro.unfit_schema',
  { help: 'Change the column or the schema: docs/avro.md says which types of Avro go into which of SQL.' },
  (f) => `the Avro schema does not fit the table: ${f.detail}`,
);

/** What becomes of a value. Dense, so that a switch over them is a jump. */
export const avroSkip = 0;
export const avroNull = 1;
export const avroUnion = 2;
export const avroBoolean = 3;
export const avroInteger = 4;
export const avroBigint = 5;
export const avroFloat = 6;
export const avroDouble = 7;
export const avroIntegerToFloat = 8;
export const avroText = 9;
export const avroBytes = 10;
export const avroFixed = 11;
export const avroEnum = 12;
export const avroMicros = 13;
export const avroDecimal = 14;
/** By way of a value of JavaScript: nested types, and text that spells a value. */
export const avroGeneral = 15;

export interface ValuePlan {
  readonly code: number;
  readonly type: AvroType;
  /** Null: skipped. */
  readonly target: ColumnTarget | null;
  /** Of a union. */
  readonly branches: readonly ValuePlan[];
  /** Of an enum. */
  readonly symbols: readonly Uint8Array[];
  /** Microseconds of a unit; below one: a unit is that part of a microsecond. */
  readonly micros: number;
}

export interface RowPlan {
  readonly fields: readonly ValuePlan[];
  /** Columns that no field gives. */
  readonly absent: readonly ColumnTarget[];
  /** Columns that are left alone, since only the key is wanted. */
  readonly unused: readonly ColumnTarget[];
}

export interface RowWish {
  readonly targets: readonly ColumnTarget[];
  /** Only these columns are wanted. */
  readonly only: readonly number[] | null;
  /** A field without a column is not skipped, but unfit. */
  readonly strict: boolean;
}

/** @throws AvroUnfitSchema */
export function planRow(type: AvroType, { targets, only, strict }: RowWish): RowPlan {
  if (type.kind !== 'record') throw unfit(`it is ${kindOf(type)}, not a record`);
  const names = type.fields.map((field) => field.name);
  const given = new Map<string, ColumnTarget>();
  for (const target of targets) {
    const name = fieldNameOf(target.field, names);
    if (name !== undefined && !given.has(name)) given.set(name, target);
  }
  const isWanted = (target: ColumnTarget): boolean => only === null || only.includes(target.ordinal);
  const fields = type.fields.map((field) => {
    const target = given.get(field.name);
    if (target === undefined && strict) throw unfit(`the table has no column "${field.name}"`);
    if (target === undefined || !isWanted(target)) return skipped(field.type);
    const plan = planValue(field.type, target);
    if (plan !== null) return plan;
    const { name, type: column } = target.field;
    throw unfit(
      `field "${field.name}" is ${kindOf(field.type)}, which column ${name} of type ${formatSqlType(column)} cannot take`,
    );
  });
  const found = new Set(given.values());
  return {
    fields,
    absent: targets.filter((target) => isWanted(target) && !found.has(target)),
    unused: targets.filter((target) => !isWanted(target)),
  };
}

export function skipped(type: AvroType): ValuePlan {
  return { ...nothing, code: avroSkip, type };
}

const nothing = { target: null, branches: [], symbols: [], micros: 1 } as const;
const encoder = new TextEncoder();

function fieldNameOf({ name, quoted }: Field, names: readonly string[]): string | undefined {
  if (names.includes(name)) return name;
  return quoted === true ? undefined : names.find((other) => other.toLowerCase() === name.toLowerCase());
}

/** Null: the column cannot take it. */
function planValue(type: AvroType, target: ColumnTarget): ValuePlan | null {
  if (type.kind === 'union') return planUnion(type, target);
  const code = codeOf(type, target);
  if (code === null) return null;
  const symbols = type.kind === 'enum' ? type.symbols.map((symbol) => encoder.encode(symbol)) : [];
  return { code, type, target, branches: [], symbols, micros: microsOf(type) ?? 1 };
}

function planUnion(type: Extract<AvroType, { kind: 'union' }>, target: ColumnTarget): ValuePlan | null {
  const branches: ValuePlan[] = [];
  for (const branch of type.branches) {
    const plan =
      branch.kind === 'null' ? { ...nothing, code: avroNull, type: branch, target } : planValue(branch, target);
    if (plan === null) return null;
    branches.push(plan);
  }
  return { code: avroUnion, type, target, branches, symbols: [], micros: 1 };
}

function codeOf(type: AvroType, target: ColumnTarget): number | null {
  const { kind } = target;
  const isText = kind === targetString;
  // Whatever it is, a VARIANT can hold it.
  if (kind === targetVariant) return type.kind === 'null' ? avroNull : avroGeneral;
  switch (type.kind) {
    case 'null':
      return avroNull;
    case 'boolean':
      return kind === targetBoolean ? avroBoolean : null;
    case 'int':
    case 'long':
      return integerCode(type, target);
    case 'float':
    case 'double':
      if (kind === targetFloat) return type.kind === 'float' ? avroFloat : avroDouble;
      return kind === targetDecimal ? avroGeneral : null;
    case 'string':
      if (isText) return avroText;
      return [targetUuid, targetDate, targetTime, targetTimestamp, targetDecimal].includes(kind) ? avroGeneral : null;
    case 'enum':
      return isText ? avroEnum : null;
    case 'bytes':
    case 'fixed':
      if (kind === targetDecimal) return type.scale === null ? null : avroDecimal;
      if (kind === targetBinary) return type.kind === 'bytes' ? avroBytes : avroFixed;
      return kind === targetUuid && type.kind === 'fixed' && type.size === 16 ? avroGeneral : null;
    case 'array':
    case 'map':
    case 'record':
      return kind === targetNested ? avroGeneral : null;
    default:
      return null;
  }
}

function integerCode(type: Extract<AvroType, { kind: 'int' | 'long' }>, { kind }: ColumnTarget): number | null {
  switch (kind) {
    case targetInteger:
      return avroInteger;
    case targetBigint:
      return avroBigint;
    case targetFloat:
      return avroIntegerToFloat;
    case targetDecimal:
      return avroGeneral;
    case targetDate:
      return type.kind === 'int' ? avroInteger : null;
    case targetTime:
    case targetTimestamp: {
      const isTime = (type.annotation ?? '').includes('ime') && !(type.annotation ?? '').includes('imestamp');
      if (microsOf(type) === null) return null;
      return isTime === (kind === targetTime) ? avroMicros : null;
    }
    default:
      return null;
  }
}

const unitMicros = { millis: 1000, micros: 1, nanos: 0.001 } as const;

/** What Avro calls its times, and what Debezium does. */
const annotatedMicros: Readonly<Record<string, number>> = {
  'time-millis': 1000,
  'time-micros': 1,
  'io.debezium.time.Time': 1000,
  'io.debezium.time.MicroTime': 1,
  'io.debezium.time.NanoTime': 0.001,
  'io.debezium.time.Timestamp': 1000,
  'io.debezium.time.MicroTimestamp': 1,
  'io.debezium.time.NanoTimestamp': 0.001,
  'org.apache.kafka.connect.data.Time': 1000,
  'org.apache.kafka.connect.data.Timestamp': 1000,
};

/** Microseconds of a unit of a point in time; null: it is none. */
function microsOf(type: AvroType): number | null {
  if (type.kind !== 'int' && type.kind !== 'long') return null;
  if (type.logical !== null) return type.logical === 'date' ? null : unitMicros[type.logical];
  return type.annotation === undefined ? null : (annotatedMicros[type.annotation] ?? null);
}

function kindOf(type: AvroType): string {
  if (type.kind === 'union') return `[${type.branches.map(kindOf).join(', ')}]`;
  if (type.kind === 'int' || type.kind === 'long') {
    const { logical, annotation } = type;
    const time = logical === null || logical === 'date' ? logical : `timestamp-${logical}`;
    return [type.kind, time ?? annotation].filter((part) => part !== undefined && part !== null).join(' ');
  }
  const isDecimal = (type.kind === 'bytes' || type.kind === 'fixed') && type.scale !== null;
  return isDecimal ? `${type.kind} decimal` : type.kind;
}

export function unfit(detail: string): Error {
  return new AvroUnfitSchema({ detail });
}
