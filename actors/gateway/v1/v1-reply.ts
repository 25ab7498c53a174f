// Pipelines, connectors, processors and dead-letter queues as `/v1` shows them: camel case, every field there, enums by name,
// 64-bit integers as text, times in UTC. Settings are shown as they stand, secrets masked.
//
// A pipeline with SQL is shown too: its connectors are those of its program, and cannot be changed here.
import type { ErrorData } from '../../../runtime/errors.ts';
import type { DeadLetterQueue } from '../../relay-definition.ts';
import type { AwaitedCall, ConnectorStatus } from '../../supervisor/messages.ts';
import type { HostedPipeline } from '../hosting/hosted-pipeline.ts';
import type { HostedConnector, HostedProcessor } from '../hosting/relay-record.ts';
import {
  byName,
  list,
  moment,
  object,
  oneOf,
  orNull,
  type Shape,
  type Shaped,
  text,
  whole,
} from '../http/reply-shape.ts';
import { maskSettings } from './masked-settings.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** What is waited for from a connector while a pipeline starts or stops, and when that is given up. */
const awaitedShape = object({ call: text, since: moment, until: moment });
const pipeline = object({
  id: text,
  state: object(
    {
      status: oneOf('STATUS_RUNNING', 'STATUS_STOPPED', 'STATUS_DEGRADED', 'STATUS_RECOVERING', 'STATUS_STARTING'),
      error: text,
      stoppedReason: oneOf('STOPPED_REASON_UNSPECIFIED', 'STOPPED_REASON_USER', 'STOPPED_REASON_SYSTEM'),
    },
    { stopping: object({ waitsFor: list(object({ connectorId: text, call: text, since: moment, until: moment })) }) },
  ),
  config: object({ name: text, description: text }),
  connectorIds: list(text),
  processorIds: list(text),
  createdAt: moment,
  updatedAt: moment,
});
const settings = byName(text);
const queue = object({ plugin: text, settings, windowSize: text, windowNackThreshold: text });
/** Whether it answers: a source that is quiet may be idle. */
const healthShape = object({ status: oneOf('ok', 'quiet', 'stalled'), since: orNull(moment), reason: text });
const ownState = object({
  status: text,
  error: text,
  restarts: whole,
  lastFailure: orNull(object({ error: text, code: text, at: moment })),
  health: healthShape,
  awaited: orNull(awaitedShape),
});
const connectorType = oneOf('TYPE_SOURCE', 'TYPE_DESTINATION');
const connector = object(
  {
    id: text,
    config: object({ name: text, settings }),
    type: connectorType,
    plugin: text,
    pipelineId: text,
    processorIds: list(text),
    state: ownState,
    createdAt: moment,
    updatedAt: moment,
  },
  {
    sourceState: object({ position: text }),
    destinationState: object({ positions: byName(text) }),
  },
);
const processor = object({
  id: text,
  config: object({ settings, workers: whole }),
  condition: text,
  plugin: text,
  parent: object({ type: oneOf('TYPE_CONNECTOR', 'TYPE_PIPELINE'), id: text }),
  createdAt: moment,
  updatedAt: moment,
});

export const pipelineShape: Shape<unknown> = pipeline;
export const queueShape: Shape<unknown> = queue;
export const connectorTypeShape: Shape<'TYPE_SOURCE' | 'TYPE_DESTINATION'> = connectorType;
export const connectorShape: Shape<unknown> = connector;
export const processorShape: Shape<unknown> = processor;

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
  /** It is being stopped. */
  readonly stopping?: { readonly waitsFor: readonly (AwaitedJson & { readonly connectorId: string })[] };
}

