// Makes pipelines of a program: the part of the control thread's composition that is about SQL. It puts the compiler and what evaluates
// constants into the hands of the supervisor.
//
// What it needs of actors it is given by control-thread.ts, which loads it for programs only: the compiler is a large part of what
// a start costs.
import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { modulesOf, withModules } from '../../connectors/connector-modules.ts';
import type { ConnectorRegistry } from '../../connectors/sdk/connector.ts';
import type { Connector } from '../../connectors/sdk/connector-configuration.ts';
import type { Place } from '../../runtime/errors.ts';
import { decodeThreads } from '../../runtime/thread/placement.ts';
import { compilerFor } from '../engine/function-declarations.ts';
import type { TableDefinition } from '../engine/messages.ts';
import { compileInsert, compileQuery } from '../engine/sql/compile-program.ts';
import { readsMetadata, withMetadata } from '../engine/sql/connector-metadata.ts';
import type { OpenedPipeline, OpenRequest } from '../gateway/embedded/control-interface.ts';
import type { MadePipeline } from '../gateway/embedded/pipeline-control.ts';
import { pushedBatches } from '../gateway/embedded/pushed-rows.ts';
import { readPipelineFile } from '../gateway/pipeline-file.ts';
import type { ConnectorMark } from '../lifecycle-journal.ts';
import type { MetadataDefault } from '../metadata-defaults.ts';
import { columnDefaults } from '../supervisor/column-defaults.ts';
import { invalid, LiveDefinition } from '../supervisor/live-definition.ts';
import type { Direction, ValidatedPipeline } from '../supervisor/messages.ts';
import { programFingerprint } from '../supervisor/program-fingerprint.ts';
import { boundToRecords } from '../supervisor/relay-configuration.ts';
import { CheckpointMismatch } from '../supervisor/supervision-errors.ts';
import { Supervisor } from '../supervisor/supervisor-actor.ts';
import { validatePipeline } from '../supervisor/validate-pipeline.ts';
import { type ControlParts, deadlinesOf, journalOf } from './control-parts.ts';

/** The most rows that one step takes in, unless the user says otherwise. */
const stepRowsMaxDefault = 1_048_576;

/** @throws PipelineInvalid, PipelineFileUnreadable */
export async function makeProgram(
  request: OpenRequest,
  { host, clock, log, registry }: ControlParts,
): Promise<MadePipeline> {
  const { definition, baseFolder, known } = await readDefinition(request, registry);
  const { edits = [] } = request;
  for (const { direction, name, endpoint, definition: connector } of edits) {
    if (connector === null) definition.remove(direction, endpoint);
    else definition.add(direction, name, connector);
  }
  const { configuration, program, startOrder } = definition.validated;
  if (configuration === null || program === null) throw invalid(definition.validated.problems);
  const defaults = await defaultsOf(program.tables);
  const relations = [...program.tables, ...program.views].map((definition) => definition.relation);
  const fingerprint = programFingerprint(program);
  const { restore = null } = request;
  if (restore !== null && restore.fingerprint !== fingerprint) {
    throw new CheckpointMismatch({ expected: fingerprint, found: restore.fingerprint });
  }
  // What the SQL text declares is in the definition for ever.
  const isGone = (direction: Direction, endpoint: string): boolean =>
    edits.some((edit) => edit.direction === direction && edit.endpoint === endpoint && edit.definition === null);
  const supervisor = new Supervisor({
    ...configuration,
    inputs: configuration.inputs.filter(({ endpoint }) => !isGone('input', endpoint)),
    outputs: configuration.outputs.filter(({ endpoint }) => !isGone('output', endpoint)),
    program,
    baseFolder,
    ...(request.pipelineId === undefined ? {} : { pipelineId: request.pipelineId }),
    stepRowsMax: request.stepRowsMax ?? stepRowsMaxDefault,
    continued: request.continued ?? [],
    recoveredOutputs: restore?.outputs ?? request.continuedOutputs ?? [],
    labelsLiftPause: request.labelsLiftPause === true,
    incarnation: randomUUID(),
    fingerprint,
    restore,
    host,
    clock,
    log,
    random: Math.random,
    compileQuery: (sql) => compileQuery(sql, relations, program.functions, program.declarations),
    defaultsOf: (table) => defaults.get(table) ?? [],
    metadataOf: (name) => {
      const table = program.tables.find(({ relation }) => relation.name === name);
      return table === undefined ? [] : metadataReaders(table);
    },
    extend: (direction, key, connector) => definition.add(direction, key, connector),
    shrink: (direction, endpoint) => definition.remove(direction, endpoint),
    relay: null,
    journal: journalOf(request, clock),
    deadlines: deadlinesOf(request),
    acknowledgesCheckpoints: request.acknowledgesCheckpoints === true,
    revive: (mark) => reviveOfProgram(mark, known),
  });
  const tables = program.tables.map((table) => table.relation);
  const views = program.views.filter((view) => view.kind !== 'local').map((view) => view.relation);
  return {
    supervisor,
    description: { name: configuration.name, startOrder, ...describeRelations(program) },
    tables,
    views,
    checkConnector: (direction, key, connector, replaced) => definition.check(direction, key, connector, replaced),
    clock: program.clock ?? null,
    compileInsert: (sql) => compileInsert(sql, program.tables, relations, program.declarations),
    defaultsWith: async (name, metadata) => {
      const table = program.tables.find(({ relation }) => relation.name === name);
      return table === undefined ? [] : await defaultsWith(table, metadata);
    },
    toBatches: (rows, relation, options) => pushedBatches(rows, relation, defaults.get(relation.name) ?? [], options),
  };
}

