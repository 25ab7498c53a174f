// Makes pipelines without SQL: the part of the control thread's composition that is about records.
//
// What it needs of actors it is given by control-thread.ts: the host and the registry.
import { randomUUID } from 'node:crypto';
import { modulesOf, withModules } from '../../connectors/connector-modules.ts';
import type { ConnectorRegistry } from '../../connectors/sdk/connector.ts';
import type { Connector } from '../../connectors/sdk/connector-configuration.ts';
import { recordRelation } from '../../connectors/sdk/record-batch.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { MillraceError } from '../../runtime/errors.ts';
import { deadLetterFile, keptLetterFile } from '../dead-letter-file.ts';
import type { BoundProgram } from '../engine/messages.ts';
import type { OpenRequest } from '../gateway/embedded/control-interface.ts';
import type { MadePipeline } from '../gateway/embedded/pipeline-control.ts';
import type { ConnectorMark } from '../lifecycle-journal.ts';
import { withProcessorFiles } from '../processor-files.ts';
import { processorProblems } from '../processor-opening.ts';
import { defaultErrorRecovery, type RelayConnector, type RelayDefinition } from '../relay-definition.ts';
import { invalid } from '../supervisor/live-definition.ts';
import { pluginTimeouts } from '../supervisor/plugin-timeouts.ts';
import { configureConnector, configureRelay, type RelaySurroundings } from '../supervisor/relay-configuration.ts';
import { NeedsProgram } from '../supervisor/supervision-errors.ts';
import { Supervisor } from '../supervisor/supervisor-actor.ts';
import { type ControlParts, deadlinesOf, journalOf } from './control-parts.ts';

/** Plugins that are processes wait no shorter for a call than the pipeline does. */
function withTimeouts(request: OpenRequest): RelaySurroundings['plugins'] {
  const timeouts = pluginTimeouts(deadlinesOf(request));
  const given = Object.entries(request.plugins ?? {});
  return Object.fromEntries(given.map(([plugin, parameters]) => [plugin, { ...timeouts, ...parameters }]));
}

/** @throws PipelineInvalid */
export async function makeRelay(
  given: RelayDefinition,
  request: OpenRequest,
  parts: ControlParts,
): Promise<MadePipeline> {
  const { host, clock, log } = parts;
  const { source, connectorModules = [] } = request;
  const plugins = withTimeouts(request);
  const baseFolder = 'baseFolder' in source ? source.baseFolder : '.';
  const named = 'definition' in source ? modulesOf(source.definition, baseFolder) : [];
  const { registry, problems } = await withModules(parts.registry, [...named, ...connectorModules]);
  if (problems.length > 0) throw invalid(problems);
  const definition = withProcessorFiles(given, request.processorFiles ?? {}, registry);
  const { deadLetterFolder = null } = request;
  const surroundings = { registry, plugins, keptLetters: keptLetterFile(definition, deadLetterFolder) };
  const configured = configureRelay(definition, surroundings);
  const chains = await chainProblems(definition, registry, { baseFolder, clock });
  if (configured.problems.length + chains.length > 0) throw invalid([...configured.problems, ...chains]);
  const { inputs, outputs, deadLetters, processors, startOrder } = configured;
  const { windowSize, windowNackThreshold } = definition.deadLetterQueue;
  const supervisor = new Supervisor({
    name: definition.name,
    pipelineId: definition.id,
    program: recordProgram,
    inputs,
    outputs,
    onError: 'stop',
    stepRowsMax: 1,
    baseFolder,
    decodeWorkers: 0,
    incarnation: randomUUID(),
    fingerprint: '',
    restore: null,
    host,
    clock,
    log,
    random: Math.random,
    compileQuery: () => needsProgram('query'),
    defaultsOf: () => [],
    extend: () => needsProgram('addConnector'),
    shrink: () => {},
    relay: {
      args: { deadLetters: { endpoint: deadLetters, windowSize, windowNackThreshold } },
      recovery: definition.errorRecovery ?? defaultErrorRecovery,
      processors,
      id: definition.id,
      deadLetterFile: () => deadLetterFile(definition, baseFolder, deadLetterFolder),
      ...(request.schemas === undefined ? {} : { schemas: request.schemas }),
    },
    journal: journalOf(request, clock),
    deadlines: deadlinesOf(request),
    acknowledgesCheckpoints: false,
    revive: (mark) => reviveConnector(mark, surroundings),
  });
  const { name, schema } = recordRelation;
  return {
    supervisor,
    description: {
      name: definition.name,
      startOrder,
      tables: [{ name, schema, primaryKey: [], materialized: false }],
      views: [],
    },
    tables: [recordRelation],
    views: [],
    checkConnector: () => needsProgram('checkConnector'),
    clock: null,
    compileInsert: () => needsProgram('insert'),
    defaultsWith: () => needsProgram('defaults'),
    toBatches: () => needsProgram('push'),
  };
}

/** Of the processors of each connector and of the pipeline. */
async function chainProblems(
  { connectors, processors }: RelayDefinition,
  registry: ConnectorRegistry,
  surroundings: { readonly baseFolder: string; readonly clock: Clock },
): Promise<readonly MillraceError[]> {
  const parents = [
    ...connectors.map((connector, i) => ({ processors: connector.processors, path: `connectors[${i}].` })),
    { processors, path: '' },
  ];
  const problems: MillraceError[] = [];
  for (const { processors: chain, path } of parents) {
    const placeOf = ([i, ...rest]: readonly (string | number)[]): { readonly path: string } => ({
      path: [`${path}processors[${i}]`, ...rest].join('.'),
    });
    problems.push(...(await processorProblems(chain, registry, surroundings, placeOf)));
  }
  return problems;
}

/** A connector as it was when it was started last; null: there is no such plugin any more. */
function reviveConnector(mark: ConnectorMark, surroundings: RelaySurroundings): Connector | null {
  return configureConnector(connectorOf(mark), surroundings, []);
}

function connectorOf({ connector: id, type, plugin, active }: ConnectorMark): RelayConnector {
  // SAFETY: settings of a connector without SQL are texts; they were when the mark was made.
  const settings = (active ?? {}) as Readonly<Record<string, string>>;
  return { id, type, plugin, name: id, settings, processors: [] };
}

function needsProgram(call: string): never {
  throw new NeedsProgram({ call });
}

/** One relation, into which all sources write and from which all destinations read. */
const recordProgram: BoundProgram = {
  tables: [
    {
      relation: recordRelation,
      defaults: recordRelation.schema.fields.map(() => null),
      connectors: null,
      materialized: false,
      appendOnly: true,
      source: { text: '', place: {} },
    },
  ],
  views: [],
};
