// From a connector as the user wrote it to an InputConnector or OutputConnector: keys checked, defaults filled in, transport and
// format found in the registry and their parameters validated. Every problem is collected; nothing is thrown.
// An entry that has a problem is left out of the result, so that validation can go on with the others.

import { ConfigUnknownFormat, ConfigUnknownTransport } from '../../connectors/sdk/configuration-errors.ts';
import type { ConnectorRegistry } from '../../connectors/sdk/connector.ts';
import type {
  InputConnector,
  NamedConfiguration,
  OnDependencyFailure,
  OnFull,
  OutputConnector,
} from '../../connectors/sdk/connector-configuration.ts';
import type { Parameter, ParameterValues, PlaceOf } from '../../connectors/sdk/parameters.ts';
import { type RuledParameters, validateSettings } from '../../connectors/sdk/setting-rules.ts';
import { validateParameters } from '../../connectors/sdk/validate-parameters.ts';
import type { MillraceError } from '../../runtime/errors.ts';
import { nearestName } from '../../runtime/nearest-name.ts';
import {
  ConfigBadLabel,
  ConfigBadName,
  ConfigExactlyOnce,
  ConfigFormat,
  ConfigFormatNeedsMessages,
  ConfigStartAfter,
  ConfigUnsupported,
} from './configuration-errors.ts';
import { inputParameters, maxQueuedBytesDefault, outputParameters } from './connector-parameters.ts';
import { insteadOfTransport, withoutForeignKeys } from './foreign-settings.ts';
import { type LeftOutSettings, withLeftOutSettings } from './left-out-settings.ts';
import { checkBuffer, optionalNumber, outputBuffer } from './output-buffer-settings.ts';

/** One connector to be parsed. `value` is the object that holds `transport`; `path` is where it stands. */
export interface ConnectorEntry {
  readonly relation: string;
  /** Used unless the object itself has a `name`. */
  readonly name: string;
  readonly value: Readonly<Record<string, unknown>>;
  readonly path: readonly (string | number)[];
  readonly placeOf: PlaceOf;
  /** Where what the transport's configuration leaves out may come from. */
  readonly leftOut?: LeftOutSettings;
  /** Threads that compute the views. Default 1. */
  readonly workers?: number;
}

export function parseInputConnector(
  entry: ConnectorEntry,
  registry: ConnectorRegistry,
  problems: MillraceError[],
): InputConnector | null {
  const before = problems.length;
  const values = checkKeys(entry, 'input', inputParameters, problems);
  const transport = checkTransport(entry, 'input', registry.sources, values, problems);
  const format = checkFormat(entry, 'input', registry.inputFormats, transport?.definition, values, problems);
  const startAfter = checkStartAfter(entry, values['start_after'], problems);
  if (problems.length > before || transport === null) return null;
  const queue = queueBounds(values);
  return {
    kind: 'input',
    ...identity(entry, values),
    transport: transport.configuration,
    format,
    // SAFETY: validateParameters has checked the types that the parameters declare, and filled in their defaults.
    labels: values['labels'] as readonly string[],
    startAfter,
    onDependencyFailure: values['on_dependency_failure'] as OnDependencyFailure,
    paused: values['paused'] === true,
    strict: values['strict'] === true,
    ...queue,
    maxBatchSize: optionalNumber(values['max_batch_size']) ?? rowsOfWorkers(values, entry.workers ?? 1),
  };
}

