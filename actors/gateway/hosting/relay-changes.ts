// What a definition of a pipeline without SQL would change of the one that is there: the pipeline as it would be stored, and
// the list of changes. Pure. Dates of what stays stay; a connector whose type changes is another one.
import { isDeepStrictEqual } from 'node:util';
import {
  deadLettersOf,
  type RelayConnector,
  type RelayDefinition,
  type RelayProcessor,
} from '../../relay-definition.ts';
import { relayConnector, relayProcessor } from './relay-pipeline.ts';
import type { HostedConnector, HostedProcessor, RelayPipeline } from './relay-record.ts';

export interface RelayChange {
  readonly resource: 'pipeline' | 'connector' | 'processor' | 'dead_letter_queue';
  readonly id: string;
  readonly action: 'create' | 'update' | 'delete';
  /** What differs, such as `settings.path`; empty where the whole thing comes or goes. */
  readonly paths: readonly string[];
}

/** What is there: name and description beside the rest. */
export interface RelayState {
  readonly name: string;
  readonly description: string;
  readonly relay: RelayPipeline;
}

export function relayFrom(
  definition: RelayDefinition,
  before: RelayPipeline | undefined,
  provisionedBy: RelayPipeline['provisionedBy'],
  now: string,
): RelayPipeline {
  const processors = (wanted: readonly RelayProcessor[], old: readonly HostedProcessor[]): HostedProcessor[] =>
    wanted.map((processor) => {
      const same = old.find(({ id }) => id === processor.id);
      if (same === undefined) return { ...processor, createdAt: now, updatedAt: now };
      if (isDeepStrictEqual(relayProcessor(same), processor)) return same;
      return { ...processor, createdAt: same.createdAt, updatedAt: now };
    });
  const connectors = definition.connectors.map((connector): HostedConnector => {
    const same = before?.connectors.find(({ id, type }) => id === connector.id && type === connector.type);
    const dated = processors(connector.processors, same?.processors ?? []);
    if (same === undefined) return { ...connector, processors: dated, createdAt: now, updatedAt: now };
    if (isDeepStrictEqual(relayConnector(same), connector)) return same;
    return { ...connector, processors: dated, createdAt: same.createdAt, updatedAt: now };
  });
  const { deadLetterQueue, errorRecovery } = definition;
  return {
    provisionedBy,
    updatedAt: now,
    connectors,
    processors: processors(definition.processors, before?.processors ?? []),
    deadLetterQueue,
    ...(errorRecovery === undefined ? {} : { errorRecovery }),
  };
}

/** Connectors that would be gone, one of another type under the same id among them. */
export function goneConnectors(before: RelayPipeline, after: RelayPipeline | null): readonly HostedConnector[] {
  return before.connectors.filter(
    (old) => after?.connectors.some(({ id, type }) => id === old.id && type === old.type) !== true,
  );
}

export function relayChanges(before: RelayState | undefined, after: RelayDefinition): readonly RelayChange[] {
  const changes: RelayChange[] = [];
  if (before === undefined) changes.push({ resource: 'pipeline', id: after.id, action: 'create', paths: [] });
  else {
    const paths = (['name', 'description'] as const).filter((key) => before[key] !== after[key]);
    if (paths.length > 0) changes.push({ resource: 'pipeline', id: after.id, action: 'update', paths });
    const queuePaths = differences(before.relay.deadLetterQueue, after.deadLetterQueue);
    if (queuePaths.length > 0) {
      changes.push({ resource: 'dead_letter_queue', id: deadLettersOf(after.id), action: 'update', paths: queuePaths });
    }
  }
  const old = before?.relay.connectors.map(relayConnector) ?? [];
  for (const connector of after.connectors) {
    const same = old.find(({ id }) => id === connector.id);
    if (same !== undefined && same.type !== connector.type) {
      changes.push({ resource: 'connector', id: same.id, action: 'delete', paths: [] });
    }
    changes.push(...itemChange('connector', same?.type === connector.type ? same : undefined, connector));
    changes.push(...listChanges(same?.processors ?? [], connector.processors));
  }
  for (const { id, processors } of old.filter(({ id }) => after.connectors.every((other) => other.id !== id))) {
    changes.push(...listChanges(processors, []), { resource: 'connector', id, action: 'delete', paths: [] });
  }
  return [...changes, ...listChanges(before?.relay.processors.map(relayProcessor) ?? [], after.processors)];
}

function listChanges(before: readonly RelayProcessor[], after: readonly RelayProcessor[]): readonly RelayChange[] {
  return [
    ...after.flatMap((processor) =>
      itemChange(
        'processor',
        before.find(({ id }) => id === processor.id),
        processor,
      ),
    ),
    ...before
      .filter(({ id }) => after.every((other) => other.id !== id))
      .map(({ id }): RelayChange => ({ resource: 'processor', id, action: 'delete', paths: [] })),
  ];
}

function itemChange<T extends RelayConnector | RelayProcessor>(
  resource: 'connector' | 'processor',
  before: T | undefined,
  after: T,
): readonly RelayChange[] {
  if (before === undefined) return [{ resource, id: after.id, action: 'create', paths: [] }];
  const paths = differences({ ...before, processors: [] }, { ...after, processors: [] });
  return paths.length === 0 ? [] : [{ resource, id: after.id, action: 'update', paths }];
}

/** Keys whose values differ; those of settings one by one. */
function differences(before: object, after: object): readonly string[] {
  const a = new Map<string, unknown>(Object.entries(before));
  const b = new Map<string, unknown>(Object.entries(after));
  return [...new Set([...a.keys(), ...b.keys()])].flatMap((key) => {
    if (isDeepStrictEqual(a.get(key), b.get(key))) return [];
    if (key !== 'settings') return [key];
    return differences(Object(a.get(key)), Object(b.get(key))).map((name) => `settings.${name}`);
  });
}
