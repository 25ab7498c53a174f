// One pipeline of a pipeline file: its fields by version, its defaults, ids as the whole server knows them
// (`pipeline:connector`, `pipeline:connector:processor`).
//
// What Conduit warns of and passes over, a field that it does not know, is an error here, unless the file says that it is of a
// version behind the latest that is known. `labels`, `start-after` and `paused` of connectors are of our own.
import { ConfigInvalidValue } from '../../../connectors/sdk/configuration-errors.ts';
import {
  type DeadLetterQueue,
  defaultDeadLetterQueue,
  type RelayConnector,
  type RelayDefinition,
  type RelayProcessor,
} from '../../relay-definition.ts';
import { FileIdDuplicate } from './file-errors.ts';
import type { FileVersion } from './file-version.ts';
import type { YamlNode } from './yaml-node.ts';

export interface FilePipeline {
  readonly definition: RelayDefinition;
  readonly status: 'running' | 'stopped';
  readonly node: YamlNode;
  /** Nothing in it is wrong. */
  readonly isValid: boolean;
  /** Nodes of the settings of each connector and processor, and of 'dlq', by id. */
  readonly settings: ReadonlyMap<string, YamlNode>;
  /** Nodes of the plugins, likewise. */
  readonly plugins: ReadonlyMap<string, YamlNode>;
  /** Nodes of the conditions of processors, likewise. */
  readonly conditions: ReadonlyMap<string, YamlNode>;
}

const pipelineIdMax = 128;
const nameMax = 128;
const descriptionMax = 8_192;
const connectorIdMax = 256;
const idPattern = /^[A-Za-z0-9\-_:.]*$/;

const pipelineFields = ['id', 'status', 'name', 'description', 'connectors', 'processors', 'dead-letter-queue'];
const connectorFields = ['id', 'type', 'plugin', 'name', 'settings', 'processors', 'labels', 'start-after', 'paused'];
const processorFields = ['id', 'type', 'plugin', 'condition', 'settings', 'workers'];
const queueFields = ['plugin', 'settings', 'window-size', 'window-nack-threshold'];

/** `idOf`: in the old form things are keyed by their id. null: not even the id can be read. */
export function readPipeline(node: YamlNode, keyedId: string | null, version: FileVersion): FilePipeline | null {
  return new PipelineReading(version).read(node, keyedId);
}

class PipelineReading {
  readonly #version: FileVersion;
  readonly #settings = new Map<string, YamlNode>();
  readonly #plugins = new Map<string, YamlNode>();
  readonly #conditions = new Map<string, YamlNode>();

  constructor(version: FileVersion) {
    this.#version = version;
  }

