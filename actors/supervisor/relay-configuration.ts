// From a pipeline without SQL, as its user states it, to the connectors that it is run with. Pure; every problem at once.
//
// A plugin is named `[builtin:|standalone:|any:]name[@version]`. A built-in one is a source or destination of the registry; its settings
// are texts, which become typed values here. One of a process has the path of its executable from a catalog (`plugins`), and is run by
// the transport for such. All connectors are bound to the one relation of records; the endpoint of a connector is its id.
import { ConfigNeedsTable } from '../../connectors/sdk/configuration-errors.ts';
import type { ConnectorRegistry } from '../../connectors/sdk/connector.ts';
import type {
  Connector,
  InputConnector,
  NamedConfiguration,
  OutputConnector,
} from '../../connectors/sdk/connector-configuration.ts';
import { recordRelation } from '../../connectors/sdk/record-batch.ts';
import { validateSettings } from '../../connectors/sdk/setting-rules.ts';
import { typedSettings } from '../../connectors/sdk/text-settings.ts';
import type { MillraceError } from '../../runtime/errors.ts';
import { nearestName } from '../../runtime/nearest-name.ts';
import { deadLettersOf, type RelayConnector, type RelayDefinition, type RelayProcessor } from '../relay-definition.ts';
import { ConfigDeadLetters, ConfigDuplicateEndpoint, ConfigUnknownPlugin } from './configuration-errors.ts';
import { buildDependencyGraph } from './dependency-graph.ts';

/** Rows and bytes between a connector and the relay. */
const queuedRecordsMax = 262_144;
const queuedBytesMax: number = 32 * 1024 * 1024;

/** In the place of the log, which it writes to as well. */
const keptDestination = 'dead_letters';
const keptBytesMax: number = 256 << 20;

export interface RelaySurroundings {
  readonly registry: ConnectorRegistry;
  /** Plugins that are processes, by reference as it stands in the definition: further parameters of the transport for them. */
  readonly plugins: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** The file in which dead letters are kept besides the log that they go to; null, left out: there is none. */
  readonly keptLetters?: string | null;
}

export interface ConfiguredRelay {
  readonly inputs: readonly InputConnector[];
  /** The destination of refused records is the last one. */
  readonly outputs: readonly OutputConnector[];
  readonly deadLetters: string;
  readonly processors: ReadonlyMap<string, readonly RelayProcessor[]>;
  readonly startOrder: readonly (readonly string[])[];
  readonly problems: readonly MillraceError[];
}

export function configureRelay(definition: RelayDefinition, surroundings: RelaySurroundings): ConfiguredRelay {
  const problems: MillraceError[] = [];
  const inputs: InputConnector[] = [];
  const outputs: OutputConnector[] = [];
  const processors = new Map<string, readonly RelayProcessor[]>();
  const seen = new Set<string>();
  definition.connectors.forEach((connector, index) => {
    const { id } = connector;
    const place = { path: `connectors[${index}]` };
    if (seen.has(id)) problems.push(new ConfigDuplicateEndpoint({ endpoint: id }, { place }));
    seen.add(id);
    const configured = configureConnector(connector, surroundings, problems, place.path);
    if (configured?.kind === 'input') inputs.push(configured);
    else if (configured !== null) outputs.push(configured);
    const isSource = connector.type === 'source';
    processors.set(id, isSource ? [...connector.processors, ...definition.processors] : connector.processors);
  });
  const deadLetters = deadLettersOf(definition.id);
  const queue = configureDeadLetters(definition, deadLetters, surroundings, problems);
  if (queue !== null) outputs.push(queue);
  const ordered = buildDependencyGraph(inputs, (endpoint, field) => ({ path: `connectors.${endpoint}.${field}` }));
  problems.push(...ordered.problems);
  return { inputs, outputs, deadLetters, processors, startOrder: ordered.graph.startOrder, problems };
}

/** Null when there is a problem with it. */
export function configureConnector(
  connector: RelayConnector,
  surroundings: RelaySurroundings,
  problems: MillraceError[],
  path = 'connector',
): Connector | null {
  const transport = transportOf(connector, surroundings, problems, path);
  return transport === null ? null : boundToRecords({ ...connector, transport });
}

