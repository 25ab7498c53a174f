// Validates a whole pipeline without running it: program, connectors of both kinds (from the configuration and from the
// SQL text), and the dependency graph of labels. Every problem at once, each with code and place.
//
// Pure: the SQL compiler, the registry and the environment are given. Used by `Pipeline.open`, `millrace check`, and each
// time a connector is added to a running pipeline.
import { parseDocument } from 'yaml';
import type { ConnectorRegistry } from '../../connectors/sdk/connector.ts';
import type {
  InputConnector,
  OnError,
  OutputConnector,
  PipelineConfiguration,
} from '../../connectors/sdk/connector-configuration.ts';
import type { RelationKey } from '../../connectors/sdk/format.ts';
import type { Parameter, PlaceOf } from '../../connectors/sdk/parameters.ts';
import { validateParameters } from '../../connectors/sdk/validate-parameters.ts';
import type { Relation } from '../../runtime/batch/schema.ts';
import type { MillraceError, Place } from '../../runtime/errors.ts';
import { nearestName } from '../../runtime/nearest-name.ts';
import type { BoundProgram, DeclaredConnectors } from '../engine/messages.ts';
import {
  ConfigDuplicateEndpoint,
  ConfigLocalView,
  ConfigNotATable,
  ConfigSnapshot,
  ConfigSyntax,
  ConfigUnknownIndex,
  ConfigUnknownRelation,
} from './configuration-errors.ts';
import { type ConnectorEntry, parseInputConnector, parseOutputConnector } from './connector-parsing.ts';
import { definitionParameters } from './definition-parameters.ts';
import { buildDependencyGraph, type OrderedInput } from './dependency-graph.ts';
import { resolveReferences } from './environment-references.ts';
import { exactlyOnceProblems } from './exactly-once-outputs.ts';
import { type LeftOutSettings, transportDefaults } from './left-out-settings.ts';
import { overwrittenTargets } from './overwritten-targets.ts';
import { shareSettings } from './shared-settings.ts';

