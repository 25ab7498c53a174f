// The plugins of a server: what there is, whether one takes a configuration, and what one is told when its connector is deleted.
//
// Loaded once, after the server listens: the registry is large, and every plugin process has to be asked once what it is.
import type { ConnectorRegistry } from '../../../connectors/sdk/connector.ts';
import type { LifecycleJournal } from '../../lifecycle-journal.ts';
import type { HostedPipeline } from './hosted-pipeline.ts';
import {
  builtInPlugins,
  type PluginParameters,
  type PluginSpecification,
  pluginParameters,
} from './plugin-specification.ts';
import type { HostedConnector } from './relay-pipeline.ts';

export interface ProcessorSpecification {
  /** `json.decode` */
  readonly name: string;
  readonly version: string;
  readonly summary: string;
  readonly description: string;
  readonly author: string;
  readonly parameters: PluginParameters;
}

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
  /** What is remembered of the connectors of a pipeline, by its id. */
  readonly journalOf: (pipeline: string) => LifecycleJournal;
}

export class ConnectorPlugins {
  readonly #options: ConnectorPluginsOptions;
  #loading: Promise<void> | null = null;
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

  list(): readonly PluginSpecification[] {
    return this.#plugins;
  }

  processors(): readonly ProcessorSpecification[] {
    return this.#processors;
  }

  /** Configures and tears down a fresh instance. @throws HttpProblem when it refuses */
  async validate(_trial: ConfigurationTrial): Promise<void> {}

  /** It is gone from its pipeline already; its plugin is told, now or later. Never rejects. */
  async connectorDeleted(_pipeline: HostedPipeline, _connector: HostedConnector): Promise<void> {}

  /** Base64 of the position up to which a source has been acknowledged; null: none. */
  async position(pipeline: HostedPipeline, connector: string): Promise<string | null> {
    const marks = await this.#options.journalOf(pipeline.record.id).positions();
    const position = marks.find((mark) => mark.connector === connector)?.position;
    if (typeof position !== 'object' || position === null) return null;
    // Sources of records say where they stand in bytes, others in JSON.
    const text = 'record' in position ? position.record : undefined;
    return typeof text === 'string' ? text : Buffer.from(JSON.stringify(position)).toString('base64');
  }

  async #load(): Promise<void> {
    const { version, loadRegistry } = this.#options;
    const registry = await loadRegistry();
    this.#plugins = builtInPlugins(registry, version);
    this.#processors = registry.processors.map((definition) => ({
      name: definition.name,
      version: `v${version}`,
      summary: definition.summary,
      description: definition.description ?? definition.summary,
      author: 'Millrace',
      parameters: pluginParameters(definition.parameters),
    }));
  }
}