/** A connector of the one relation of records. */
export function boundToRecords(
  connector: Pick<RelayConnector, 'id' | 'type' | 'labels' | 'startAfter' | 'paused'> & {
    readonly transport: NamedConfiguration;
  },
): Connector {
  const { id, type, transport, labels = [], startAfter = [], paused = false } = connector;
  const common = {
    name: id,
    relation: recordRelation.name,
    endpoint: id,
    transport,
    format: null,
    labels,
    maxQueuedRecords: queuedRecordsMax,
    maxQueuedBytes: queuedBytesMax,
  };
  if (type === 'source') {
    return {
      ...common,
      kind: 'input',
      startAfter,
      onDependencyFailure: 'wait',
      paused,
      strict: false,
      maxBatchSize: null,
    };
  }
  return {
    ...common,
    kind: 'output',
    onFull: 'block',
    sendSnapshot: false,
    enableOutputBuffer: false,
    maxOutputBufferTimeMillis: null,
    maxOutputBufferSizeRecords: 1,
  };
}

function configureDeadLetters(
  { deadLetterQueue }: RelayDefinition,
  id: string,
  surroundings: RelaySurroundings,
  problems: MillraceError[],
): OutputConnector | null {
  const { plugin, settings, windowSize, windowNackThreshold } = deadLetterQueue;
  const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
  if (!isCount(windowSize) || !isCount(windowNackThreshold) || (windowSize > 0 && windowNackThreshold >= windowSize)) {
    problems.push(new ConfigDeadLetters({ windowSize, windowNackThreshold }, { place: { path: 'dead-letter-queue' } }));
  }
  const connector: RelayConnector = { id, type: 'destination', plugin, name: id, settings, processors: [] };
  const configured = configureConnector(connector, surroundings, problems, 'dead-letter-queue');
  if (configured?.kind !== 'output') return null;
  const { keptLetters = null } = surroundings;
  if (keptLetters === null) return configured;
  const { transport } = configured;
  return {
    ...configured,
    transport: {
      ...transport,
      name: keptDestination,
      config: { ...transport.config, path: keptLetters, bytes_max: keptBytesMax },
    },
  };
}

function transportOf(
  connector: RelayConnector,
  { registry, plugins }: RelaySurroundings,
  problems: MillraceError[],
  path: string,
): NamedConfiguration | null {
  const { id, type, plugin, settings } = connector;
  const binding = plugins[plugin];
  if (binding !== undefined) {
    const name = type === 'source' ? 'plugin_input' : 'plugin_output';
    return { name, config: { id, ...binding, plugin, settings }, plugin, settings };
  }
  const name = plugin.replace(/^(builtin|any):/, '').replace(/@.*$/, '');
  const known = type === 'source' ? registry.sources : registry.destinations;
  const definition = known.find((candidate) => candidate.name === name);
  if (definition === undefined || plugin.startsWith('standalone:')) {
    const names = [...known.map((candidate) => `builtin:${candidate.name}`), ...Object.keys(plugins)];
    const context = { place: { path: `${path}.plugin` }, suggestion: nearestName(plugin, names) };
    problems.push(new ConfigUnknownPlugin({ plugin, type }, context));
    return null;
  }
  const movesRecords =
    ('produces' in definition && definition.produces === 'records') ||
    ('accepts' in definition && definition.accepts === 'records');
  if (!movesRecords) {
    problems.push(new ConfigNeedsTable({ plugin, name }, { place: { path: `${path}.plugin` } }));
    return null;
  }
  const placeOf = (at: readonly (string | number)[]): { readonly path: string } => ({ path: at.join('.') });
  const typed = typedSettings(definition.parameters, settings);
  const checked = validateSettings(definition, typed, placeOf, [path, 'settings'], plugin);
  problems.push(...checked.problems);
  if (checked.problems.length > 0) return null;
  const { module } = definition;
  return { name, config: checked.values, plugin, settings, ...(module === undefined ? {} : { module }) };
}
