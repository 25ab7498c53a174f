// Whether the plugins that a pipeline file names exist and take their settings, before anything is started: every problem with
// its place and the nearest name. A plugin process that is not known here (no folder of connectors was given) is a warning: the server
// that runs the file may have it.
import {
  ConfigInvalidValue,
  ConfigMissingKey,
  ConfigNeedsTable,
  ConfigUnknownKey,
} from '../../../connectors/sdk/configuration-errors.ts';
import type { ConnectorRegistry } from '../../../connectors/sdk/connector.ts';
import { isSecret } from '../../../connectors/sdk/secret-settings.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { type CodedErrorClass, defineError, type MillraceError, type Place } from '../../../runtime/errors.ts';
import { processorProblems } from '../../processor-opening.ts';
import type { RelayProcessor } from '../../relay-definition.ts';
import {
  findPlugin,
  fullName,
  isBuiltIntoConduit,
  nearestPlugin,
  type PluginParameters,
  type PluginSpecification,
  parameterOf,
  readReference,
} from '../hosting/plugin-specification.ts';
import type { ProcessorSpecification } from '../hosting/processor-specification.ts';
import { checkSettings } from '../hosting/settings-check.ts';
import type { FilePipeline } from './read-pipeline.ts';
import type { YamlNode } from './yaml-node.ts';

export const FilePluginUnknown: CodedErrorClass<{ readonly plugin: string; readonly what: string }> = defineError(
  'config.unknown_plugin',
  { help: '`millrace connector-plugins list` and `millrace processor-plugins list` show what there is.' },
  (f) => `there is no ${f.what} plugin "${f.plugin}"`,
);

export const FilePluginUnchecked: CodedErrorClass<{ readonly plugin: string }> = defineError(
  'config.unchecked_plugin',
  {
    help: 'Give the folder of the plugins with --connectors, of processors with --processors, to have its settings checked.',
  },
  (f) => `the plugin "${f.plugin}" is not built in: its settings are not checked`,
);

export const FilePluginElsewhere: CodedErrorClass<{ readonly plugin: string; readonly name: string }> = defineError(
  'config.plugin_not_installed',
  { help: 'Build it with `go build` into the folder of plugins (--connectors); the file stays as it is.' },
  (f) => `"${f.plugin}" is built into Conduit; here it is a plugin, github.com/ConduitIO/conduit-connector-${f.name}`,
);

export const FilePluginRole: CodedErrorClass<{ readonly plugin: string; readonly type: string }> = defineError(
  'config.plugin_role',
  { help: 'Use the plugin as what it is, or choose another one.' },
  (f) => `${f.plugin} is no ${f.type}`,
);

export interface KnownPlugins {
  readonly connectors: readonly PluginSpecification[];
  readonly processors: readonly ProcessorSpecification[];
  readonly registry: Pick<ConnectorRegistry, 'processors' | 'sources' | 'destinations'>;
  readonly clock: Clock;
  readonly baseFolder: string;
  /** Plugin processes are among them: what is not there does not exist. */
  readonly isComplete: boolean;
  /** The same of WebAssembly processors. */
  readonly areProcessorsComplete: boolean;
}

export interface PluginFindings {
  readonly problems: readonly MillraceError[];
  readonly warnings: readonly MillraceError[];
}

interface Used {
  /** Under which the places are kept. */
  readonly key: string;
  readonly plugin: string;
  readonly settings: Readonly<Record<string, string>>;
}

export async function checkPlugins(pipeline: FilePipeline, known: KnownPlugins): Promise<PluginFindings> {
  return await new PluginCheck(pipeline, known).run();
}

class PluginCheck {
  readonly #pipeline: FilePipeline;
  readonly #known: KnownPlugins;
  readonly #problems: MillraceError[] = [];
  readonly #warnings: MillraceError[] = [];

  constructor(pipeline: FilePipeline, known: KnownPlugins) {
    this.#pipeline = pipeline;
    this.#known = known;
  }

