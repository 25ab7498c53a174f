// `millrace types FILE`: TypeScript types of the rows of every relation, for `Pipeline.open<Tables>`.
import type { Field } from '../../../runtime/batch/schema.ts';
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import { type Command, exitCodes } from './command.ts';
import { loadPipeline } from './load-pipeline.ts';
import { problemReport } from './problem-text.ts';

export const typesCommand: Command = {
  name: 'types',
  synopsis: 'types FILE.yaml',
  summary: 'Prints TypeScript row types for Pipeline.open<Tables>.',
  description: `Prints an interface for each table and view, and one that holds them all, to be given to
\`Pipeline.open<Tables>({ … })\`. Redirect it to a file of your project: millrace types pipeline.yaml > tables.ts`,
  options: {},
  operands: 1,
  async run(operands, _options, tools): Promise<number> {
    const loaded = await loadPipeline(operands[0] ?? '', tools);
    const program = loaded.validated?.program ?? null;
    if (loaded.problems.length > 0 || program === null) {
      tools.err(problemReport(loaded.file.file, loaded.problems));
      return exitCodes.invalid;
    }
    const { tables, views } = program;
    const relations = [...tables, ...views].map((definition) => definition.relation);
    const lines = [`// Row types of ${loaded.file.file}, printed by \`millrace types\`.`, ''];
    for (const relation of relations) {
      lines.push(`export interface ${interfaceName(relation.name)} {`);
      for (const field of relation.schema.fields) lines.push(`  ${memberName(field.name)}: ${memberType(field)};`);
      lines.push('}', '');
    }
    lines.push('export interface Tables {');
    for (const relation of relations) lines.push(`  ${memberName(relation.name)}: ${interfaceName(relation.name)};`);
    lines.push('}', '');
    tools.out(lines.join('\n'));
    return exitCodes.ok;
  },
};

function interfaceName(relation: string): string {
  const words = relation.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
  const name = words.map((word) => word[0]?.toUpperCase() + word.slice(1)).join('');
  return /^[A-Za-z]/.test(name) ? `${name}Row` : `Relation${name}Row`;
}

function memberName(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}

function memberType(field: Field): string {
  const type = valueType(field.type);
  return field.nullable ? `${type} | null` : type;
}

function valueType(type: SqlType): string {
  switch (type.kind) {
    case 'BOOLEAN':
      return 'boolean';
    case 'TINYINT':
    case 'SMALLINT':
    case 'INTEGER':
    case 'REAL':
    case 'DOUBLE':
      return 'number';
    case 'BIGINT':
      return 'number | bigint';
    case 'DECIMAL':
      return type.unsigned === undefined ? 'string' : 'number | bigint';
    case 'BINARY':
    case 'VARBINARY':
      return 'Uint8Array';
    case 'VARIANT':
      return 'unknown';
    case 'ARRAY':
      return `(${valueType(type.element)} | null)[]`;
    case 'MAP':
      return `Record<string, ${valueType(type.value)} | null>`;
    case 'ROW':
      return `{ ${type.fields.map((part) => `${JSON.stringify(part.name)}: ${valueType(part.type)} | null`).join('; ')} }`;
    case 'NULL':
      return 'null';
    default:
      return 'string';
  }
}
