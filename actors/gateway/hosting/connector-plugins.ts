// The plugins of a server: what there is, whether one takes a configuration, and what one is told when its connector is deleted.
//
// Loaded once, after the server listens: the registry is large, and every plugin process has to be asked once what it is.

import { dirname, join, resolve } from 'node:path';
import { type FolderModules, modulesInFolder } from '../../../connectors/connector-modules.ts';
import type { ConnectorRegistry } from '../../../connectors/sdk/connector.ts';
import type { ParameterValues, PlaceOf } from '../../../connectors/sdk/parameters.ts';
import type { SchemaService } from '../../../connectors/standalone/schema-service.ts';
import type { SchemaKeeper } from '../../../connectors/standalone/schema-store.ts';
import type { PluginProblem } from '../../../connectors/standalone/specified-files.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { MillraceError } from '../../../runtime/errors.ts';
import type { Log } from '../../../runtime/log.ts';
import { journalPort } from '../../journal-port.ts';
import type { ConnectorMark, LifecycleJournal } from '../../lifecycle-journal.ts';
import { type ProcessorFiles, processorsOf } from '../../processor-files.ts';
import { processorProblems } from '../../processor-opening.ts';
import type { RelayDefinition, RelayProcessor } from '../../relay-definition.ts';
import type { SchemaAccess } from '../../schema-access.ts';
import type { OwedMark } from '../../store/messages.ts';
import type { PluginBinding } from '../embedded/control-interface.ts';
import type { ConnectorParts } from './connector-parts.ts';
import type { HostedPipeline } from './hosted-pipeline.ts';
import type { PipelineRecord } from './pipeline-record.ts';
import { builtInPlugins, findPlugin, type PluginSpecification, standalonePlugin } from './plugin-specification.ts';
import { loadProcessors, type ProcessorSpecification } from './processor-specification.ts';
import type { HostedConnector, RelayPipeline } from './relay-record.ts';
import {
  type TrialOptions,
  type TrialPlugin,
  tellDeleted,
  trialDeadlines,
  tryConfiguration,
} from './trial-instance.ts';

export interface ConfigurationTrial {
  readonly type: HostedConnector['type'];
  readonly plugin: PluginSpecification;
  readonly settings: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

export interface ConnectorPluginsOptions {
  readonly loadRegistry: () => Promise<ConnectorRegistry>;
  /** Of Millrace, without a `v`. */
  readonly version: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Relative paths of connectors start here. */
  readonly baseFolder: string;
  /** Of plugin processes; null: there are none. */
  readonly folder: string | null;
  /** Of modules that export connectors; null: there are none. */
  readonly modulesFolder: string | null;
  /** Of processors that are WebAssembly modules; null: there are none. */
  readonly processorsFolder: string | null;
  /** Where it is remembered what they have said of themselves; processors in a file beside it. */
  readonly cacheFile: string | null;
  /** Where dead letters are kept that go to the log; null: nowhere. */
  readonly deadLetterFolder: string | null;
  /** Where schemas outlive the server. */
  readonly schemas: SchemaKeeper;
  /** What is remembered of the connectors of a pipeline, by its id. */
  readonly journalOf: (pipeline: string) => LifecycleJournal;
  /** A deleted connector could not be told of it. Left out where none is deleted. */
  readonly onOwed?: (owed: OwedMark, error: unknown) => void;
}

export class ConnectorPlugins {
  readonly #options: ConnectorPluginsOptions;
  #loading: Promise<void> | null = null;
  #loadingModules: Promise<FolderModules> | null = null;
  #schemaService: Promise<SchemaService> | null = null;
  #plugins: readonly PluginSpecification[] = [];
  #processors: readonly ProcessorSpecification[] = [];

  constructor(options: ConnectorPluginsOptions) {
    this.#options = options;
  }

  /** Resolves when everything below may be asked. */
  loaded(): Promise<void> {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  /** What ships with Millrace, and what the modules of the folder export. Waits for no plugin process. */
  async registry(): Promise<ConnectorRegistry> {
    return (await this.#modules()).registry;
  }

  #modules(): Promise<FolderModules> {
    this.#loadingModules ??= this.#loadModules();
    return this.#loadingModules;
  }

  async #loadModules(): Promise<FolderModules> {
    const { loadRegistry, modulesFolder, log } = this.#options;
    const registry = await loadRegistry();
    if (modulesFolder === null) return { registry, problems: [], files: [] };
    const found = await modulesInFolder(registry, modulesFolder);
    for (const { message } of found.problems) log.warn('a connector module is left out', { error: message });
    return found;
  }

  list(): readonly PluginSpecification[] {
    return this.#plugins;
  }

  processors(): readonly ProcessorSpecification[] {
    return this.#processors;
  }

