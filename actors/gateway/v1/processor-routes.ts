// Processors under `/v1`: of a connector or of a whole pipeline, changed while the pipeline is stopped.
import { randomUUID } from 'node:crypto';
import type { HostedPipeline } from '../hosting/hosted-pipeline.ts';
import type { Hosting } from '../hosting/hosting.ts';
import { withoutProcessor, withProcessor } from '../hosting/relay-pipeline.ts';
import type { HostedProcessor } from '../hosting/relay-record.ts';
import { list } from '../http/reply-shape.ts';
import type { Route } from '../http/route.ts';
import { unmaskSettings } from './masked-settings.ts';
import { checkProcessors, processorSecrets } from './processor-check.ts';
import { RequestFields } from './request-fields.ts';
import {
  apiRelay,
  changeableRelay,
  connectorById,
  type FoundProcessor,
  pipelineById,
  processorById,
  processorsOf,
  visiblePipelines,
} from './v1-catalog.ts';
import { type JsonObject, processorJson, processorShape } from './v1-reply.ts';
import { emptyShape, v1Route } from './v1-route.ts';

export function processorRoutes(hosting: Hosting): readonly Route[] {
  const { pipelines } = hosting;
  return [
    v1Route(
      hosting,
      'GET',
      '/v1/processors',
      'Every processor, or those of some connectors and pipelines',
      list(processorShape),
      ({ query, principal }) => {
        const parents = [...query.getAll('parentIds'), ...query.getAll('parent_ids')];
        return visiblePipelines(pipelines, principal)
          .flatMap(processorsOf)
          .filter(({ parent }) => parents.length === 0 || parents.includes(parent.id))
          .map((found) => show(hosting, found));
      },
      { query: { parentIds: 'those of this connector or pipeline; may be repeated' }, problems: [], isFiltered: true },
    ),
    v1Route(
      hosting,
      'POST',
      '/v1/processors',
      'Adds a processor to a connector or pipeline that is stopped',
      processorShape,
      ({ body }) => create(hosting, body),
      { problems: [400, 404, 409] },
    ),
    v1Route(hosting, 'GET', '/v1/processors/{id}', 'One processor', processorShape, ({ params }) =>
      show(hosting, processorById(pipelines, params['id'] ?? '')),
    ),
    v1Route(
      hosting,
      'PUT',
      '/v1/processors/{id}',
      'Changes a processor whose pipeline is stopped',
      processorShape,
      ({ params, body }) => update(hosting, params['id'] ?? '', body),
      { problems: [400, 404, 409] },
    ),
    v1Route(
      hosting,
      'DELETE',
      '/v1/processors/{id}',
      'Deletes a processor whose pipeline is stopped',
      emptyShape,
      async ({ params }) => {
        const { pipeline } = processorById(pipelines, params['id'] ?? '');
        apiRelay(pipeline);
        return await pipeline.exclusively(async () => {
          const { processor } = processorById(pipelines, params['id'] ?? '');
          pipeline.change({ relay: withoutProcessor(changeableRelay(pipeline), processor.id, pipeline.now()) });
          await pipeline.save();
          return {};
        });
      },
      { problems: [400, 404, 409] },
    ),
  ];
}

async function create(hosting: Hosting, body: unknown): Promise<JsonObject> {
  const fields = new RequestFields(body, ['plugin', 'type', 'parent', 'config', 'condition']);
  const plugin = fields.text('plugin') || fields.text('type');
  if (plugin === '') fields.refuse('plugin', 'processor.plugin_not_found', 'a processor needs a plugin');
  const condition = fields.text('condition');
  const parent = readParent(fields);
  const config = fields.object('config', ['settings', 'workers']);
  const settings = config.settings('settings');
  const workers = config.count('workers', 1) || 1;
  fields.check();
  const isPipeline = parent.type === 'TYPE_PIPELINE';
  const { pipelines } = hosting;
  const pipeline = isPipeline ? pipelineById(pipelines, parent.id) : connectorById(pipelines, parent.id).pipeline;
  apiRelay(pipeline);
  const now = pipeline.now();
  const id = randomUUID();
  await checkProcessors(hosting, [{ id, plugin, settings, condition, paths }]);
  const processor = { id, plugin, settings, condition, workers, createdAt: now, updatedAt: now };
  return await store(hosting, pipeline, isPipeline ? null : parent.id, processor);
}

async function update(hosting: Hosting, id: string, body: unknown): Promise<JsonObject> {
  const { pipeline, processor: before, parent } = processorById(hosting.pipelines, id);
  const fields = new RequestFields(body, ['plugin', 'type', 'config', 'condition', 'parent']);
  const plugin = fields.text('plugin') || before.plugin;
  const condition = fields.has('condition') ? fields.text('condition') : before.condition;
  const config = fields.object('config', ['settings', 'workers']);
  const given = config.settings('settings');
  const workers = config.count('workers', before.workers) || 1;
  fields.check();
  apiRelay(pipeline);
  const settings = unmaskSettings(given, before.settings, processorSecrets(hosting, before.plugin));
  await checkProcessors(hosting, [{ id, plugin, settings, condition, paths }]);
  const processor = { ...before, plugin, settings, condition, workers, updatedAt: pipeline.now() };
  return await store(hosting, pipeline, parent.type === 'TYPE_PIPELINE' ? null : parent.id, processor);
}

async function store(
  hosting: Hosting,
  pipeline: HostedPipeline,
  parent: string | null,
  processor: HostedProcessor,
): Promise<JsonObject> {
  return await pipeline.exclusively(async () => {
    pipeline.change({ relay: withProcessor(changeableRelay(pipeline), parent, processor) });
    await pipeline.save();
    return show(hosting, processorById(hosting.pipelines, processor.id));
  });
}

function show(hosting: Hosting, { processor, parent }: FoundProcessor): JsonObject {
  return processorJson(processor, parent, processorSecrets(hosting, processor.plugin));
}

function readParent(fields: RequestFields): { readonly type: 'TYPE_CONNECTOR' | 'TYPE_PIPELINE'; readonly id: string } {
  const parent = fields.object('parent', ['type', 'id']);
  const given = parent.raw('type');
  const type =
    given === 'TYPE_PIPELINE' || given === 2
      ? 'TYPE_PIPELINE'
      : given === 'TYPE_CONNECTOR' || given === 1
        ? 'TYPE_CONNECTOR'
        : null;
  if (type === null) {
    const why = 'TYPE_CONNECTOR or TYPE_PIPELINE is expected';
    parent.refuse('type', 'orchestrator.invalid_processor_parent_type', why);
  }
  return { type: type ?? 'TYPE_PIPELINE', id: parent.text('id') };
}

/** Of a body of these routes. */
const paths = { plugin: 'plugin', settings: 'config.settings', condition: 'condition' } as const;
