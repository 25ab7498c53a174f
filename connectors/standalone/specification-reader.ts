// Reads specifications of plugins from their protobuf bytes. Versions 1 and 2 of the protocol number the fields of a parameter
// differently; version 1 also has a flag `required`.
import type { ByteReader } from '../sdk/protobuf-wire.ts';
import {
  type PluginParameter,
  type PluginParameters,
  type PluginSpecification,
  type PluginValidation,
  parameterTypes,
  validationTypes,
} from './plugin-specification.ts';

/** Numbers of the fields of a parameter. */
export interface ParameterFields {
  readonly default: number;
  readonly required: number | null;
  readonly description: number;
  readonly type: number;
  readonly validations: number;
}

const fieldOf = (tag: number): number => tag >>> 3;
const isBytes = (tag: number): boolean => (tag & 7) === 2;
const isVarint = (tag: number): boolean => (tag & 7) === 0;

/** name 1, summary 2, description 3, version 4, author 5, destination parameters 6, source parameters 7. */
export function readSpecification(reader: ByteReader, fields: ParameterFields): PluginSpecification {
  const texts = ['', '', '', '', '', ''];
  const source: Record<string, PluginParameter> = {};
  const destination: Record<string, PluginParameter> = {};
  while (!reader.isDone) {
    const tag = reader.tag();
    const field = fieldOf(tag);
    if (isBytes(tag) && field >= 1 && field <= 5) texts[field] = reader.text();
    else if (isBytes(tag) && field === 6) readEntry(reader.nested(), fields, destination);
    else if (isBytes(tag) && field === 7) readEntry(reader.nested(), fields, source);
    else reader.skipLast();
  }
  const [, name = '', summary = '', description = '', version = '', author = ''] = texts;
  // A side without a parameter is a side that is not there, as long as the other has some: every side has those of its SDK.
  const isBare = Object.keys(source).length + Object.keys(destination).length === 0;
  const side = (parameters: PluginParameters): PluginParameters | null =>
    isBare || Object.keys(parameters).length > 0 ? sorted(parameters) : null;
  return {
    name,
    summary,
    description,
    version,
    author,
    sourceParameters: side(source),
    destinationParameters: side(destination),
  };
}

function readEntry(entry: ByteReader, fields: ParameterFields, into: Record<string, PluginParameter>): void {
  let name = '';
  let parameter: PluginParameter = { default: '', description: '', type: 'string', validations: [] };
  while (!entry.isDone) {
    const tag = entry.tag();
    if (tag === 0x0a) name = entry.text();
    else if (tag === 0x12) parameter = readParameter(entry.nested(), fields);
    else entry.skipLast();
  }
  into[name] = parameter;
}

function readParameter(reader: ByteReader, fields: ParameterFields): PluginParameter {
  let given = '';
  let description = '';
  let type = 0;
  const validations: PluginValidation[] = [];
  while (!reader.isDone) {
    const tag = reader.tag();
    const field = fieldOf(tag);
    if (isBytes(tag) && field === fields.default) given = reader.text();
    else if (isBytes(tag) && field === fields.description) description = reader.text();
    else if (isVarint(tag) && field === fields.type) type = reader.varint();
    else if (isBytes(tag) && field === fields.validations) {
      const validation = readValidation(reader.nested());
      if (validation !== null) validations.push(validation);
    } else if (isVarint(tag) && field === fields.required) {
      const isRequired = reader.varint() !== 0;
      if (isRequired) validations.unshift({ type: 'required', value: '' });
    } else reader.skipLast();
  }
  const isTwice = validations.filter(({ type: rule }) => rule === 'required').length > 1;
  return {
    default: given,
    description,
    type: parameterTypes[type - 1] ?? 'string',
    validations: isTwice ? validations.slice(1) : validations,
  };
}

function readValidation(reader: ByteReader): PluginValidation | null {
  let number = 0;
  let value = '';
  while (!reader.isDone) {
    const tag = reader.tag();
    if (tag === 0x08) number = reader.varint();
    else if (tag === 0x12) value = reader.text();
    else reader.skipLast();
  }
  const type = validationTypes[number - 1];
  return type === undefined ? null : { type, value };
}

function sorted(parameters: Readonly<Record<string, PluginParameter>>): PluginParameters {
  return Object.fromEntries(Object.entries(parameters).sort(([a], [b]) => (a < b ? -1 : 1)));
}