/** A pipeline as users write it: a YAML file, or the object given to `Pipeline.open`. Keys as in the YAML. */
export interface PipelineDefinition {
  readonly name?: string;
  /** SQL text. */
  readonly program: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
  /** What a failing expression does to the pipeline. Default `stop`. */
  readonly on_error?: OnError;
  /** Threads that compute the views. Default 1. */
  readonly workers?: number;
  /** Threads that decode large inputs. Default: the number of cores less one, at least 1. */
  readonly decode_workers?: number;
  /** Files of modules that define connectors of the user's own, relative to the pipeline's folder. */
  readonly connector_modules?: readonly string[];
  /** By transport: what connectors of that transport leave out. */
  readonly transport_defaults?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Compiles SQL; injected, because actors do not know one another. */
export type CompileProgram = (
  text: string,
  options: { readonly file?: string; readonly lineOffset?: number; readonly columnOffset?: number },
) => { readonly program: BoundProgram | null; readonly problems: readonly MillraceError[] };

export interface ValidationOptions {
  readonly compile: CompileProgram;
  /** With what the definition's `connector_modules` export. */
  readonly registry: ConnectorRegistry;
  /** What is wrong with these modules. */
  readonly moduleProblems?: readonly MillraceError[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Relative paths of connectors start here. */
  readonly baseFolder: string;
  readonly decodeWorkersDefault: number;
  /** Whether the pipeline, as it is to be run, takes checkpoints; left out: it is only looked at. */
  readonly keepsCheckpoints?: boolean;
  /** The file that the definition stands in, and where each path of it stands. */
  readonly file?: string;
  readonly placeOf?: PlaceOf;
  /** Where the program's first character stands in the file, counted from 1, and how far its lines are indented. */
  readonly programPlace?: { readonly line: number; readonly indent: number };
}

export interface ValidatedPipeline {
  /** Present when there is no problem. */
  readonly configuration: PipelineConfiguration | null;
  readonly program: BoundProgram | null;
  /** Connectors that could be parsed, also when there are problems elsewhere. */
  readonly inputs: readonly InputConnector[];
  readonly outputs: readonly OutputConnector[];
  /** Endpoints of inputs, level by level: those of a level may start together. */
  readonly startOrder: readonly (readonly string[])[];
  readonly problems: readonly MillraceError[];
}

/** The type of `validatePipeline`, for those who are handed it. `definition` is not trusted: its form is checked first. */
export type ValidatePipeline = (definition: unknown, options: ValidationOptions) => ValidatedPipeline;

export const validatePipeline: ValidatePipeline = (definition, options) => {
  const problems: MillraceError[] = [];
  const placeOf = options.placeOf ?? ((path) => ({ path: path.join('.') }));
  const checked = validateParameters(definitionParameters, definition, placeOf, [], 'the pipeline');
  problems.push(...checked.problems, ...(options.moduleProblems ?? []));
  const text = typeof checked.values['program'] === 'string' ? checked.values['program'] : '';
  const compiled = options.compile(text, {
    ...(options.file === undefined ? {} : { file: options.file }),
    ...(options.programPlace === undefined
      ? {}
      : { lineOffset: options.programPlace.line - 1, columnOffset: options.programPlace.indent }),
  });
  problems.push(...compiled.problems);
  // A program that does not compile still has relations: without them every connector would look wrong too.
  const program = compiled.program ?? { tables: [], views: [] };
  const isKnown = compiled.program !== null;

  const collector: Collector = {
    leftOut: {
      environment: options.environment,
      transportDefaults: transportDefaults(checked.values['transport_defaults'], options, placeOf, problems),
    },
    workers: Number(checked.values['workers'] ?? 1),
    program,
    isKnown,
    options,
    placeOf,
    problems,
    inputs: [],
    outputs: [],
    ordered: [],
    entries: new Map(),
    outputEntries: new Map(),
  };
  collectConfigured(collector, 'inputs', checked.values['inputs']);
  collectConfigured(collector, 'outputs', checked.values['outputs']);
  for (const table of program.tables) collectDeclared(collector, 'inputs', table.relation, table.connectors);
  if (program.clock !== undefined) addClock(collector, program.clock.name);
  for (const view of program.views) collectDeclared(collector, 'outputs', view.relation, view.connectors);
  const { outputs } = collector;
  const inputs = shareSettings(
    collector.inputs,
    options.registry.sources,
    (endpoint, parameter) => placeIn(collector, endpoint, ['transport', 'config', parameter]),
    problems,
  );
  const placeOfOutput = (endpoint: string): Place => {
    const entry = collector.outputEntries.get(endpoint);
    return entry === undefined ? {} : entry.placeOf([...entry.path, 'transport', 'config']);
  };
  problems.push(...overwrittenTargets(inputs, outputs, options.registry, options.baseFolder, placeOfOutput));
  problems.push(...exactlyOnceProblems(outputs, options.keepsCheckpoints ?? true, placeOfOutput));
  const ordered = buildDependencyGraph(collector.ordered, (endpoint, field) => placeIn(collector, endpoint, [field]));
  problems.push(...ordered.problems);

  const configuration: PipelineConfiguration = {
    name: typeof checked.values['name'] === 'string' ? checked.values['name'] : 'pipeline',
    program: text,
    inputs,
    outputs,
    onError: checked.values['on_error'] === 'skip' ? 'skip' : 'stop',
    workers: Number(checked.values['workers'] ?? 1),
    decodeWorkers: Number(checked.values['decode_workers'] ?? options.decodeWorkersDefault),
    baseFolder: options.baseFolder,
  };
  return {
    configuration: problems.length === 0 ? configuration : null,
    program: compiled.program,
    inputs,
    outputs,
    startOrder: ordered.graph.startOrder,
    problems,
  };
};

function placeIn({ entries }: Collector, endpoint: string, path: readonly string[]): Place {
  const entry = entries.get(endpoint);
  return entry === undefined ? {} : entry.placeOf([...entry.path, ...path]);
}

type Side = 'inputs' | 'outputs';

interface Collector {
  readonly workers: number;
  readonly leftOut: LeftOutSettings;
  readonly program: BoundProgram;
  readonly isKnown: boolean;
  readonly options: ValidationOptions;
  readonly placeOf: PlaceOf;
  readonly problems: MillraceError[];
  readonly inputs: InputConnector[];
  readonly outputs: OutputConnector[];
  /** Every input's labels, also of one that is wrong in other respects: it must not make its dependants look wrong. */
  readonly ordered: OrderedInput[];
  /** Where each input endpoint stands. */
  readonly entries: Map<string, ConnectorEntry>;
  /** The same of outputs. */
  readonly outputEntries: Map<string, ConnectorEntry>;
}

/** The connectors under `inputs:` or `outputs:`; the key is the name, `<stream>.<name>` names `<name>`. */
function collectConfigured(collector: Collector, side: Side, section: unknown): void {
  if (typeof section !== 'object' || section === null) return;
  for (const [key, raw] of Object.entries(section)) {
    const path = [side, key];
    const value = resolveReferences(raw, collector.options.environment, collector.placeOf, path, collector.problems);
    const entry = configuredEntry(collector, key, value, path);
    if (entry !== null) add(collector, side, entry);
  }
}

const outerKeys: readonly Parameter[] = [
  { name: 'stream', type: { kind: 'string' }, required: true, description: 'Table or view.' },
  { name: 'connector_config', type: { kind: 'any' }, required: true, description: 'The connector.' },
];

function configuredEntry(
  collector: Collector,
  key: string,
  value: unknown,
  path: readonly string[],
): ConnectorEntry | null {
  const { placeOf, problems } = collector;
  const isNested = typeof value === 'object' && value !== null && 'connector_config' in value;
  if (isNested || typeof value !== 'object' || value === null || Array.isArray(value)) {
    const outer = validateParameters(outerKeys, value, placeOf, path);
    problems.push(...outer.problems);
    if (outer.problems.length > 0) return null;
    const relation = String(outer.values['stream']);
    // SAFETY: what is no object is refused when its keys are checked.
    const inner = outer.values['connector_config'] as Readonly<Record<string, unknown>>;
    const innerPath = [...path, 'connector_config'];
    return { relation, name: nameFromKey(key, relation), value: inner, path: innerPath, placeOf };
  }
  // SAFETY: excluded above: null, lists and everything that is no object.
  const { stream, ...rest } = value as Readonly<Record<string, unknown>>;
  const outer = validateParameters(outerKeys.slice(0, 1), stream === undefined ? {} : { stream }, placeOf, path);
  problems.push(...outer.problems);
  if (typeof stream !== 'string') return null;
  return { relation: stream, name: nameFromKey(key, stream), value: rest, path, placeOf };
}

function nameFromKey(key: string, relation: string): string {
  return key.startsWith(`${relation}.`) ? key.slice(relation.length + 1) : key;
}

/** The connectors in `WITH ('connectors' = '[…]')`. Unnamed ones are called `unnamed-0`, `unnamed-1` by position. */
function collectDeclared(
  collector: Collector,
  side: Side,
  relation: Relation,
  declared: DeclaredConnectors | null,
): void {
  if (declared === null) return;
  const { problems, options } = collector;
  const document = parseDocument(declared.json, { version: '1.2', schema: 'json', uniqueKeys: true });
  const base = declared.place;
  for (const error of document.errors) {
    const at = error.linePos?.[0];
    problems.push(
      new ConfigSyntax({ detail: `connectors: ${firstLine(error.message)}` }, { place: offsetPlace(base, at) }),
    );
  }
  if (document.errors.length > 0) return;
  const list: unknown = document.toJS();
  if (!Array.isArray(list)) {
    problems.push(new ConfigSyntax({ detail: 'connectors is not a list of objects' }, { place: base }));
    return;
  }
  const placeOf: PlaceOf = (path) => ({ ...base, path: path.join('.') });
  list.forEach((raw: unknown, position) => {
    const path = [`${relation.name}.connectors[${position}]`];
    const value = resolveReferences(raw, options.environment, placeOf, path, problems);
    // SAFETY: what is no object is refused when its keys are checked.
    const object = value as Readonly<Record<string, unknown>>;
    add(collector, side, { relation: relation.name, name: `unnamed-${position}`, value: object, path, placeOf });
  });
}

/** What ticks for NOW(): an input that nobody configures but by `transport_defaults`, called as the relation is. */
function addClock(collector: Collector, name: string): void {
  const { problems, leftOut, options } = collector;
  const value = { transport: { name: 'clock', config: {} } };
  const entry: ConnectorEntry = { relation: name, name, value, path: [name], placeOf: collector.placeOf, leftOut };
  const connector = parseInputConnector(entry, options.registry, problems);
  if (connector !== null) collector.inputs.push({ ...connector, endpoint: name });
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text;
}

function offsetPlace(base: Place, at: { line: number; col: number } | undefined): Place {
  if (at === undefined || base.line === undefined || base.column === undefined) return base;
  // The literal's opening quote stands at `base`; its first line goes on behind it.
  const column = at.line === 1 ? base.column + at.col : at.col;
  return { ...base, line: base.line + at.line - 1, column };
}

function add(collector: Collector, side: Side, entry: ConnectorEntry): void {
  const { problems } = collector;
  const relation = findRelation(collector, side, entry);
  const { leftOut, workers } = collector;
  const resolved: ConnectorEntry = { ...entry, leftOut, workers, relation: relation?.name ?? entry.relation };
  const { registry } = collector.options;
  const connector =
    side === 'inputs'
      ? parseInputConnector(resolved, registry, problems)
      : parseOutputConnector(resolved, registry, problems);
  if (connector === null || relation === null) {
    if (side === 'inputs') addOrdered(collector, resolved);
    return;
  }
  const taken: readonly { readonly endpoint: string }[] = side === 'inputs' ? collector.inputs : collector.outputs;
  if (taken.some((other) => other.endpoint === connector.endpoint)) {
    const place = entry.placeOf(entry.path);
    problems.push(new ConfigDuplicateEndpoint({ endpoint: connector.endpoint }, { place }));
  } else if (connector.kind === 'input') {
    collector.inputs.push(connector);
    collector.ordered.push(connector);
    collector.entries.set(connector.endpoint, entry);
  } else {
    if (connector.sendSnapshot && !isMaterialized(collector.program, relation.name)) {
      const place = entry.placeOf([...entry.path, 'send_snapshot']);
      problems.push(new ConfigSnapshot({ relation: relation.name }, { place }));
    }
    const key = keyOf(collector, resolved, relation);
    collector.outputs.push(key === null ? connector : { ...connector, key });
    collector.outputEntries.set(connector.endpoint, entry);
  }
}

/** The columns of the index that the connector names. */
function keyOf(
  { program, isKnown, problems }: Collector,
  entry: ConnectorEntry,
  relation: Relation,
): RelationKey | null {
  const name = entry.value['index'];
  if (typeof name !== 'string') return null;
  const ofRelation = (program.indexes ?? []).filter((index) => index.relation === relation.name);
  const found = ofRelation.find((index) => index.name === name || index.name === name.toLowerCase());
  if (found !== undefined) return { name: found.name, columns: found.columns };
  const known = ofRelation.map((index) => index.name);
  const place = entry.placeOf([...entry.path, 'index']);
  const suggestion = nearestName(name, known);
  if (isKnown)
    problems.push(new ConfigUnknownIndex({ index: name, relation: relation.name, known }, { place, suggestion }));
  return null;
}

/** The labels of an input that is not accepted, as far as they can be read. */
function addOrdered(collector: Collector, entry: ConnectorEntry): void {
  const endpoint = `${entry.relation}.${entry.name}`;
  if (collector.entries.has(endpoint)) return;
  const texts = (value: unknown): string[] =>
    (Array.isArray(value) ? value : [value]).filter((text) => typeof text === 'string' && text !== '');
  const fields: Readonly<Record<string, unknown>> | null = Object(entry.value);
  const ordered = { endpoint, labels: texts(fields?.['labels']), startAfter: texts(fields?.['start_after']) };
  collector.ordered.push(ordered);
  collector.entries.set(endpoint, entry);
}

function isMaterialized(program: BoundProgram, name: string): boolean {
  return (
    program.views.some((view) => view.relation.name === name && view.kind === 'materialized') ||
    program.tables.some(
      (table) => table.relation.name === name && (table.materialized || table.relation.primaryKey.length > 0),
    )
  );
}

/** The relation that a stream names: exactly, or folded to lower case as SQL folds an unquoted identifier. */
function findRelation(collector: Collector, side: Side, entry: ConnectorEntry): Relation | null {
  const { program, problems, isKnown } = collector;
  const tables = program.tables.map((table) => table.relation);
  const views = program.views.map((view) => view.relation);
  const find = (relations: readonly Relation[]): Relation | undefined =>
    relations.find((relation) => relation.name === entry.relation) ??
    relations.find((relation) => relation.name === entry.relation.toLowerCase());
  const place = entry.placeOf([...entry.path.filter((part) => part !== 'connector_config'), 'stream']);
  const found = side === 'inputs' ? find(tables) : find([...views, ...tables]);
  if (found !== undefined) {
    const view = program.views.find((candidate) => candidate.relation === found);
    if (view?.kind === 'local') problems.push(new ConfigLocalView({ relation: found.name }, { place }));
    return found;
  }
  // Without a program nothing is known of its relations; its own problems come first.
  if (!isKnown) return null;
  if (side === 'inputs' && find(views) !== undefined) {
    problems.push(new ConfigNotATable({ relation: entry.relation }, { place }));
    return null;
  }
  const candidates = (side === 'inputs' ? tables : [...tables, ...views]).map((relation) => relation.name);
  const wanted = side === 'inputs' ? 'table' : 'table or view';
  const suggestion = nearestName(entry.relation, candidates);
  problems.push(new ConfigUnknownRelation({ relation: entry.relation, wanted }, { place, suggestion }));
  return null;
}
