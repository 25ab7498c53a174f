// Pipelines, connectors, processors and dead-letter queues as `/v1` shows them: camel case, every field there, enums by name,
// 64-bit integers as text, times in UTC. Settings are shown as they stand, secrets masked.
//
// A pipeline with SQL is shown too: its connectors are those of its program, and cannot be changed here.
import type { ErrorData } from '../../../runtime/errors.ts';
import type { DeadLetterQueue } from '../../relay-definition.ts';
import type { ConnectorStatus } from '../../supervisor/messages.ts';
import type { HostedPipeline } from '../hosting/hosted-pipeline.ts';
import type { HostedConnector, HostedProcessor } from '../hosting/relay-pipeline.ts';
import { maskSettings } from './masked-settings.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

export type V1Status =
  | 'STATUS_RUNNING'
  | 'STATUS_STOPPED'
  | 'STATUS_DEGRADED'
  | 'STATUS_RECOVERING'
  /** Of our own: plugins are being started, configured and opened. */
  | 'STATUS_STARTING';

export interface V1State {
  readonly status: V1Status;
  readonly error: string;
  readonly stoppedReason: 'STOPPED_REASON_UNSPECIFIED' | 'STOPPED_REASON_USER' | 'STOPPED_REASON_SYSTEM';
}

export function pipelineState(pipeline: HostedPipeline): V1State {
  const { record, deployment } = pipeline;
  const error = record.deploymentError?.message ?? '';
  const state = (
    status: V1Status,
    text: string,
    reason: 'UNSPECIFIED' | 'USER' | 'SYSTEM' = 'UNSPECIFIED',
  ): V1State => ({
    status,
    error: text,
    stoppedReason: `STOPPED_REASON_${reason}`,
  });
  if (record.resources === 'Stopped' && record.desired === 'Stopped') {
    const isDegraded = record.deploymentError !== null && record.isStoppedByUser !== true;
    return isDegraded ? state('STATUS_DEGRADED', error) : state('STATUS_STOPPED', error, 'USER');
  }
  if (record.resources === 'Stopping') return state('STATUS_RUNNING', error);
  const connectors = deployment?.status.connectors ?? [];
  const broken = connectors.find(({ error: found, state: of }) => found !== null && of !== 'ended' && of !== 'stopped');
  if (broken !== undefined) {
    return state('STATUS_RECOVERING', `${broken.endpoint}: ${causes(broken)}`);
  }
  const isStarting =
    record.resources !== 'Provisioned' ||
    record.runtime === null ||
    record.runtime === 'Initializing' ||
    connectors.some(({ state: of }) => of === 'created' || of === 'opening');
  return state(isStarting ? 'STATUS_STARTING' : 'STATUS_RUNNING', latestFailure(connectors));
}

/** Of connectors that run again: their failure is not forgotten with it. */
function latestFailure(connectors: readonly ConnectorStatus[]): string {
  const failed = connectors.filter(({ lastFailure }) => lastFailure !== null);
  const [latest] = failed.sort((a, b) => (b.lastFailure?.time ?? 0) - (a.lastFailure?.time ?? 0));
  if (latest === undefined || latest.lastFailure === null) return '';
  const { error, time } = latest.lastFailure;
  const again = `it runs again, after ${latest.restarts} ${latest.restarts === 1 ? 'restart' : 'restarts'}`;
  return `${latest.endpoint} failed at ${new Date(time).toISOString()}, ${again}: ${messages(error)}`;
}

function causes({ error }: ConnectorStatus): string {
  return error === null ? '' : messages(error);
}

function messages(error: ErrorData): string {
  return [error.message, ...error.causes.map(({ message }) => message)].join('\n');
}

export function pipelineJson(pipeline: HostedPipeline): JsonObject {
  const { record } = pipeline;
  const { relay } = record;
  return {
    id: record.id,
    state: pipelineState(pipeline),
    config: { name: record.source.name, description: record.source.description },
    connectorIds: relay === undefined ? programConnectors(pipeline).map(({ id }) => id) : idsOf(relay.connectors),
    processorIds: idsOf(relay?.processors ?? []),
    createdAt: utc(record.createdAt),
    updatedAt: utc(relay?.updatedAt ?? record.programStatusSince),
  };
}

