// Processors under `/v1`: of a connector or of a whole pipeline, changed while the pipeline is stopped.
import { randomUUID } from 'node:crypto';
import { nearestName } from '../../../runtime/nearest-name.ts';
import type { HostedPipeline } from '../hosting/hosted-pipeline.ts';
import { parameterOf, readReference } from '../hosting/plugin-specification.ts';
import { type HostedProcessor, withoutProcessor, withProcessor } from '../hosting/relay-pipeline.ts';
import { checkSettings } from '../hosting/settings-check.ts';
import type { Hosting } from '../server/hosting-start.ts';
import type { Route } from '../server/route.ts';
import { refusedSettings } from './connector-check.ts';
import { isSecret, type Settings, unmaskSettings } from './masked-settings.ts';
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
import { v1Detail, v1Problem } from './v1-problem.ts';
import { type JsonObject, processorJson } from './v1-reply.ts';
import { v1Route } from './v1-route.ts';

export function processorRoutes(hosting: Hosting): readonly Route[] {
  const { pipelines } = hosting;
  return [
    v1Route(
      hosting,
      'GET',
      '/v1/processors',
      'Every processor, or those of some connectors and pipelines',
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
      ({ body }) => create(hosting, body),
      { problems: [400, 404, 409] },
    ),
    v1Route(hosting, 'GET', '/v1/processors/{id}', 'One processor', ({ params }) =>
      show(hosting, processorById(pipelines, params['id'] ?? '')),
    ),
    v1Route(
      hosting,
      'PUT',
      '/v1/processors/{id}',
      'Changes a processor whose pipeline is stopped',
      ({ params, body }) => update(hosting, params['id'] ?? '', body),
      { problems: [400, 404, 409] },
    ),
    v1Route(
      hosting,
      'DELETE',
      '/v1/processors/{id}',
      'Deletes a processor whose pipeline is stopped',
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
  if (plugin === '') fields.refuse('plugin', 'config.field_required', 'a processor needs a plugin');
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
  checkProcessor(hosting, plugin, settings);
  const now = pipeline.now();
  const id = randomUUID();
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
  checkProcessor(hosting, plugin, settings);
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

function processorSecrets(hosting: Hosting, plugin: string): (name: string) => boolean {
  const { name } = readReference(plugin);
  const found = hosting.plugins.processors().find((processor) => processor.name === name);
  return (setting) => found !== undefined && parameterOf(found.parameters, setting)?.secret === true;
}

/** @throws HttpProblem processor.plugin_not_found, and everything that is wrong with its settings */
export function checkProcessor(
  hosting: Hosting,
  reference: string,
  settings: Settings,
  path = 'config.settings',
): void {
  const { name } = readReference(reference);
  const processors = hosting.plugins.processors();
  const found = processors.find((processor) => processor.name === name);
  if (found === undefined) {
    const suggestion = nearestName(
      name,
      processors.map((processor) => processor.name),
    );
    const hint = suggestion === undefined ? '' : ` (did you mean "${suggestion}"?)`;
    throw v1Problem('processor.plugin_not_found', `there is no processor plugin "${reference}"${hint}`, [
      v1Detail('processor.plugin_not_found', {
        configPath: 'plugin',
        ...(suggestion === undefined ? {} : { suggestion }),
      }),
    ]);
  }
  const isDeclared = processorSecrets(hosting, reference);
  const problems = checkSettings(found.parameters, settings, (setting) => isSecret(setting, isDeclared(setting)));
  if (problems.length > 0) throw refusedSettings(problems, path);
}
