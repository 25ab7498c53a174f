// Pipelines under `/v1`: the list of all of them, their life, the dead-letter queue of those without SQL.
import { type DeadLetterQueue, defaultDeadLetterQueue } from '../../relay-definition.ts';
import type { HostedPipeline } from '../hosting/hosted-pipeline.ts';
import type { Hosting } from '../hosting/hosting.ts';
import { relaySource } from '../hosting/relay-pipeline.ts';
import { list } from '../http/reply-shape.ts';
import type { Route } from '../http/route.ts';
import { checkPlugin, secretsOf, validateOnInstance } from './connector-check.ts';
import { unmaskSettings } from './masked-settings.ts';
import { RequestFields } from './request-fields.ts';
import { startPipeline, stopPipeline, stopShape } from './start-stop.ts';
import { apiRelay, changeableRelay, nameFilter, pipelineById, relayOf, visiblePipelines } from './v1-catalog.ts';
import { v1Problem } from './v1-problem.ts';
import { deadLetterQueueJson, pipelineJson, pipelineShape, queueShape } from './v1-reply.ts';
import { emptyShape, v1Route } from './v1-route.ts';

export const pipelineNameMax = 128;
export const descriptionMax = 8_192;

export function pipelineRoutes(hosting: Hosting): readonly Route[] {
  const { pipelines } = hosting;
  const byId = (params: Readonly<Record<string, string>>): HostedPipeline =>
    pipelineById(pipelines, params['id'] ?? '');
  return [
    v1Route(
      hosting,
      'GET',
      '/v1/pipelines',
      'Every pipeline',
      list(pipelineShape),
      ({ query, principal }) => {
        const isWanted = nameFilter(query);
        return visiblePipelines(pipelines, principal)
          .filter(({ name }) => isWanted(name))
          .map(pipelineJson);
      },
      { query: { name: 'a regular expression for the whole name' }, problems: [400], isFiltered: true },
    ),
    v1Route(
      hosting,
      'POST',
      '/v1/pipelines',
      'Creates a pipeline without SQL',
      pipelineShape,
      async ({ body }) => {
        const { name, description } = readConfig(body);
        assertNameFree(hosting, name);
        const pipeline = createRelayPipeline(hosting, { name, description });
        await pipeline.save();
        return pipelineJson(pipeline);
      },
      { problems: [400, 409] },
    ),
    v1Route(hosting, 'GET', '/v1/pipelines/{id}', 'One pipeline', pipelineShape, ({ params }) =>
      pipelineJson(byId(params)),
    ),
    v1Route(
      hosting,
      'PUT',
      '/v1/pipelines/{id}',
      'Changes name and description',
      pipelineShape,
      async ({ params, body }) => {
        const pipeline = byId(params);
        const { name, description } = readConfig(body);
        return await pipeline.exclusively(async () => {
          const relay = changeableRelay(pipeline);
          if (name !== pipeline.name) assertNameFree(hosting, name);
          pipelines.rename(pipeline, name);
          const source = { ...pipeline.record.source, name, description };
          pipeline.change({ source, relay: { ...relay, updatedAt: pipeline.now() } });
          await pipeline.save();
          return pipelineJson(pipeline);
        });
      },
      { problems: [400, 404, 409] },
    ),
    v1Route(
      hosting,
      'DELETE',
      '/v1/pipelines/{id}',
      'Deletes a pipeline that has no connectors and processors',
      emptyShape,
      async ({ params }) => {
        const pipeline = byId(params);
        return await pipeline.exclusively(async () => {
          const { connectors, processors } = changeableRelay(pipeline);
          if (connectors.length > 0) {
            throw v1Problem(
              'orchestrator.pipeline_has_connectors_attached',
              `pipeline '${pipeline.name}' has ${connectors.length} connectors: delete them first`,
            );
          }
          if (processors.length > 0) {
            throw v1Problem(
              'orchestrator.pipeline_has_processors_attached',
              `pipeline '${pipeline.name}' has ${processors.length} processors: delete them first`,
            );
          }
          await pipelines.delete(pipeline);
          return {};
        });
      },
      { problems: [400, 404, 409] },
    ),
    v1Route(
      hosting,
      'POST',
      '/v1/pipelines/{id}/start',
      'Starts a pipeline',
      emptyShape,
      async ({ params }) => {
        await startPipeline(hosting, byId(params));
        return {};
      },
      { problems: [400, 404, 500, 504] },
    ),
    v1Route(
      hosting,
      'POST',
      '/v1/pipelines/{id}/stop',
      'Stops a pipeline: what its sources have read reaches the destinations, unless it is forced',
      stopShape,
      async ({ params, body }) => {
        const pipeline = byId(params);
        const fields = new RequestFields(body, ['force']);
        const force = fields.flag('force');
        fields.check();
        return await stopPipeline(hosting, pipeline, force);
      },
      { problems: [400, 404, 500, 504] },
    ),
    v1Route(
      hosting,
      'GET',
      '/v1/pipelines/{id}/dead-letter-queue',
      'Where records go that a destination refuses',
      queueShape,
      ({ params }) => {
        const { deadLetterQueue } = relayOf(byId(params));
        return deadLetterQueueJson(deadLetterQueue, secretsOf(hosting, 'destination', deadLetterQueue.plugin));
      },
      { problems: [404, 409] },
    ),
    v1Route(
      hosting,
      'PUT',
      '/v1/pipelines/{id}/dead-letter-queue',
      'Replaces the dead-letter queue',
      queueShape,
      async ({ params, body, signal }) => {
        const pipeline = byId(params);
        apiRelay(pipeline);
        return await pipeline.exclusively(async () => {
          const before = changeableRelay(pipeline).deadLetterQueue;
          const wanted = readDeadLetterQueue(hosting, body, before);
          const checked = checkPlugin(hosting, 'destination', wanted.plugin, wanted.settings, 'settings');
          await validateOnInstance(hosting, 'destination', checked, wanted.settings, signal);
          const relay = { ...changeableRelay(pipeline), deadLetterQueue: wanted, updatedAt: pipeline.now() };
          pipeline.change({ relay });
          await pipeline.save();
          return deadLetterQueueJson(wanted, secretsOf(hosting, 'destination', wanted.plugin));
        });
      },
      { problems: [400, 404, 409] },
    ),
    ...(['/v1/pipelines/{id}/export', '/v1/pipelines/import'] as const).map((path) =>
      v1Route(
        hosting,
        'POST',
        path,
        'Not there: pipeline files say what a pipeline is',
        emptyShape,
        () => {
          throw v1Problem('common.unimplemented', 'pipelines are carried from server to server as pipeline files');
        },
        { problems: [501] },
      ),
    ),
  ];
}

