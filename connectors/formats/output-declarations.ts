// What configurations may say of output formats that are text. Their encoders are loaded by the first output that has one.
import type { OutputFormatDeclaration } from '../sdk/load-on-use.ts';
import { avroOutputParameters } from './avro-parameters.ts';
import { avroOutputRules } from './avro-rules.ts';
import { csvOutputParameters } from './csv-options.ts';
import { isDebezium, jsonOutputParameters, jsonOutputRules } from './json-options.ts';

export const jsonOutputDeclaration: OutputFormatDeclaration = {
  name: 'json',
  summary: 'Insertions and deletions as JSON objects, one a line or in arrays; or as events of Debezium.',
  makesMessages: isDebezium,
  parameters: jsonOutputParameters,
  rules: jsonOutputRules,
};

export const avroOutputDeclaration: OutputFormatDeclaration = {
  name: 'avro',
  summary: 'Changes as messages of Avro, with the schemas in a registry; with an `index` under a key.',
  makesMessages: () => true,
  takesIndex: true,
  parameters: avroOutputParameters,
  rules: avroOutputRules,
};

export const csvOutputDeclaration: OutputFormatDeclaration = {
  name: 'csv',
  summary: 'Comma-separated values with the weight of the row as the last field.',
  parameters: csvOutputParameters,
};