  read(node: YamlNode, keyedId: string | null): FilePipeline | null {
    const problemsBefore = node.problemCount;
    const fields = node.fields(pipelineFields, { owner: 'a pipeline', isLenient: this.#version.isNewer });
    const id = this.#id(node, fields.get('id'), keyedId, 'a pipeline', pipelineIdMax);
    if (id === null) return null;
    const status = fields.get('status')?.textOf(['running', 'stopped'], 'running') ?? 'running';
    const connectors = this.#children(fields.get('connectors'), 'connectors').map(([key, child]) =>
      this.#connector(child, key, id),
    );
    const definition: RelayDefinition = {
      id,
      name: limited(fields.get('name'), nameMax) || id,
      description: limited(fields.get('description'), descriptionMax),
      connectors: connectors.filter((connector) => connector !== null),
      processors: this.#processors(fields.get('processors'), id),
      deadLetterQueue: this.#deadLetterQueue(fields.get('dead-letter-queue')),
    };
    const isValid = node.problemCount === problemsBefore;
    return {
      definition,
      status,
      node,
      isValid,
      settings: this.#settings,
      plugins: this.#plugins,
      conditions: this.#conditions,
    };
  }

  #connector(node: YamlNode, keyedId: string | null, pipeline: string): RelayConnector | null {
    const owner = 'a connector';
    const fields = node.fields(connectorFields, { owner, isLenient: this.#version.isNewer });
    const id = this.#id(node, fields.get('id'), keyedId, owner, connectorIdMax);
    const typeNode = fields.get('type');
    if (typeNode === undefined) node.missing('type', owner);
    const type = typeNode?.textOf(['source', 'destination'], 'source') ?? 'source';
    const plugin = this.#plugin(node, fields.get('plugin'), owner);
    if (id === null) return null;
    const fullId = `${pipeline}:${id}`;
    const labels = fields.get('labels');
    const startAfter = fields.get('start-after');
    const connector: RelayConnector = {
      id: fullId,
      type,
      plugin,
      name: limited(fields.get('name'), connectorIdMax) || id,
      settings: fields.get('settings')?.texts() ?? {},
      processors: this.#processors(fields.get('processors'), fullId),
      ...(labels === undefined ? {} : { labels: textList(labels) }),
      ...(startAfter === undefined ? {} : { startAfter: textList(startAfter) }),
      ...(fields.get('paused')?.flag() === true ? { paused: true } : {}),
    };
    this.#note(fullId, node, fields);
    return connector;
  }

  #processors(node: YamlNode | undefined, parent: string): readonly RelayProcessor[] {
    return this.#children(node, 'processors').flatMap(([key, child]) => {
      const owner = 'a processor';
      const fields = child.fields(processorFields, { owner, isLenient: this.#version.isNewer });
      const id = this.#id(child, fields.get('id'), key, owner, connectorIdMax);
      const named = fields.get('plugin') ?? fields.get('type');
      if (fields.has('type') && this.#version.hasProcessorPlugin) {
        const context = { place: fields.get('type')?.place };
        const reason = 'is called "plugin" since version 2.2';
        child.warning(new ConfigInvalidValue({ key: 'type', reason }, context));
      }
      const plugin = this.#plugin(child, named, owner);
      if (id === null) return [];
      const fullId = `${parent}:${id}`;
      this.#note(fullId, child, fields);
      return [
        {
          id: fullId,
          plugin,
          settings: fields.get('settings')?.texts() ?? {},
          // A template of the record: nothing of the environment is meant to be in it, and `$x` is a variable of its own.
          condition: fields.get('condition')?.text() ?? '',
          workers: fields.get('workers')?.count(1) || 1,
        },
      ];
    });
  }

  #deadLetterQueue(node: YamlNode | undefined): DeadLetterQueue {
    if (node === undefined || node.isEmpty) return defaultDeadLetterQueue;
    const fields = node.fields(queueFields, { owner: 'a dead-letter queue', isLenient: this.#version.isNewer });
    const plugin = fields.get('plugin')?.text() ?? '';
    const windowSize = fields.get('window-size')?.count(1) ?? defaultDeadLetterQueue.windowSize;
    const threshold = fields.get('window-nack-threshold');
    const windowNackThreshold = threshold?.count(0) ?? defaultDeadLetterQueue.windowNackThreshold;
    if (windowSize > 0 && windowNackThreshold >= windowSize) {
      (threshold ?? node).refuse(`must be less than the window of ${windowSize}`);
    }
    const settings = fields.get('settings')?.texts();
    this.#note('dlq', node, fields);
    return {
      plugin: plugin === '' ? defaultDeadLetterQueue.plugin : plugin,
      settings: settings ?? (plugin === '' ? defaultDeadLetterQueue.settings : {}),
      windowSize,
      windowNackThreshold,
    };
  }

  #plugin(owner: YamlNode, node: YamlNode | undefined, what: string): string {
    const plugin = node?.text() ?? '';
    if (plugin === '') owner.missing('plugin', what);
    return plugin;
  }

  #id(owner: YamlNode, node: YamlNode | undefined, keyed: string | null, what: string, max: number): string | null {
    const id = keyed ?? node?.text() ?? '';
    if (id === '') {
      owner.missing('id', what);
      return null;
    }
    if (!idPattern.test(id)) (node ?? owner).refuse('may hold letters, digits, and - _ : .');
    if (id.length > max) (node ?? owner).refuse(`is ${id.length} characters long; ${max} are allowed`);
    return id;
  }

  /** A list, or in the old form a mapping by id. Ids that stand twice are problems. */
  #children(node: YamlNode | undefined, what: string): readonly (readonly [key: string | null, node: YamlNode])[] {
    if (node === undefined || node.isEmpty) return [];
    if (this.#version.isKeyed) return [...node.entries()];
    const seen = new Set<string>();
    return node.items().map((child) => {
      const id = child.isMap ? (child.entries().get('id')?.text() ?? '') : '';
      if (id !== '' && seen.has(id)) child.problem(new FileIdDuplicate({ what, id }, { place: child.place }));
      seen.add(id);
      return [null, child] as const;
    });
  }

  #note(id: string, node: YamlNode, fields: ReadonlyMap<string, YamlNode>): void {
    this.#settings.set(id, fields.get('settings') ?? node);
    this.#plugins.set(id, fields.get('plugin') ?? fields.get('type') ?? node);
    this.#conditions.set(id, fields.get('condition') ?? node);
  }
}

function limited(node: YamlNode | undefined, max: number): string {
  const text = node?.text() ?? '';
  if ([...text].length > max) node?.refuse(`is ${[...text].length} characters long; ${max} are allowed`);
  return text;
}

function textList(node: YamlNode): readonly string[] {
  return node.isList ? node.items().map((item) => item.text()) : [node.text()];
}