/** In memory; the caller saves it. */
export function createRelayPipeline(
  hosting: Hosting,
  options: { readonly id?: string; readonly name: string; readonly description: string },
): HostedPipeline {
  const { name, description, id } = options;
  return hosting.pipelines.create(relaySource(name, description), {
    ...(id === undefined ? {} : { id }),
    relay: {
      provisionedBy: 'api',
      updatedAt: hosting.now(),
      connectors: [],
      processors: [],
      deadLetterQueue: defaultDeadLetterQueue,
    },
  });
}

/** @throws HttpProblem pipeline.name_already_exists */
export function assertNameFree(hosting: Hosting, name: string): void {
  if (hosting.pipelines.find(name) === undefined) return;
  throw v1Problem('pipeline.name_already_exists', `there is a pipeline '${name}' already`);
}

function readConfig(body: unknown): { readonly name: string; readonly description: string } {
  const fields = new RequestFields(body, ['config']);
  const config = fields.object('config', ['name', 'description']);
  const name = config.text('name', pipelineNameMax);
  const description = config.text('description', descriptionMax);
  if (name === '') config.refuse('name', 'pipeline.name_missing', 'a pipeline needs a name');
  fields.check();
  return { name, description };
}

function readDeadLetterQueue(hosting: Hosting, body: unknown, before: DeadLetterQueue): DeadLetterQueue {
  const fields = new RequestFields(body, ['plugin', 'settings', 'windowSize', 'windowNackThreshold']);
  const plugin = fields.text('plugin');
  if (plugin === '') fields.refuse('plugin', 'config.field_required', 'a dead-letter queue needs a plugin');
  const given = fields.settings('settings');
  const windowSize = fields.count('windowSize', 0);
  const windowNackThreshold = fields.count('windowNackThreshold', 0);
  if (windowSize > 0 && windowNackThreshold >= windowSize) {
    fields.refuse('windowNackThreshold', 'config.field_invalid', `must be less than the window of ${windowSize}`);
  }
  fields.check();
  const settings = unmaskSettings(given, before.settings, secretsOf(hosting, 'destination', before.plugin));
  return { plugin, settings, windowSize, windowNackThreshold };
}
