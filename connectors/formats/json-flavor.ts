// `json_flavor`: how SQL values are spelled in JSON that others write, where that is another way than the one of json-value.ts. Pure data.
//
// A flavour only adds to what is read: a date that is written as a text is read in every flavour. Parts of ARRAY, MAP and ROW are spelled
// as in `default` in all of them.
import type { Parameter } from '../sdk/parameters.ts';
import {
  type ColumnTarget,
  spelledBase58,
  spelledHex,
  spelledJsonText,
  targetBinary,
  targetDate,
  targetTime,
  targetTimestamp,
  targetVariant,
} from './column-target.ts';

export interface JsonFlavor {
  /** What a number counts, in nanoseconds since midnight; 0: a TIME is a text. */
  readonly timeUnit: number;
  /** A DATE may be a number of days since 1970. */
  readonly hasDayNumbers: boolean;
  /** What a number counts, in microseconds since 1970; 0: a TIMESTAMP is a text. */
  readonly timestampUnit: number;
  readonly binary: 'array' | 'base58' | 'hex';
  /** A VARIANT is JSON within a text. */
  readonly hasVariantTexts: boolean;
}

const plain: JsonFlavor = {
  timeUnit: 0,
  hasDayNumbers: false,
  timestampUnit: 0,
  binary: 'array',
  hasVariantTexts: false,
};
const millis = 1_000;

export const jsonFlavors: Readonly<Record<string, JsonFlavor>> = {
  default: plain,
  datagen: plain,
  pandas: { ...plain, timestampUnit: millis, hasVariantTexts: true },
  debezium_mysql: { ...plain, timeUnit: 1_000, hasDayNumbers: true, hasVariantTexts: true },
  debezium_postgres: {
    ...plain,
    timeUnit: 1_000,
    hasDayNumbers: true,
    timestampUnit: millis,
    hasVariantTexts: true,
  },
  kafka_connect_json_converter: {
    ...plain,
    timeUnit: 1_000_000,
    hasDayNumbers: true,
    timestampUnit: millis,
    hasVariantTexts: true,
  },
  snowflake: { ...plain, hasVariantTexts: true },
  blockchain: { ...plain, binary: 'base58', hasVariantTexts: true },
  c_hex: { ...plain, binary: 'hex', hasVariantTexts: true },
  postgres: { ...plain, binary: 'hex' },
};

export const jsonFlavorParameter: Parameter = {
  name: 'json_flavor',
  type: { kind: 'enum', values: Object.keys(jsonFlavors) },
  required: false,
  default: 'default',
  description:
    'How SQL types are spelled. `debezium_mysql`, `debezium_postgres`: a TIME is a number of microseconds, a DATE one of days, and of PostgreSQL a TIMESTAMP one of milliseconds. `kafka_connect_json_converter`: TIME and TIMESTAMP are numbers of milliseconds, a DATE is one of days. `pandas`: a TIMESTAMP is a number of milliseconds. `blockchain`: binary data is in base58. `c_hex`, `postgres`: it is hexadecimal, behind 0x or \\x. In all but `default`, `datagen` and `postgres` a VARIANT is JSON within a text.',
};

/** Has the column read as the flavour spells it. Before the first value. */
export function spellAs(target: ColumnTarget, flavor: JsonFlavor): void {
  if (target.kind === targetTime) target.numberUnit = flavor.timeUnit;
  else if (target.kind === targetDate) target.numberUnit = flavor.hasDayNumbers ? 1 : 0;
  else if (target.kind === targetTimestamp) target.numberUnit = flavor.timestampUnit;
  else if (target.kind === targetVariant && flavor.hasVariantTexts) target.spelled = spelledJsonText;
  else if (target.kind === targetBinary && flavor.binary !== 'array') {
    target.spelled = flavor.binary === 'hex' ? spelledHex : spelledBase58;
  }
}