export function parseOutputConnector(
  entry: ConnectorEntry,
  registry: ConnectorRegistry,
  problems: MillraceError[],
): OutputConnector | null {
  const before = problems.length;
  const values = checkKeys(entry, 'output', outputParameters, problems);
  const transport = checkTransport(entry, 'output', registry.destinations, values, problems);
  const format = checkFormat(entry, 'output', registry.outputFormats, transport?.definition, values, problems);
  // Feldera accepts labels and start_after on outputs and ignores them; their form is still checked.
  checkStartAfter(entry, values['start_after'], problems);
  if (values['paused'] === true) {
    const instead = 'pause the inputs, or add the output later with addConnector';
    const place = entry.placeOf([...entry.path, 'paused']);
    problems.push(new ConfigUnsupported({ what: 'paused on an output', instead }, { place }));
  }
  const printer = registry.outputFormats.find((candidate) => candidate.name === format?.name);
  if (values['index'] !== undefined && printer !== undefined && printer.takesIndex !== true) {
    const instead = 'avro merges the changes of a key; without an index each change is printed';
    const place = entry.placeOf([...entry.path, 'index']);
    problems.push(new ConfigUnsupported({ what: `index with format ${printer.name}`, instead }, { place }));
  }
  if (transport !== null && transport.definition.outputBuffer === undefined) checkBuffer(entry, problems);
  const isExactlyOnce =
    transport?.definition.isExactlyOnce?.(transport.configuration.config as ParameterValues) === true;
  if (isExactlyOnce && printer?.needsEnd === true && transport?.definition.streamPerFlush !== true) {
    const detail = `it goes on with its file after a stop, and a file of ${printer.name} cannot be gone on with`;
    const place = entry.placeOf([...entry.path, 'format']);
    problems.push(new ConfigExactlyOnce({ endpoint: identity(entry, values).endpoint, detail }, { place }));
  }
  if (problems.length > before || transport === null) return null;
  const buffer = outputBuffer(values, transport.definition.outputBuffer);
  // A buffer merges equal rows, and has to see them.
  const ignoresColumns =
    transport.definition.ignoresColumns === true &&
    format === null &&
    !buffer.enableOutputBuffer &&
    values['index'] === undefined;
  return {
    kind: 'output',
    ...identity(entry, values),
    transport: transport.configuration,
    format,
    // SAFETY: as above.
    labels: values['labels'] as readonly string[],
    onFull: values['on_full'] as OnFull,
    ...queueBounds(values),
    sendSnapshot: values['send_snapshot'] === true,
    ...buffer,
    ...(ignoresColumns ? { ignoresColumns } : {}),
    ...(isExactlyOnce ? { isExactlyOnce } : {}),
  };
}

function checkKeys(
  entry: ConnectorEntry,
  direction: 'input' | 'output',
  parameters: readonly Parameter[],
  problems: MillraceError[],
): ParameterValues {
  const known = withoutForeignKeys(entry.value, direction, entry.placeOf, entry.path, problems);
  const checked = validateParameters(parameters, known, entry.placeOf, entry.path);
  problems.push(...checked.problems);
  const name = checked.values['name'] ?? entry.name;
  if (typeof name === 'string' && !/^[a-zA-Z0-9_-]{1,100}$/.test(name)) {
    problems.push(new ConfigBadName({ name }, { place: entry.placeOf(entry.path) }));
  }
  const labels = checked.values['labels'];
  if (Array.isArray(labels) && labels.includes('')) {
    problems.push(new ConfigBadLabel({}, { place: entry.placeOf([...entry.path, 'labels']) }));
  }
  return checked.values;
}

function identity(
  entry: ConnectorEntry,
  values: ParameterValues,
): { name: string; relation: string; endpoint: string } {
  const name = typeof values['name'] === 'string' ? values['name'] : entry.name;
  return { name, relation: entry.relation, endpoint: `${entry.relation}.${name}` };
}

function rowsOfWorkers(values: ParameterValues, workers: number): number | null {
  const rows = optionalNumber(values['max_worker_batch_size']);
  return rows === null ? null : rows * workers;
}

function queueBounds(values: ParameterValues): { maxQueuedRecords: number; maxQueuedBytes: number } {
  const maxQueuedRecords = Number(values['max_queued_records']);
  const maxQueuedBytes =
    optionalNumber(values['max_queued_bytes']) ?? Math.min(maxQueuedBytesDefault, 1000 * maxQueuedRecords);
  return { maxQueuedRecords, maxQueuedBytes };
}

interface Registered extends RuledParameters {
  readonly name: string;
  readonly needsMessages?: boolean;
  readonly makesMessages?: (configuration: ParameterValues) => boolean;
}

interface RegisteredTransport extends Registered {
  readonly module?: string;
  readonly format: 'required' | 'optional' | 'none';
  readonly givesMessages?: boolean;
  readonly takesMessages?: boolean;
}

