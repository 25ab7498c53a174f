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
  readonly array: boolean;
  readonly bufferRecords: number;
}

export const jsonOutputParameters: readonly Parameter[] = [
  {
    name: 'update_format',
    type: { kind: 'enum', values: ['insert_delete', 'raw', 'debezium', 'weighted', 'snowflake', 'redis'] },
    required: false,
    default: 'insert_delete',
    description: '`insert_delete`: {"insert": row} or {"delete": row}. The other values are known but not supported.',
  },
  {
    name: 'json_flavor',
    type: { kind: 'enum', values: Object.keys(jsonFlavors) },
    required: false,
    description: 'How SQL types are spelled. Only `default` is supported.',
  },
  {
    name: 'key_fields',
    type: { kind: 'list', item: { kind: 'string' } },
    required: false,
    description: 'Of debezium: refused.',
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

/** @throws FormatUnsupportedOption */
export function readJsonOutputOptions(configuration: ParameterValues): JsonOutputOptions {
  const updateFormat = configuration['update_format'] ?? 'insert_delete';
  if (updateFormat !== 'insert_delete') throw unsupported('update_format', updateFormat, ['insert_delete']);
  checkFlavor(configuration);
  return {
    array: configuration['array'] === true,
    bufferRecords: Number(configuration['buffer_size_records'] ?? 10000),
  };
}

function checkFlavor(configuration: ParameterValues): void {
  const flavor = configuration['json_flavor'] ?? 'default';
  if (flavor !== 'default') throw unsupported('json_flavor', flavor, ['default']);
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
  const { update_format: format = 'insert_delete', json_flavor: flavor = 'default' } = values;
  const others = 'avro has messages with keys (`confluent_jdbc`, `raw`), csv rows with their weights';
  if (format !== 'insert_delete') {
    yield { key: 'update_format', reason: `is not supported for outputs but insert_delete; ${others}` };
  }
  if (flavor !== 'default') {
    yield { key: 'json_flavor', reason: 'is not supported for outputs but default; cast columns in the view' };
  }
  if (values['key_fields'] !== undefined) {
    yield { key: 'key_fields', reason: `goes with debezium, which is not supported for outputs; ${others}` };
  }
}