  async run(): Promise<PluginFindings> {
    const { connectors, processors, deadLetterQueue } = this.#pipeline.definition;
    for (const { id, type, plugin, settings, processors: own } of connectors) {
      this.#connector(type, { key: id, plugin, settings });
      for (const processor of own) await this.#processor(processor);
    }
    for (const processor of processors) await this.#processor(processor);
    this.#connector('destination', { key: 'dlq', ...deadLetterQueue });
    for (const type of ['source', 'destination'] as const) {
      if (connectors.some((connector) => connector.type === type)) continue;
      const reason = `has no ${type}: it cannot be started`;
      this.#warnings.push(new ConfigInvalidValue({ key: 'connectors', reason }, { place: this.#pipeline.node.place }));
    }
    return { problems: this.#problems, warnings: this.#warnings };
  }

  #connector(type: 'source' | 'destination', used: Used): void {
    if (used.plugin === '') return;
    const { connectors, isComplete } = this.#known;
    const plugin = findPlugin(connectors, used.plugin);
    const place = (this.#pipeline.plugins.get(used.key) ?? this.#pipeline.node).place;
    if (plugin === undefined) {
      const isElsewhere = isBuiltIntoConduit(used.plugin);
      if (!isComplete && (isElsewhere || readReference(used.plugin).kind !== 'builtin')) {
        this.#warnings.push(new FilePluginUnchecked({ plugin: used.plugin }, { place }));
        return;
      }
      const { kind, name } = readReference(used.plugin);
      if (kind !== 'standalone' && this.#movesRows(name)) {
        this.#problems.push(new ConfigNeedsTable({ plugin: used.plugin, name }, { place }));
        return;
      }
      if (isElsewhere) {
        this.#problems.push(new FilePluginElsewhere({ plugin: used.plugin, name }, { place }));
        return;
      }
      const suggestion = nearestPlugin(connectors, used.plugin);
      this.#problems.push(new FilePluginUnknown({ plugin: used.plugin, what: 'connector' }, { place, suggestion }));
      return;
    }
    const parameters = type === 'source' ? plugin.sourceParameters : plugin.destinationParameters;
    if (parameters === null) this.#problems.push(new FilePluginRole({ plugin: fullName(plugin), type }, { place }));
    else this.#settings(parameters, used, fullName(plugin));
  }

  #movesRows(name: string): boolean {
    const { sources, destinations } = this.#known.registry;
    return (
      sources.some((source) => source.name === name && source.produces !== 'records') ||
      destinations.some((destination) => destination.name === name && destination.accepts !== 'records')
    );
  }

  async #processor(processor: RelayProcessor): Promise<void> {
    const used: Used = { key: processor.id, plugin: processor.plugin, settings: processor.settings };
    if (used.plugin === '') return;
    const { processors, areProcessorsComplete } = this.#known;
    const found = findPlugin(processors, used.plugin);
    if (found !== undefined) {
      const before = this.#problems.length;
      this.#settings(found.parameters, used, used.plugin);
      const placed = found.path === null ? processor : { ...processor, file: found.path };
      await this.#chain(placed, this.#problems.length === before);
      return;
    }
    const { place } = this.#pipeline.plugins.get(used.key) ?? this.#pipeline.node;
    const suggestion = nearestPlugin(processors, used.plugin);
    const { kind } = readReference(used.plugin);
    if (!areProcessorsComplete && (kind === 'standalone' || (kind === 'any' && suggestion === undefined))) {
      this.#warnings.push(new FilePluginUnchecked({ plugin: used.plugin }, { place }));
      return;
    }
    this.#problems.push(new FilePluginUnknown({ plugin: used.plugin, what: 'processor' }, { place, suggestion }));
  }

  /** What only the processor itself can say: templates, references, its condition. Settings that are wrong anyway are told once. */
  async #chain(processor: RelayProcessor, areSettingsGood: boolean): Promise<void> {
    const { settings, conditions, node } = this.#pipeline;
    const { id } = processor;
    const at = settings.get(id) ?? node;
    const condition = (conditions.get(id) ?? node).place;
    const placeOf = ([, part, name]: readonly (string | number)[]): Place => {
      if (part === 'condition') return condition;
      const entries = at.name === 'settings' ? at.entries() : new Map<string, YamlNode>();
      return (entries.get(String(name)) ?? at).place;
    };
    const problems = await processorProblems([processor], this.#known.registry, this.#known, placeOf);
    this.#problems.push(...problems.filter(({ place }) => areSettingsGood || place === condition));
  }

  #settings(parameters: PluginParameters, { key, settings }: Used, owner: string): void {
    const node = this.#pipeline.settings.get(key) ?? this.#pipeline.node;
    const entries = node.name === 'settings' ? node.entries() : new Map();
    const isHidden = (name: string): boolean => isSecret(name, parameterOf(parameters, name)?.secret);
    for (const { setting, kind, message, suggestion } of checkSettings(parameters, settings, isHidden)) {
      const { place } = entries.get(setting) ?? node;
      const context = { place, suggestion };
      if (kind === 'unknown') this.#problems.push(new ConfigUnknownKey({ key: setting, owner }, context));
      else if (kind === 'required') this.#problems.push(new ConfigMissingKey({ key: setting, owner }, context));
      else this.#problems.push(new ConfigInvalidValue({ key: setting, reason: `is wrong: ${message}` }, context));
    }
  }
}
