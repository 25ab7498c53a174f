// A pipeline without SQL as the server keeps it beside the rest of its record: connectors, processors and the dead-letter
// queue with their dates, and who may change them. Plain JSON; what runs is made of it by `relayDefinition`.
//
// Ids are unique in the whole server. What was provisioned from a file is changed by that file alone.

import type { RelayConnector, RelayDefinition, RelayProcessor } from '../../relay-definition.ts';
import type { PipelineRecord, PipelineSource } from './pipeline-record.ts';
import type { HostedConnector, HostedProcessor, RelayPipeline } from './relay-record.ts';
import { readRuntimeConfiguration } from './runtime-configuration.ts';

/** What the rest of a record says of a pipeline without a program. */
export function relaySource(name: string, description: string): PipelineSource {
  return {
    name,
    description,
    tags: [],
    runtimeConfig: readRuntimeConfiguration(undefined),
    programCode: '',
    udfRust: '',
    udfToml: '',
    programConfig: { profile: null, cache: true, runtime_version: null, use_platform_compiler: false },
  };
}

/** What the control thread is given. `record` is that of a pipeline without SQL. */
export function relayDefinition(record: PipelineRecord, relay: RelayPipeline): RelayDefinition {
  return {
    id: record.id,
    name: record.source.name,
    description: record.source.description,
    connectors: relay.connectors.map(relayConnector),
    processors: relay.processors.map(relayProcessor),
    deadLetterQueue: relay.deadLetterQueue,
    ...(relay.errorRecovery === undefined ? {} : { errorRecovery: relay.errorRecovery }),
  };
}

export function relayConnector(connector: HostedConnector): RelayConnector {
  const { createdAt: _, updatedAt: __, processors, ...rest } = connector;
  return { ...rest, processors: processors.map(relayProcessor) };
}

export function relayProcessor(processor: HostedProcessor): RelayProcessor {
  const { createdAt: _, updatedAt: __, ...rest } = processor;
  return rest;
}

/** With one connector in the place of that of its id, or behind the others. */
export function withConnector(relay: RelayPipeline, connector: HostedConnector): RelayPipeline {
  return { ...relay, updatedAt: connector.updatedAt, connectors: replaced(relay.connectors, connector) };
}

export function withoutConnector(relay: RelayPipeline, id: string, now: string): RelayPipeline {
  return { ...relay, updatedAt: now, connectors: relay.connectors.filter((connector) => connector.id !== id) };
}

/** `parent`: the id of a connector; null: the pipeline itself. */
export function withProcessor(relay: RelayPipeline, parent: string | null, processor: HostedProcessor): RelayPipeline {
  const { updatedAt } = processor;
  if (parent === null) return { ...relay, updatedAt, processors: replaced(relay.processors, processor) };
  const connectors = relay.connectors.map((connector) =>
    connector.id === parent
      ? { ...connector, updatedAt, processors: replaced(connector.processors, processor) }
      : connector,
  );
  return { ...relay, updatedAt, connectors };
}

export function withoutProcessor(relay: RelayPipeline, id: string, now: string): RelayPipeline {
  const isOther = (processor: HostedProcessor): boolean => processor.id !== id;
  const connectors = relay.connectors.map((connector) =>
    connector.processors.every(isOther)
      ? connector
      : { ...connector, updatedAt: now, processors: connector.processors.filter(isOther) },
  );
  return { ...relay, updatedAt: now, connectors, processors: relay.processors.filter(isOther) };
}

function replaced<T extends { readonly id: string }>(items: readonly T[], item: T): readonly T[] {
  const isKnown = items.some(({ id }) => id === item.id);
  return isKnown ? items.map((other) => (other.id === item.id ? item : other)) : [...items, item];
}