interface AwaitedJson {
  readonly call: string;
  readonly since: string;
  readonly until: string;
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
  const connectors = deployment?.status.connectors ?? [];
  if (record.resources === 'Stopping') {
    const waitsFor = connectors.flatMap(({ endpoint: connectorId, awaited }) =>
      awaited === null ? [] : [{ connectorId, ...awaitedJson(awaited) }],
    );
    return { ...state('STATUS_RUNNING', error), stopping: { waitsFor } };
  }
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

export function pipelineJson(hosted: HostedPipeline): JsonObject {
  const { record } = hosted;
  const { relay } = record;
  return {
    id: record.id,
    state: pipelineState(hosted),
    config: { name: record.source.name, description: record.source.description },
    connectorIds: relay === undefined ? programConnectors(hosted).map(({ id }) => id) : idsOf(relay.connectors),
    processorIds: idsOf(relay?.processors ?? []),
    createdAt: utc(record.createdAt),
    updatedAt: utc(relay?.updatedAt ?? record.programStatusSince),
  } satisfies Shaped<typeof pipeline>;
}

export function deadLetterQueueJson(
  { plugin, settings: given, windowSize, windowNackThreshold }: DeadLetterQueue,
  isSecret: (name: string) => boolean,
): JsonObject {
  return {
    plugin,
    settings: maskSettings(given, isSecret),
    windowSize: String(windowSize),
    windowNackThreshold: String(windowNackThreshold),
  } satisfies Shaped<typeof queue>;
}

export interface ConnectorView {
  readonly pipeline: HostedPipeline;
  readonly connector: HostedConnector;
  /** Base64; null: none is known. */
  readonly position: string | null;
  readonly isSecret: (name: string) => boolean;
}

export function connectorJson({ pipeline: hosted, connector: shown, position, isSecret }: ConnectorView): JsonObject {
  const isSource = shown.type === 'source';
  // As in Conduit, a destination has no state of its own: its records are confirmed one by one.
  const positionState = position === null || !isSource ? {} : { sourceState: { position } };
  return {
    id: shown.id,
    ...positionState,
    config: { name: shown.name, settings: maskSettings(shown.settings, isSecret) },
    type: isSource ? 'TYPE_SOURCE' : 'TYPE_DESTINATION',
    plugin: shown.plugin,
    pipelineId: hosted.record.id,
    processorIds: idsOf(shown.processors),
    state: connectorState(hosted, shown.id),
    createdAt: utc(shown.createdAt),
    updatedAt: utc(shown.updatedAt),
  } satisfies Shaped<typeof connector>;
}

/** Of our own: what the connector itself does, and why it does not. */
function connectorState(hosted: HostedPipeline, id: string): Shaped<typeof ownState> {
  const connectors = hosted.deployment?.status.connectors ?? hosted.connectorsAtEnd;
  const found = connectors.find(({ endpoint, name }) => endpoint === id || name === id);
  if (found === undefined)
    return { status: 'stopped', error: '', restarts: 0, lastFailure: null, health: healthJson(null), awaited: null };
  const { state: status, restarts, lastFailure, health, awaited } = found;
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
    health: healthJson(health),
    awaited: awaited === null ? null : awaitedJson(awaited),
  };
}

function awaitedJson({ call, since, until }: AwaitedCall): AwaitedJson {
  return { call, since: new Date(since).toISOString(), until: new Date(until).toISOString() };
}

function healthJson(health: ConnectorStatus['health'] | null): Shaped<typeof healthShape> {
  if (health === null || health.since === null) return { status: 'ok', since: null, reason: '' };
  return { ...health, since: new Date(health.since).toISOString() };
}

export interface ProcessorParent {
  readonly type: 'TYPE_CONNECTOR' | 'TYPE_PIPELINE';
  readonly id: string;
}

export function processorJson(
  shown: HostedProcessor,
  parent: ProcessorParent,
  isSecret: (name: string) => boolean,
): JsonObject {
  return {
    id: shown.id,
    config: { settings: maskSettings(shown.settings, isSecret), workers: shown.workers },
    condition: shown.condition,
    plugin: shown.plugin,
    parent,
    createdAt: utc(shown.createdAt),
    updatedAt: utc(shown.updatedAt),
  } satisfies Shaped<typeof processor>;
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