/**
 * A connector as it was when it was started last; null: there is no such transport any more. Its id is its direction and its endpoint,
 * which it is called by again.
 */
function reviveOfProgram(mark: ConnectorMark, registry: ConnectorRegistry): Connector | null {
  const { connector, type, plugin: name, active } = mark;
  const known = type === 'source' ? registry.sources : registry.destinations;
  const definition = known.find((candidate) => candidate.name === name);
  if (definition === undefined) return null;
  const { module } = definition;
  const transport = { name, config: active ?? {}, ...(module === undefined ? {} : { module }) };
  return boundToRecords({ id: connector.replace(/^(?:input|output):/, ''), type, transport });
}

/** The DEFAULTs of each table as JSON text. What evaluates them is loaded where there are any. */
async function defaultsOf(
  tables: readonly TableDefinition[],
): Promise<ReadonlyMap<string, readonly (string | null)[]>> {
  if (tables.every((table) => table.defaults.every((expression) => expression === null))) {
    return new Map(tables.map((table) => [table.relation.name, table.defaults.map(() => null)]));
  }
  const { evaluateConstant } = await import('../engine/plan/expression-compiler.ts');
  return new Map(tables.map((table) => [table.relation.name, columnDefaults(table, evaluateConstant)]));
}

/** The DEFAULTs of a table that differ from record to record. */
function metadataReaders({ defaults }: TableDefinition): readonly MetadataDefault[] {
  return defaults.flatMap((expression, column) =>
    expression !== null && readsMetadata(expression) ? [{ column, expression }] : [],
  );
}

/** The DEFAULTs of a table for records of which a connector knows `metadata`, JSON text. */
async function defaultsWith(table: TableDefinition, metadata: string): Promise<readonly (string | null)[]> {
  const { evaluateConstant } = await import('../engine/plan/expression-compiler.ts');
  return columnDefaults(table, (expression) => evaluateConstant(withMetadata(expression, metadata)));
}

async function readDefinition(
  request: OpenRequest,
  registry: ConnectorRegistry,
): Promise<{ definition: LiveDefinition; baseFolder: string; known: ConnectorRegistry }> {
  const { source, connectorModules = [] } = request;
  const file = 'file' in source ? readPipelineFile(source.file) : null;
  if (file !== null && file.problems.length > 0) throw invalid(file.problems);
  const given = withWorkers(file?.definition ?? ('definition' in source ? source.definition : null), request.workers);
  const baseFolder = file?.baseFolder ?? ('baseFolder' in source ? source.baseFolder : '.');
  const modules = modulesOf(given, baseFolder);
  const placeOfModule = (index: number): Place => file?.placeOf(['connector_modules', index]) ?? {};
  const own = await withModules(registry, modules, placeOfModule);
  const all = await withModules(own.registry, connectorModules);
  const compiler = await compilerFor(given, baseFolder, file?.placeOf(['functions']));
  const options = {
    compile: compiler.compile,
    registry: all.registry,
    moduleProblems: [...own.problems, ...all.problems, ...compiler.problems],
    environment: { ...process.env, ...request.environment },
    decodeWorkersDefault: decodeThreads(availableParallelism()),
    keepsCheckpoints: request.acknowledgesCheckpoints === true,
    baseFolder,
    ...(file === null ? {} : { file: file.file, placeOf: file.placeOf }),
    ...(file === null || file.programPlace === null ? {} : { programPlace: file.programPlace }),
  };
  const validate = (value: unknown): ValidatedPipeline => validatePipeline(value, options);
  return { definition: new LiveDefinition(given, validate), baseFolder, known: all.registry };
}

/** What is no definition at all is refused where it is validated. */
function withWorkers(definition: unknown, workers: number | undefined): unknown {
  if (workers === undefined || typeof definition !== 'object' || definition === null) return definition;
  return { ...definition, workers };
}

function describeRelations(
  program: NonNullable<ValidatedPipeline['program']>,
): Pick<OpenedPipeline, 'tables' | 'views'> {
  const tables = program.tables.map(({ relation, materialized }) => ({
    name: relation.name,
    schema: relation.schema,
    primaryKey: relation.primaryKey.map((ordinal) => relation.schema.fields[ordinal]?.name ?? ''),
    materialized: materialized || relation.primaryKey.length > 0,
  }));
  const views = program.views.map(({ relation, kind, displayOrder }) => ({
    name: relation.name,
    schema: relation.schema,
    kind,
    displayOrder: displayOrder.map(({ ordinal, descending, nullsFirst }) => ({
      column: relation.schema.fields[ordinal]?.name ?? '',
      descending,
      nullsFirst,
    })),
  }));
  return { tables, views };
}