export function deadLetterQueueJson(queue: DeadLetterQueue, isSecret: (name: string) => boolean): JsonObject {
  return {
    plugin: queue.plugin,
    settings: maskSettings(queue.settings, isSecret),
    windowSize: String(queue.windowSize),
    windowNackThreshold: String(queue.windowNackThreshold),
  };
}

export interface ConnectorView {
  readonly pipeline: HostedPipeline;
  readonly connector: HostedConnector;
  /** Base64; null: none is known. */
  readonly position: string | null;
  readonly isSecret: (name: string) => boolean;
}

export function connectorJson({ pipeline, connector, position, isSecret }: ConnectorView): JsonObject {
  const isSource = connector.type === 'source';
  const positionState = position === null ? {} : { sourceState: { position } };
  return {
    id: connector.id,
    ...(isSource ? positionState : { destinationState: { positions: {} } }),
    config: { name: connector.name, settings: maskSettings(connector.settings, isSecret) },
    type: isSource ? 'TYPE_SOURCE' : 'TYPE_DESTINATION',
    plugin: connector.plugin,
    pipelineId: pipeline.record.id,
    processorIds: idsOf(connector.processors),
    state: connectorState(pipeline, connector.id),
    createdAt: utc(connector.createdAt),
    updatedAt: utc(connector.updatedAt),
  };
}

/** Of our own: what the connector itself does, and why it does not. */
function connectorState(pipeline: HostedPipeline, id: string): JsonObject {
  const connectors = pipeline.deployment?.status.connectors ?? pipeline.connectorsAtEnd;
  const found = connectors.find(({ endpoint, name }) => endpoint === id || name === id);
  if (found === undefined) return { status: 'stopped', error: '', restarts: 0, lastFailure: null };
  const { state: status, restarts, lastFailure } = found;
  return {
    status,
    error: causes(found),
    restarts,
    lastFailure:
      lastFailure === null
        ? null
        : {
            error: messages(lastFailure.error),
            code: lastFailure.error.code,
            at: new Date(lastFailure.time).toISOString(),
          },
  };
}

export interface ProcessorParent {
  readonly type: 'TYPE_CONNECTOR' | 'TYPE_PIPELINE';
  readonly id: string;
}

export function processorJson(
  processor: HostedProcessor,
  parent: ProcessorParent,
  isSecret: (name: string) => boolean,
): JsonObject {
  return {
    id: processor.id,
    config: { settings: maskSettings(processor.settings, isSecret), workers: processor.workers },
    condition: processor.condition,
    plugin: processor.plugin,
    parent,
    createdAt: utc(processor.createdAt),
    updatedAt: utc(processor.updatedAt),
  };
}

/** The connectors that a program declares, in the form of those of a pipeline without one. */
export function programConnectors(pipeline: HostedPipeline): readonly HostedConnector[] {
  const { record } = pipeline;
  const info = record.programInfo;
  if (typeof info !== 'object' || info === null) return [];
  const read = (type: HostedConnector['type'], declared: unknown): HostedConnector[] =>
    Object.entries(Object(declared)).map(([endpoint, definition]) => {
      const { transport } = Object(definition);
      return {
        id: `${record.id}:${endpoint}`,
        type,
        plugin: `builtin:${String(Object(transport).name)}`,
        name: endpoint,
        settings: flatSettings(Object(transport).config),
        processors: [],
        createdAt: record.createdAt,
        updatedAt: record.programStatusSince,
      };
    });
  return [
    ...read('source', 'input_connectors' in info ? info.input_connectors : {}),
    ...read('destination', 'output_connectors' in info ? info.output_connectors : {}),
  ];
}

function flatSettings(value: unknown, prefix = ''): Readonly<Record<string, string>> {
  const flat: Record<string, string> = {};
  for (const [key, item] of Object.entries(Object(value))) {
    const name = prefix === '' ? key : `${prefix}.${key}`;
    if (typeof item === 'object' && item !== null && !Array.isArray(item))
      Object.assign(flat, flatSettings(item, name));
    else flat[name] = typeof item === 'string' ? item : JSON.stringify(item);
  }
  return flat;
}

function idsOf(items: readonly { readonly id: string }[]): readonly string[] {
  return items.map(({ id }) => id);
}

/** Ours ends with an offset, that of `/v1` with a Z. */
function utc(time: string): string {
  return time.replace('+00:00', 'Z');
}
