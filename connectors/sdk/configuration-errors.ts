// What can be wrong with a configuration, whoever reads it: a connector's parameters, a pipeline file, the embedded API.
//
// The classes stand in a file of their own because a code is defined once and several readers need them. Values of
// secret parameters never enter a field: whoever makes an error of a secret passes the kind of value, not the value.
import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';

export const ConfigUnknownKey: CodedErrorClass<{ readonly key: string; readonly owner: string }> = defineError(
  'config.unknown_key',
  { help: 'Remove the key or correct its spelling. Keys that mean nothing are refused, so that a typing error shows.' },
  (f) => `${f.owner} has no parameter "${f.key}"`,
);

export const ConfigMissingKey: CodedErrorClass<{ readonly key: string; readonly owner: string }> = defineError(
  'config.missing_key',
  { help: 'Add the key; the documentation of the connector or format says what it means.' },
  (f) => `${f.owner} needs "${f.key}"`,
);

export const ConfigWrongType: CodedErrorClass<{
  readonly key: string;
  readonly expected: string;
  readonly got: string;
}> = defineError(
  'config.wrong_type',
  { help: 'Write a value of the expected kind. In YAML, quote a text that looks like a number or a boolean.' },
  (f) => `"${f.key}" must be ${f.expected}, not ${f.got}`,
);

export const ConfigOutOfRange: CodedErrorClass<{
  readonly key: string;
  readonly expected: string;
  readonly got: string;
}> = defineError(
  'config.out_of_range',
  { help: 'Choose a value inside the range.' },
  (f) => `"${f.key}" must be ${f.expected}, not ${f.got}`,
);

export const ConfigUnknownValue: CodedErrorClass<{
  readonly key: string;
  readonly got: string;
  readonly values: readonly string[];
}> = defineError(
  'config.unknown_value',
  { help: 'Choose one of the listed values.' },
  (f) => `"${f.key}" is ${f.got}, but must be one of ${f.values.join(', ')}`,
);

export const ConfigInvalidValue: CodedErrorClass<{ readonly key: string; readonly reason: string }> = defineError(
  'config.invalid_value',
  { help: 'Correct the value; the message says what is wrong with it.' },
  (f) => `"${f.key}" ${f.reason}`,
);

export const ConfigNeedsTable: CodedErrorClass<{ readonly plugin: string; readonly name: string }> = defineError(
  'config.plugin_needs_table',
  {
    help: 'Declare tables and views in a program (`program:`, CREATE TABLE …), and name it as the `transport` of a connector there. Without SQL, use a plugin that moves records: the folder of connectors takes those written for Conduit, such as its plugins for PostgreSQL, S3 and Kafka.',
  },
  (f) => `"${f.plugin}": ${f.name} moves rows of a table or a view of SQL, and this pipeline has no SQL`,
);

export const ConfigUnknownTransport: CodedErrorClass<{
  readonly name: string;
  readonly direction: 'input' | 'output' | 'input or output';
  readonly known: readonly string[];
}> = defineError(
  'config.unknown_transport',
  { help: 'Choose one of the listed transports, or register your own connector.' },
  (f) => `there is no ${f.direction} transport "${f.name}"; there are ${f.known.join(', ')}`,
);

export const ConfigUnknownFormat: CodedErrorClass<{
  readonly name: string;
  readonly direction: 'input' | 'output';
  readonly known: readonly string[];
}> = defineError(
  'config.unknown_format',
  { help: 'Choose one of the listed formats.' },
  (f) => `there is no ${f.direction} format "${f.name}"; there are ${f.known.join(', ')}`,
);
