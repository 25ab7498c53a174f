// The parameters of the json format, as data, and their checked form.
import type { Parameter, ParameterValues } from '../sdk/parameters.ts';
import type { SettingProblem } from '../sdk/setting-rules.ts';
import { FormatUnsupportedOption } from './format-errors.ts';
import { type JsonFlavor, jsonFlavorParameter, jsonFlavors } from './json-flavor.ts';

export interface JsonInputOptions {
  readonly updateFormat: 'insert_delete' | 'raw' | 'weighted' | 'debezium';
  readonly flavor: JsonFlavor;
  readonly array: boolean;
  readonly singleLine: boolean;
}

export const jsonInputParameters: readonly Parameter[] = [
  {
    name: 'update_format',
    type: { kind: 'enum', values: ['insert_delete', 'raw', 'debezium', 'weighted', 'snowflake', 'redis'] },
    required: false,
    default: 'insert_delete',
    description:
      '`insert_delete`: each record is {"insert": row}, {"delete": row} or {"update": partial row}. `raw`: each record is a row to insert. `weighted`: {"weight": n, "data": row}. `debezium`: {"payload": {"before": row, "after": row}}. The other values are known but not supported.',
  },
  jsonFlavorParameter,
  {
    name: 'array',
    type: { kind: 'boolean' },
    required: false,
    default: false,
    description: 'Each top-level value is an array of records, taken in whole or not at all.',
  },
  {
    name: 'lines',
    type: { kind: 'enum', values: ['multiple', 'single'] },
    required: false,
    default: 'multiple',
    description: '`multiple`: a value may span lines. `single`: no value does, and a bad line ends at its end.',
  },
];

/** @throws FormatUnsupportedOption */
export function readJsonInputOptions(configuration: ParameterValues): JsonInputOptions {
  const updateFormat = configuration['update_format'] ?? 'insert_delete';
  const known = inputFormats.find((candidate) => candidate === updateFormat);
  if (known === undefined) throw unsupported('update_format', updateFormat, inputFormats);
  const name = String(configuration['json_flavor'] ?? 'default');
  const flavor = jsonFlavors[name];
  if (flavor === undefined) throw unsupported('json_flavor', name, Object.keys(jsonFlavors));
  return {
    updateFormat: known,
    flavor,
    array: configuration['array'] === true,
    singleLine: configuration['lines'] === 'single',
  };
}

export interface JsonOutputOptions {
  readonly isDebezium: boolean;
  /** Of Debezium; null: the whole row. */
  readonly keyFields: readonly string[] | null;
  readonly array: boolean;
  readonly bufferRecords: number;
}

export const jsonOutputParameters: readonly Parameter[] = [
  {
    name: 'update_format',
    type: { kind: 'enum', values: ['insert_delete', 'raw', 'debezium', 'weighted', 'snowflake', 'redis'] },
    required: false,
    default: 'insert_delete',
    description:
      '`insert_delete`: {"insert": row} or {"delete": row}. `debezium`: messages with keys, for transports that have them: {"schema": …, "payload": {"op": "c", "after": row}} or {"op": "d", "before": row}, with rows as the JsonConverter of Kafka Connect reads them. The other values are known but not supported.',
  },
  {
    name: 'json_flavor',
    type: { kind: 'enum', values: Object.keys(jsonFlavors) },
    required: false,
    description:
      'How SQL types are spelled: `default` with `insert_delete`, `kafka_connect_json_converter` with `debezium`. The other values are known but not supported. Left out: the one that goes with `update_format`.',
  },
  {
    name: 'key_fields',
    type: { kind: 'list', item: { kind: 'string' } },
    required: false,
    description: 'Of `debezium`: the columns that are the key of a message. Left out: all.',
  },
  {
    name: 'array',
    type: { kind: 'boolean' },
    required: false,
    default: false,
    description: 'Print arrays of at most `buffer_size_records` records instead of one record a line.',
  },
  {
    name: 'buffer_size_records',
    type: { kind: 'integer', min: 1 },
    required: false,
    default: 10000,
    description: 'The most records of one array.',
  },
];

/** Which `json_flavor` goes with an `update_format`. */
const outputFlavors: Readonly<Record<string, string>> = {
  insert_delete: 'default',
  debezium: 'kafka_connect_json_converter',
};

/** @throws FormatUnsupportedOption */
export function readJsonOutputOptions(configuration: ParameterValues): JsonOutputOptions {
  const format = configuration['update_format'] ?? 'insert_delete';
  const flavor = outputFlavors[String(format)];
  if (flavor === undefined) throw unsupported('update_format', format, Object.keys(outputFlavors));
  const wanted = configuration['json_flavor'] ?? flavor;
  if (wanted !== flavor) throw unsupported('json_flavor', wanted, [flavor]);
  const keyFields = configuration['key_fields'];
  return {
    isDebezium: isDebezium(configuration),
    keyFields: Array.isArray(keyFields) ? keyFields.map(String) : null,
    array: configuration['array'] === true,
    bufferRecords: Number(configuration['buffer_size_records'] ?? 10000),
  };
}

/** Its messages have keys. */
export function isDebezium({ update_format: format }: ParameterValues): boolean {
  return format === 'debezium';
}

function unsupported(option: string, value: unknown, supported: readonly string[]): Error {
  return new FormatUnsupportedOption({ format: 'json', option, value: String(value), supported });
}

const inputFormats = ['insert_delete', 'raw', 'weighted', 'debezium'] as const;

export function* jsonInputRules({ update_format: format }: ParameterValues): Iterable<SettingProblem> {
  if (format !== 'snowflake' && format !== 'redis') return;
  yield { key: 'update_format', reason: `is of outputs; inputs read ${inputFormats.join(', ')}` };
}

export function* jsonOutputRules(values: ParameterValues): Iterable<SettingProblem> {
  const { update_format: format = 'insert_delete', key_fields: keys } = values;
  const flavor = outputFlavors[String(format)];
  if (flavor === undefined) {
    const reason =
      'is not supported for outputs, which write insert_delete and debezium; csv has rows with their weights';
    yield { key: 'update_format', reason };
  } else if ((values['json_flavor'] ?? flavor) !== flavor) {
    const reason = `is not supported for outputs but ${flavor} with ${String(format)}; cast columns in the view`;
    yield { key: 'json_flavor', reason };
  }
  if (keys !== undefined && format !== 'debezium') yield { key: 'key_fields', reason: 'goes with debezium only' };
  if (Array.isArray(keys) && keys.length === 0) yield { key: 'key_fields', reason: 'is empty: leave it out' };
  if (format === 'debezium' && values['array'] === true) {
    yield { key: 'array', reason: 'goes with insert_delete: each event is a message' };
  }
}
