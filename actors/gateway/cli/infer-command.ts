// `millrace infer FILE`: a CREATE TABLE and a connector for a CSV, JSON or Parquet file.
import { stringify } from 'yaml';
import { inferRelation } from '../../../connectors/infer/infer-relation.ts';
import { jsonText } from '../terminal/json-text.ts';
import { type Command, exitCodes } from './command.ts';

export const inferCommand: Command = {
  name: 'infer',
  synopsis: 'infer FILE [--table NAME] [--json]',
  summary: 'Prints a CREATE TABLE and a connector for a CSV, JSON or Parquet file.',
  description: `Reads the beginning of the file (Parquet: its footer) and guesses column names, types and nullability. What it
prints is a pipeline file that \`millrace run\` accepts; look at the types before you rely on them.`,
  options: { json: { type: 'boolean' }, table: { type: 'string' } },
  operands: 1,
  async run(operands, options, tools): Promise<number> {
    const table = options['table'];
    const inferred = await inferRelation(operands[0] ?? '', typeof table === 'string' ? { table } : {});
    if (options['json'] === true) {
      tools.out(`${jsonText(inferred)}\n`);
      return exitCodes.ok;
    }
    const document = { program: `${inferred.sql}\n`, inputs: { [inferred.table]: inferred.connector } };
    tools.out(`# ${inferred.note}\n${stringify(document, { blockQuote: 'literal', lineWidth: 0 })}`);
    return exitCodes.ok;
  },
};
