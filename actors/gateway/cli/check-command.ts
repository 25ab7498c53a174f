// `millrace check FILE`: validates without running; prints tables, views, connectors and the start order, or every problem.
import type { Connector } from '../../../connectors/sdk/connector-configuration.ts';
import type { Relation } from '../../../runtime/batch/schema.ts';
import { formatSqlType } from '../../../runtime/batch/sql-type.ts';
import { errorToData } from '../../../runtime/errors.ts';
import type { ValidatedPipeline } from '../../supervisor/messages.ts';
import { isConduitPath } from '../conduit-file/conduit-text.ts';
import { jsonText } from '../terminal/json-text.ts';
import { checkConduit } from './check-conduit.ts';
import { type Command, exitCodes } from './command.ts';
import { type LoadedPipeline, loadPipeline } from './load-pipeline.ts';
import { problemReport } from './problem-text.ts';

export const checkCommand: Command = {
  name: 'check',
  synopsis: 'check FILE.yaml [--json] [--connectors FOLDER] [--processors FOLDER]',
  summary: 'Validates a pipeline file without running it.',
  description: `Prints the tables, views and connectors of the pipeline and the order in which its inputs start.
With problems it prints all of them instead, each with its code, its place (file:line:column) and the nearest valid name,
and exits with 2. Nothing is opened: no file, no network. Of a pipeline file of Conduit, or a folder of them, the pipelines are printed, and settings of
built-in plugins are checked; --connectors names a folder of plugins: each is asked once what it takes.`,
  options: { json: { type: 'boolean' }, connectors: { type: 'string' }, processors: { type: 'string' } },
  operands: 1,
  async run(operands, options, tools): Promise<number> {
    if (await isConduitPath(operands[0] ?? '')) return await checkConduit(operands[0] ?? '', options, tools);
    const loaded = await loadPipeline(operands[0] ?? '', tools);
    if (options['json'] === true) tools.out(`${jsonText(asJson(loaded))}\n`);
    else if (loaded.problems.length > 0) tools.err(problemReport(loaded.file.file, loaded.problems));
    else if (loaded.validated !== null)
      tools.out(`${describe(loaded.file.file, loaded.validated, loaded.notShared).join('\n')}\n`);
    return loaded.problems.length > 0 ? exitCodes.invalid : exitCodes.ok;
  },
};

function asJson(loaded: LoadedPipeline): unknown {
  const { validated } = loaded;
  return {
    file: loaded.file.file,
    valid: loaded.problems.length === 0,
    problems: loaded.problems.map(errorToData),
    tables: validated?.program?.tables.map((table) => table.relation) ?? [],
    views: validated?.program?.views.map((view) => ({ ...view.relation, kind: view.kind })) ?? [],
    workers: { asked: validated?.configuration?.workers ?? 1, notShared: loaded.notShared },
    inputs: validated?.inputs.map((connector) => ({ ...connector, transport: connector.transport.name })) ?? [],
    outputs: validated?.outputs.map((connector) => ({ ...connector, transport: connector.transport.name })) ?? [],
    startOrder: validated?.startOrder ?? [],
  };
}

function describe(file: string, validated: ValidatedPipeline, notShared: readonly string[]): string[] {
  const { program, inputs, outputs } = validated;
  const workers = validated.configuration?.workers ?? 1;
  const lines = [`${file} is valid`, '', 'tables'];
  for (const table of program?.tables ?? []) lines.push(`  ${describeRelation(table.relation)}`);
  lines.push('', 'views');
  for (const view of program?.views ?? []) {
    const kind = view.kind === 'view' ? '' : ` (${view.kind})`;
    lines.push(`  ${describeRelation(view.relation)}${kind}`);
  }
  if (workers > 1) {
    lines.push('', `workers: ${workers}`);
    lines.push(...(notShared.length === 0 ? ['  share all views'] : notShared.map((each) => `  one alone: ${each}`)));
  }
  lines.push('', 'inputs', ...inputs.map(describeConnector));
  lines.push('', 'outputs', ...outputs.map(describeConnector));
  lines.push('', 'start order', ...describeStartOrder(validated));
  return lines;
}

function describeRelation(relation: Relation): string {
  const fields = relation.schema.fields.map((field, ordinal) => {
    const key = relation.primaryKey.includes(ordinal) ? ' PRIMARY KEY' : '';
    return `${field.name} ${formatSqlType(field.type)}${field.nullable ? '' : ' NOT NULL'}${key}`;
  });
  return `${relation.name} (${fields.join(', ')})`;
}

function describeConnector(connector: Connector): string {
  const format = connector.format === null ? '' : `, ${connector.format.name}`;
  const labels = connector.labels.length === 0 ? '' : `; labels ${connector.labels.join(', ')}`;
  const paused = connector.kind === 'input' && connector.paused ? '; starts paused' : '';
  return `  ${connector.endpoint} (${connector.transport.name}${format}${labels}${paused})`;
}

/** The graph level by level: what may start together, and what each waits for. */
function describeStartOrder(validated: ValidatedPipeline): string[] {
  return validated.startOrder.flatMap((level, depth) =>
    level.map((endpoint) => {
      const input = validated.inputs.find((candidate) => candidate.endpoint === endpoint);
      const after = (input?.startAfter ?? []).map((label) => {
        const carriers = validated.inputs.filter((candidate) => candidate.labels.includes(label));
        return `${label} (${carriers.map((carrier) => carrier.endpoint).join(', ')})`;
      });
      const arrow = after.length === 0 ? '' : ` <- ${after.join(' and ')}`;
      return `  ${depth + 1}. ${'  '.repeat(depth)}${endpoint}${arrow}`;
    }),
  );
}
