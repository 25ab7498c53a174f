// Every call of Conduit's gRPC interface, and the route of `/v1` that does it: what both speak of is the same, so that a call is a
// request to that route in other words.
import * as messages from './conduit-messages.ts';
import { type Field, list, type MessageType, message, one } from './proto-message.ts';

export interface GrpcMethod {
  readonly verb: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** With `{id}`, which stands in the request's field of that name. */
  readonly path: string;
  readonly request: MessageType;
  /** Field of the request that is the route's whole body. Default: all but what is in the path. */
  readonly body?: string;
  readonly reply: MessageType;
  /** Field of the reply that the route's whole answer is. Default: the answer is the reply. */
  readonly answer?: string;
  /** The route answers with one reply a line until the caller goes. */
  readonly isStream?: boolean;
}

type Verb = GrpcMethod['verb'];
type Fields = Readonly<Record<string, Field>>;

const nothing = message({});
const id: Fields = { id: one(1) };

/** A call whose answer is one field of its reply. */
function asks(verb: Verb, path: string, request: Fields, answer: string, type: Field, body?: string): GrpcMethod {
  const reply = message({ [answer]: type });
  return { verb, path, request: message(request), reply, answer, ...(body === undefined ? {} : { body }) };
}

function does(verb: Verb, path: string, request: Fields): GrpcMethod {
  return { verb, path, request: message(request), reply: nothing };
}

function streams(path: string): GrpcMethod {
  const reply = message({ record: one(1, messages.record) });
  return { verb: 'GET', path, request: message(id), reply, answer: 'record', isStream: true };
}

const { pipeline, connector, processor } = messages;
const connectorFields: Fields = {
  type: one(1, messages.connectorType),
  plugin: one(2),
  config: one(4, messages.connectorConfig),
};

const pipelineMethods: Readonly<Record<string, GrpcMethod>> = {
  ListPipelines: asks('GET', '/v1/pipelines', { name: one(1) }, 'pipelines', list(1, pipeline)),
  CreatePipeline: asks(
    'POST',
    '/v1/pipelines',
    { config: one(1, messages.pipelineConfig) },
    'pipeline',
    one(1, pipeline),
  ),
  GetPipeline: asks('GET', '/v1/pipelines/{id}', id, 'pipeline', one(1, pipeline)),
  UpdatePipeline: asks(
    ...(['PUT', '/v1/pipelines/{id}'] as const),
    { ...id, config: one(2, messages.pipelineConfig) },
    'pipeline',
    one(1, pipeline),
  ),
  DeletePipeline: does('DELETE', '/v1/pipelines/{id}', id),
  StartPipeline: does('POST', '/v1/pipelines/{id}/start', id),
  StopPipeline: does('POST', '/v1/pipelines/{id}/stop', { ...id, force: one(2, 'flag') }),
  GetDLQ: asks('GET', '/v1/pipelines/{id}/dead-letter-queue', id, 'dlq', one(1, messages.queue)),
  UpdateDLQ: asks(
    ...(['PUT', '/v1/pipelines/{id}/dead-letter-queue'] as const),
    { ...id, dlq: one(2, messages.queue) },
    'dlq',
    one(1, messages.queue),
    'dlq',
  ),
  ExportPipeline: asks('POST', '/v1/pipelines/{id}/export', id, 'pipeline', one(1, pipeline)),
  ImportPipeline: asks(
    'POST',
    '/v1/pipelines/import',
    { pipeline: one(1, pipeline) },
    'pipeline',
    one(1, pipeline),
    'pipeline',
  ),
  PlanPipeline: asks(
    'POST',
    '/v1/pipelines/plan',
    { config: one(1, messages.pipelineDocument) },
    'diff',
    one(1, messages.diff),
  ),
  ApplyPipeline: asks(
    ...(['POST', '/v1/pipelines/apply'] as const),
    { config: one(1, messages.pipelineDocument), hash: one(2) },
    'diff',
    one(1, messages.diff),
  ),
};

const connectorMethods: Readonly<Record<string, GrpcMethod>> = {
  ListConnectors: asks('GET', '/v1/connectors', { pipelineId: one(1) }, 'connectors', list(1, connector)),
  InspectConnector: streams('/v1/connectors/{id}/inspect'),
  GetConnector: asks('GET', '/v1/connectors/{id}', id, 'connector', one(1, connector)),
  CreateConnector: asks(
    'POST',
    '/v1/connectors',
    { ...connectorFields, pipelineId: one(3) },
    'connector',
    one(1, connector),
  ),
  ValidateConnector: does('POST', '/v1/connectors/validate', connectorFields),
  UpdateConnector: asks(
    ...(['PUT', '/v1/connectors/{id}'] as const),
    { ...id, config: one(2, messages.connectorConfig), plugin: one(3) },
    'connector',
    one(1, connector),
  ),
  DeleteConnector: does('DELETE', '/v1/connectors/{id}', id),
  ListConnectorPlugins: asks(
    ...(['GET', '/v1/connectors/plugins'] as const),
    { name: one(1) },
    'plugins',
    list(1, messages.connectorPlugin),
  ),
};

const processorMethods: Readonly<Record<string, GrpcMethod>> = {
  ListProcessors: asks('GET', '/v1/processors', { parentIds: list(1) }, 'processors', list(1, processor)),
  InspectProcessorIn: streams('/v1/processors/{id}/inspect-in'),
  InspectProcessorOut: streams('/v1/processors/{id}/inspect-out'),
  GetProcessor: asks('GET', '/v1/processors/{id}', id, 'processor', one(1, processor)),
  CreateProcessor: asks(
    ...(['POST', '/v1/processors'] as const),
    {
      type: one(1),
      parent: one(3, messages.processorParent),
      config: one(4, messages.processorConfig),
      condition: one(5),
      plugin: one(6),
    },
    'processor',
    one(1, processor),
  ),
  UpdateProcessor: asks(
    ...(['PUT', '/v1/processors/{id}'] as const),
    { ...id, config: one(2, messages.processorConfig), plugin: one(3) },
    'processor',
    one(1, processor),
  ),
  DeleteProcessor: does('DELETE', '/v1/processors/{id}', id),
  ListProcessorPlugins: asks(
    ...(['GET', '/v1/processors/plugins'] as const),
    { name: one(1) },
    'plugins',
    list(1, messages.processorPlugin),
  ),
};

const services: Readonly<Record<string, Readonly<Record<string, GrpcMethod>>>> = {
  PipelineService: pipelineMethods,
  ConnectorService: connectorMethods,
  ProcessorService: processorMethods,
  InformationService: { GetInfo: asks('GET', '/info', {}, 'info', one(1, messages.information)) },
  PluginService: {
    ListPlugins: asks('GET', '/v1/plugins', { name: one(1) }, 'plugins', list(1, messages.olderPlugin)),
  },
};

/** Path of a call, as HTTP/2 names it, to what it does. */
export const conduitMethods: ReadonlyMap<string, GrpcMethod> = new Map(
  Object.entries(services).flatMap(([service, methods]) =>
    Object.entries(methods).map(([name, method]) => [`/api.v1.${service}/${name}`, method] as const),
  ),
);