  /** Everything that is wrong with a processor, as it is made when its pipeline starts. */
  async processorProblems(
    processor: Omit<RelayProcessor, 'workers'>,
    placeOf: PlaceOf,
  ): Promise<readonly MillraceError[]> {
    const file = findPlugin(this.#processors, processor.plugin)?.path ?? null;
    const placed = file === null ? processor : { ...processor, file };
    return await processorProblems([placed], await this.registry(), this.#options, placeOf);
  }

  /** Configures and tears down a fresh instance. @throws TrialFailed, TrialTimedOut */
  async validate({ type, plugin, settings, signal }: ConfigurationTrial): Promise<void> {
    await tryConfiguration({
      ...(await this.#trialOptions(plugin)),
      type,
      plugin,
      id: `validate-${type}-config`,
      settings,
      signal,
    });
  }

  /** It is gone from its pipeline already; its plugin is told, now or later. Never rejects. */
  async connectorDeleted(pipeline: HostedPipeline, connector: HostedConnector): Promise<void> {
    const journal = this.#options.journalOf(pipeline.record.id);
    const { id } = connector;
    let owed: OwedMark | null = null;
    try {
      const known = (await journal.marks()).find((candidate) => candidate.connector === id);
      // It was never started: there is nothing that it would have to clean up.
      if (known === undefined || known.active === null || known.withoutEvents) return await journal.removeMark(id);
      const mark = { ...known, deleted: true, intent: { event: 'deleted' as const, settings: known.active } };
      await journal.putMark(mark);
      owed = { pipeline: pipeline.record.id, mark };
      await this.#tellDeleted(owed, known.active);
    } catch (error) {
      if (owed !== null) return this.#options.onOwed?.(owed, error);
      this.#options.log.error('what is remembered of a deleted connector could not be read or written', {
        connector: id,
        error: error instanceof Error ? error.message : String(error),
      });
    }
  }

  /** All connectors of a program are gone with it: what they have made elsewhere is theirs to take away, later (OwedDeletions). */
  async programDeleted(pipeline: HostedPipeline): Promise<void> {
    const journal = this.#options.journalOf(pipeline.record.id);
    for (const mark of await journal.marks()) {
      const { active } = mark;
      const isKnown = findPlugin(this.#plugins, mark.plugin) !== undefined || (await this.#transportOf(mark)) !== null;
      if (active === null || mark.withoutEvents || !isKnown) await journal.removeMark(mark.connector);
      else
        await journal.putMark({
          ...mark,
          deleted: true,
          pipelineName: pipeline.name,
          intent: { event: 'deleted', settings: active },
        });
    }
  }

  /** Once more for a connector that is gone and could not be told before. @throws why it cannot be told now */
  async tellOwed({ pipeline, mark }: OwedMark): Promise<void> {
    const journal = this.#options.journalOf(pipeline);
    if (mark.active === null) await journal.removeMark(mark.connector);
    else await this.#tellDeleted({ pipeline, mark }, mark.active);
  }

  async #tellDeleted({ pipeline: pipelineId, mark }: OwedMark, active: ParameterValues): Promise<void> {
    const journal = this.#options.journalOf(pipelineId);
    const transport = await this.#transportOf(mark);
    const plugin = transport?.plugin ?? findPlugin(this.#plugins, mark.plugin);
    if (plugin === undefined) throw new Error(`there is no plugin ${mark.plugin} any more`);
    const isTyped = transport !== null;
    const id = transport?.endpoint ?? mark.connector;
    const pipeline = { name: mark.pipelineName ?? pipelineId, id: pipelineId };
    const options = { ...(await this.#trialOptions(plugin)), type: mark.type, plugin, id, pipeline, isTyped };
    const { signal } = new AbortController();
    try {
      await tellDeleted({ ...options, settings: active, signal }, active);
    } catch (error) {
      if (!isWithoutEvents(error)) throw error;
    }
    await journal.removeMark(mark.connector);
  }

  /** Base64 of the position up to which a source has been acknowledged; null: none. */
  async position(pipeline: HostedPipeline, connector: string): Promise<string | null> {
    const marks = await this.#options.journalOf(pipeline.record.id).positions();
    const position = marks.find((mark) => mark.connector === connector)?.position;
    if (typeof position !== 'object' || position === null) return null;
    // Sources of records say where they stand in bytes, others in JSON.
    const text = 'record' in position ? position.record : undefined;
    return typeof text === 'string' ? text : Buffer.from(JSON.stringify(position)).toString('base64');
  }

  /** Of a connector of a program, which is known by its direction and endpoint (startedConnector); null: it is another one. */
  async #transportOf(mark: ConnectorMark): Promise<{ readonly plugin: TrialPlugin; readonly endpoint: string } | null> {
    const endpoint = /^(?:input|output):(.+)$/s.exec(mark.connector)?.[1];
    const { sources, destinations } = await this.registry();
    const isKnown = (mark.type === 'source' ? sources : destinations).some(({ name }) => name === mark.plugin);
    if (endpoint === undefined || !isKnown) return null;
    return { plugin: { kind: 'builtin', name: mark.plugin, version: this.#options.version, path: null }, endpoint };
  }

  async #trialOptions({
    kind,
  }: TrialPlugin): Promise<Pick<TrialOptions, 'registry' | 'baseFolder' | 'clock' | 'process' | 'deadlines'>> {
    const { baseFolder, clock } = this.#options;
    const process = kind === 'builtin' ? {} : { schema_service: (await this.#schemas()).target };
    return { registry: await this.registry(), baseFolder, clock, process, deadlines: trialDeadlines };
  }

  async #load(): Promise<void> {
    const { version, folder, processorsFolder, cacheFile, clock, log } = this.#options;
    const registry = await this.registry();
    const found = await loadPlugins(registry, version, { folder, cacheFile, clock });
    this.#plugins = found.plugins;
    const besides = cacheFile === null ? null : join(dirname(cacheFile), 'processors.json');
    const loaded = await loadProcessors(registry, version, { folder: processorsFolder, cacheFile: besides, clock });
    this.#processors = loaded.processors;
    for (const { path, error } of found.problems)
      log.warn(`a connector plugin is left out: ${error.message}`, { path });
    for (const { path, error } of loaded.problems)
      log.warn(`a processor plugin is left out: ${error.message}`, { path });
  }

  /** It listens from the first pipeline without SQL, or the first trial of a plugin process, on. */
  #schemas(): Promise<SchemaService> {
    this.#schemaService ??= this.#startSchemas();
    return this.#schemaService;
  }

  async #startSchemas(): Promise<SchemaService> {
    const { SchemaStore } = await import('../../../connectors/standalone/schema-store.ts');
    const { SchemaService } = await import('../../../connectors/standalone/schema-service.ts');
    return await SchemaService.start(await SchemaStore.open(this.#options.schemas));
  }

  /** For one run of a pipeline of the server. */
  async partsFor(record: PipelineRecord): Promise<ConnectorParts> {
    return await this.partsOf(record.id, record.relay ?? null);
  }

  /** null: a pipeline with SQL, whose connectors are none of these plugins. */
  async partsOf(
    pipeline: string,
    relay:
      | Pick<RelayPipeline, 'connectors' | 'processors' | 'deadLetterQueue'>
      | Pick<RelayDefinition, 'connectors' | 'processors' | 'deadLetterQueue'>
      | null,
  ): Promise<ConnectorParts> {
    await this.loaded();
    const journal = journalPort(this.#options.journalOf(pipeline));
    const { files } = await this.#modules();
    // Whoever opens the pipeline may name modules of his own where there are none here.
    const modules = files.length === 0 ? {} : { connectorModules: files };
    if (relay === null) return { request: { journal, ...modules }, release: () => {} };
    const { deadLetterFolder } = this.#options;
    const service = await this.#schemas();
    const token = service.issueToken();
    const { target } = service;
    const references = [...relay.connectors.map(({ plugin }) => plugin), relay.deadLetterQueue.plugin];
    return {
      request: {
        journal,
        ...modules,
        plugins: this.#bindings(references, { target, token }),
        processorFiles: this.#processorFiles(processorsOf(relay)),
        ...(deadLetterFolder === null ? {} : { deadLetterFolder }),
        schemas: { target, token },
      },
      release: () => service.revokeToken(token),
    };
  }

  #bindings(references: readonly string[], { target, token }: SchemaAccess): Readonly<Record<string, PluginBinding>> {
    const bindings: Record<string, PluginBinding> = {};
    for (const reference of references) {
      const path = findPlugin(this.#plugins, reference)?.path ?? null;
      if (path === null) continue;
      bindings[reference] = { path, token, schema_service: target };
    }
    return bindings;
  }

  #processorFiles(processors: readonly Pick<RelayProcessor, 'plugin'>[]): ProcessorFiles {
    const files: Record<string, string> = {};
    for (const { plugin } of processors) {
      const path = findPlugin(this.#processors, plugin)?.path ?? null;
      if (path !== null) files[plugin] = resolve(path);
    }
    return files;
  }

  async close(): Promise<void> {
    await this.#loading?.catch(() => {});
    await (await this.#schemaService)?.close();
  }
}

export interface LoadedPlugins {
  readonly plugins: readonly PluginSpecification[];
  /** Files that are no plugins, or whose plugins cannot be used. */
  readonly problems: readonly PluginProblem[];
}

export interface PluginFolder {
  /** null: there is none. */
  readonly folder: string | null;
  readonly cacheFile: string | null;
  readonly clock: Clock;
}

/** What is built in, and the plugin processes of a folder where one is given. `version`: of Millrace. */
export async function loadPlugins(
  registry: ConnectorRegistry,
  version: string,
  { folder, cacheFile, clock }: PluginFolder,
): Promise<LoadedPlugins> {
  const { discoverPlugins } = await import('../../../connectors/standalone/plugin-catalog.ts');
  const found = folder === null ? { plugins: [], problems: [] } : await discoverPlugins({ folder, cacheFile, clock });
  return {
    plugins: [...builtInPlugins(registry, version), ...found.plugins.map(standalonePlugin)],
    problems: found.problems,
  };
}

/** The connector knows no such events: it has nothing to clean up. */
function isWithoutEvents(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : null;
  return code === 'plugin.has_no_events' || code === 'connector.events_unimplemented';
}
