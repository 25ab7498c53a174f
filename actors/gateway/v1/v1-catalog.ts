// Finds what a request of `/v1` names, by id and over all pipelines, and says what may not be changed there: a pipeline with
// SQL is defined by its program, one from a file by that file, one that runs by nobody until it is stopped.
import type { HostedPipeline } from '../hosting/hosted-pipeline.ts';
import type { HostedPipelines } from '../hosting/pipeline-directory.ts';
import type { HostedConnector, HostedProcessor, RelayPipeline } from '../hosting/relay-record.ts';
import type { Principal } from '../http/principal.ts';
import { v1Problem } from './v1-problem.ts';
import { type ProcessorParent, programConnectors } from './v1-reply.ts';

export interface FoundConnector {
  readonly pipeline: HostedPipeline;
  readonly connector: HostedConnector;
}

export interface FoundProcessor {
  readonly pipeline: HostedPipeline;
  readonly processor: HostedProcessor;
  readonly parent: ProcessorParent;
}

/** Those that the caller may know of. */
export function visiblePipelines(pipelines: HostedPipelines, principal: Principal | null): readonly HostedPipeline[] {
  const names = principal?.pipelines ?? null;
  return pipelines.list().filter(({ name }) => names === null || names.includes(name));
}

/** @throws HttpProblem pipeline.instance_not_found */
export function pipelineById(pipelines: HostedPipelines, id: string): HostedPipeline {
  const found = pipelines.byId(id);
  if (found !== undefined) return found;
  throw v1Problem('pipeline.instance_not_found', `pipeline instance not found (ID: ${id})`);
}

export function connectorsOf(pipeline: HostedPipeline): readonly FoundConnector[] {
  const connectors = pipeline.record.relay?.connectors ?? programConnectors(pipeline);
  return connectors.map((connector) => ({ pipeline, connector }));
}

export function findConnector(pipelines: HostedPipelines, id: string): FoundConnector | undefined {
  for (const pipeline of pipelines.list()) {
    const found = connectorsOf(pipeline).find(({ connector }) => connector.id === id);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** @throws HttpProblem connector.instance_not_found */
export function connectorById(pipelines: HostedPipelines, id: string): FoundConnector {
  const found = findConnector(pipelines, id);
  if (found !== undefined) return found;
  throw v1Problem('connector.instance_not_found', `connector instance not found (ID: ${id})`);
}

export function processorsOf(pipeline: HostedPipeline): readonly FoundProcessor[] {
  const { relay, id } = pipeline.record;
  if (relay === undefined) return [];
  return [
    ...relay.processors.map((processor) => ({ pipeline, processor, parent: { type: 'TYPE_PIPELINE', id } as const })),
    ...relay.connectors.flatMap((connector) =>
      connector.processors.map((processor) => ({
        pipeline,
        processor,
        parent: { type: 'TYPE_CONNECTOR', id: connector.id } as const,
      })),
    ),
  ];
}

export function findProcessor(pipelines: HostedPipelines, id: string): FoundProcessor | undefined {
  for (const pipeline of pipelines.list()) {
    const found = processorsOf(pipeline).find(({ processor }) => processor.id === id);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** @throws HttpProblem processor.instance_not_found */
export function processorById(pipelines: HostedPipelines, id: string): FoundProcessor {
  const found = findProcessor(pipelines, id);
  if (found !== undefined) return found;
  throw v1Problem('processor.instance_not_found', `processor instance not found (ID: ${id})`);
}

/** @throws HttpProblem pipeline.has_program */
export function relayOf(pipeline: HostedPipeline): RelayPipeline {
  const { relay } = pipeline.record;
  if (relay !== undefined) return relay;
  throw v1Problem(
    'pipeline.has_program',
    `pipeline '${pipeline.name}' is defined by a SQL program: it is changed under /v0, and is read-only here`,
  );
}

/** Of a pipeline that may be changed now. @throws HttpProblem pipeline.has_program, immutable_provisioned_by_config, pipeline.running */
export function changeableRelay(pipeline: HostedPipeline): RelayPipeline {
  const relay = apiRelay(pipeline);
  assertStopped(pipeline);
  return relay;
}

/** @throws HttpProblem pipeline.has_program, orchestrator.immutable_provisioned_by_config */
export function apiRelay(pipeline: HostedPipeline): RelayPipeline {
  const relay = relayOf(pipeline);
  if (relay.provisionedBy === 'api') return relay;
  throw v1Problem(
    'orchestrator.immutable_provisioned_by_config',
    `pipeline '${pipeline.name}' was provisioned from a file: change that file and start the server again`,
  );
}

/** @throws HttpProblem pipeline.running */
export function assertStopped(pipeline: HostedPipeline): void {
  if (pipeline.isFullyStopped) return;
  throw v1Problem('pipeline.running', `pipeline '${pipeline.name}' is running: stop it first`);
}

/** Names that match the whole of a regular expression. @throws HttpProblem common.invalid_argument */
export function nameFilter(query: URLSearchParams): (name: string) => boolean {
  const text = query.get('name') ?? '';
  if (text === '') return () => true;
  if (text.length > 256) throw v1Problem('common.invalid_argument', 'name: at most 256 characters');
  try {
    const expression = new RegExp(`^(?:${text})$`);
    return (name) => expression.test(name);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw v1Problem('common.invalid_argument', `name: no regular expression: ${why}`);
  }
}
