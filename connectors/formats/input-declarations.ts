// What configurations may say of input formats that are streams of records. Their splitters and decoders are loaded when one is used.
import type { StreamInputFormatDeclaration } from '../sdk/load-on-use.ts';
import { avroInputParameters } from './avro-parameters.ts';
import { avroInputRules } from './avro-rules.ts';
import { csvInputParameters } from './csv-options.ts';
import { jsonInputParameters, jsonInputRules } from './json-options.ts';

export const jsonInputDeclaration: StreamInputFormatDeclaration = {
  kind: 'stream',
  name: 'json',
  summary: 'JSON values, one a line or over several lines, as rows or as insertions, deletions and updates.',
  parameters: jsonInputParameters,
  rules: jsonInputRules,
};

export const csvInputDeclaration: StreamInputFormatDeclaration = {
  kind: 'stream',
  name: 'csv',
  summary: 'Comma-separated values, by position or by the names of a header line.',
  parameters: csvInputParameters,
};

export const rawInputDeclaration: StreamInputFormatDeclaration = {
  kind: 'stream',
  name: 'raw',
  summary: 'Bytes as they are, one row for each line or for each stream, in one column.',
  parameters: [
    {
      name: 'mode',
      type: { kind: 'enum', values: ['blob', 'lines'] },
      required: false,
      default: 'blob',
      description:
        '`blob`: the whole stream (a file, a message) is one row. `lines`: every line that is not empty is one.',
    },
    {
      name: 'column_name',
      type: { kind: 'string' },
      required: false,
      description:
        'The VARCHAR or VARBINARY column that takes the bytes. Needed when the table has more than one column.',
    },
  ],
};

export const msgpackInputDeclaration: StreamInputFormatDeclaration = {
  kind: 'stream',
  name: 'msgpack',
  summary: 'MessagePack maps, one behind the other or in arrays, as rows or as insertions, deletions and updates.',
  parameters: [
    {
      name: 'update_format',
      type: { kind: 'enum', values: ['raw', 'insert_delete'] },
      required: false,
      default: 'raw',
      description:
        '`raw`: each map is a row to insert. `insert_delete`: {"insert": row}, {"delete": row} or {"update": row}.',
    },
  ],
};

export const avroInputDeclaration: StreamInputFormatDeclaration = {
  kind: 'stream',
  name: 'avro',
  summary:
    'A row of Avro in each message, by the schema that a registry has for it or that is given here; or an event of Debezium.',
  needsMessages: true,
  parameters: avroInputParameters,
  rules: avroInputRules,
};

export const arrowInputDeclaration: StreamInputFormatDeclaration = {
  kind: 'stream',
  name: 'arrow',
  summary: 'An Arrow IPC stream with flat columns, matched by name. Insertions only.',
  parameters: [],
};