/** `{name, config}` as it stands in the entry, or null when checkKeys has already complained. */
function namedConfiguration(values: ParameterValues, key: string): NamedConfiguration | null {
  const value = values[key];
  if (typeof value !== 'object' || value === null || !('name' in value) || typeof value.name !== 'string') return null;
  const config = 'config' in value ? value.config : undefined;
  // SAFETY: a config that is no object is refused by validateParameters, which gets it next.
  return { name: value.name, config: (config ?? {}) as Readonly<Record<string, unknown>> };
}

function checkTransport<T extends RegisteredTransport>(
  entry: ConnectorEntry,
  direction: 'input' | 'output',
  known: readonly T[],
  values: ParameterValues,
  problems: MillraceError[],
): { definition: T; configuration: NamedConfiguration } | null {
  const named = namedConfiguration(values, 'transport');
  if (named === null) return null;
  const path = [...entry.path, 'transport'];
  const definition = known.find((candidate) => candidate.name === named.name);
  if (definition === undefined) {
    const names = known.map((candidate) => candidate.name);
    const place = entry.placeOf([...path, 'name']);
    const instead = insteadOfTransport(named.name, direction);
    if (instead !== undefined) {
      problems.push(new ConfigUnsupported({ what: `transport ${named.name}`, instead }, { place }));
      return null;
    }
    const context = { place, suggestion: nearestName(named.name, names) };
    problems.push(new ConfigUnknownTransport({ name: named.name, direction, known: names }, context));
    return null;
  }
  const { leftOut } = entry;
  const given = leftOut === undefined ? named.config : withLeftOutSettings(named.config, definition, leftOut);
  const checked = validateSettings(definition, given, entry.placeOf, [...path, 'config'], named.name);
  problems.push(...checked.problems);
  const { module } = definition;
  const configuration = { name: named.name, config: checked.values, ...(module === undefined ? {} : { module }) };
  return { definition, configuration };
}

function checkFormat(
  entry: ConnectorEntry,
  direction: 'input' | 'output',
  known: readonly Registered[],
  transport: RegisteredTransport | undefined,
  values: ParameterValues,
  problems: MillraceError[],
): NamedConfiguration | null {
  const named = namedConfiguration(values, 'format');
  const path = [...entry.path, 'format'];
  if (named === null) {
    if (values['format'] === undefined && transport?.format === 'required') {
      const place = entry.placeOf([...entry.path, 'transport']);
      problems.push(new ConfigFormat({ transport: transport.name }, { place }));
    }
    return null;
  }
  const definition = known.find((candidate) => candidate.name === named.name);
  if (definition === undefined) {
    const names = known.map((candidate) => candidate.name);
    const context = { place: entry.placeOf([...path, 'name']), suggestion: nearestName(named.name, names) };
    problems.push(new ConfigUnknownFormat({ name: named.name, direction, known: names }, context));
    return null;
  }
  const checked = validateSettings(definition, named.config, entry.placeOf, [...path, 'config'], named.name);
  problems.push(...checked.problems);
  const hasMessages = transport === undefined || transport.givesMessages === true || transport.takesMessages === true;
  if (!hasMessages && (definition.needsMessages === true || definition.makesMessages?.(checked.values) === true)) {
    const place = entry.placeOf([...path, 'name']);
    problems.push(new ConfigFormatNeedsMessages({ format: named.name, transport: transport.name }, { place }));
  }
  // A transport that carries no bytes has no use for it; Feldera takes such a configuration too.
  if (transport?.format === 'none') return null;
  return { name: named.name, config: checked.values };
}

function checkStartAfter(entry: ConnectorEntry, value: unknown, problems: MillraceError[]): readonly string[] {
  if (value === undefined || value === null) return [];
  const place = entry.placeOf([...entry.path, 'start_after']);
  const refuse = (detail: string): readonly string[] => {
    problems.push(new ConfigStartAfter({ detail }, { place }));
    return [];
  };
  if (typeof value === 'string') return value === '' ? refuse('names the empty label') : [value];
  if (!Array.isArray(value)) return refuse('is neither a string nor a list of strings');
  if (value.length === 0) return refuse('is an empty list');
  const labels = value.filter((label): label is string => typeof label === 'string' && label !== '');
  if (labels.length < value.length) return refuse('holds something other than a non-empty string');
  return [...new Set(labels)];
}
