// Connectors under `/v1`. One is validated before it is stored, on our side and on a fresh instance of its plugin; what a
// plugin is told of being created, updated or deleted comes when the pipeline starts, or here when it is deleted.
import { randomUUID } from 'node:crypto';
import type { Hosting } from '../hosting/hosting.ts';
import { withConnector, withoutConnector } from '../hosting/relay-pipeline.ts';
import { list } from '../http/reply-shape.ts';
import type { Route } from '../http/route.ts';
import { type ConnectorType, checkPlugin, secretsOf, validateOnInstance } from './connector-check.ts';
import { unmaskSettings } from './masked-settings.ts';
import { RequestFields } from './request-fields.ts';
import {
  apiRelay,
  changeableRelay,
  connectorById,
  connectorsOf,
  type FoundConnector,
  pipelineById,
  visiblePipelines,
} from './v1-catalog.ts';
import { v1Problem } from './v1-problem.ts';
import { connectorJson, connectorShape, type JsonObject } from './v1-reply.ts';
import { emptyShape, v1Route } from './v1-route.ts';

export const connectorNameMax = 256;

const configFields = ['name', 'settings'] as const;

export function connectorRoutes(hosting: Hosting): readonly Route[] {
  const { pipelines } = hosting;
  return [
    v1Route(
      hosting,
      'GET',
      '/v1/connectors',
      'Every connector, or those of one pipeline',
      list(connectorShape),
      async ({ query, principal }) => {
        const id = query.get('pipelineId') ?? query.get('pipeline_id') ?? '';
        const wanted = visiblePipelines(pipelines, principal).filter(({ record }) => id === '' || record.id === id);
        return await Promise.all(wanted.flatMap(connectorsOf).map((found) => show(hosting, found)));
      },
      { query: { pipelineId: 'those of this pipeline' }, problems: [], isFiltered: true },
    ),
    v1Route(
      hosting,
      'POST',
      '/v1/connectors',
      'Adds a connector to a pipeline that is stopped',
      connectorShape,
      ({ body, signal }) => create(hosting, body, signal),
      { problems: [400, 404, 409, 500] },
    ),
    v1Route(
      hosting,
      'POST',
      '/v1/connectors/validate',
      'Whether a connector of this configuration could be created',
      emptyShape,
      async ({ body, signal }) => {
        const fields = new RequestFields(body, ['type', 'plugin', 'config']);
        const type = readType(fields);
        const plugin = readPlugin(fields);
        const config = fields.object('config', configFields);
        config.text('name', connectorNameMax);
        const settings = config.settings('settings');
        fields.check();
        const checked = checkPlugin(hosting, type, plugin, settings, 'config.settings');
        await validateOnInstance(hosting, type, checked, settings, signal);
        return {};
      },
      { problems: [400, 404, 500] },
    ),
    v1Route(hosting, 'GET', '/v1/connectors/{id}', 'One connector', connectorShape, ({ params }) =>
      show(hosting, connectorById(pipelines, params['id'] ?? '')),
    ),
    v1Route(
      hosting,
      'PUT',
      '/v1/connectors/{id}',
      'Changes the settings, and the plugin where one is given, of a connector whose pipeline is stopped',
      connectorShape,
      ({ params, body, signal }) => update(hosting, params['id'] ?? '', body, signal),
      { problems: [400, 404, 409, 500] },
    ),
    v1Route(
      hosting,
      'DELETE',
      '/v1/connectors/{id}',
      'Deletes a connector that has no processors, of a pipeline that is stopped',
      emptyShape,
      async ({ params }) => {
        const { pipeline } = connectorById(pipelines, params['id'] ?? '');
        apiRelay(pipeline);
        return await pipeline.exclusively(async () => {
          const { connector } = connectorById(pipelines, params['id'] ?? '');
          const relay = changeableRelay(pipeline);
          if (connector.processors.length > 0) {
            throw v1Problem(
              'orchestrator.connector_has_processors_attached',
              `connector '${connector.id}' has ${connector.processors.length} processors: delete them first`,
            );
          }
          pipeline.change({ relay: withoutConnector(relay, connector.id, pipeline.now()) });
          await pipeline.save();
          await hosting.plugins.connectorDeleted(pipeline, connector);
          return {};
        });
      },
      { problems: [400, 404, 409] },
    ),
  ];
}

async function create(hosting: Hosting, body: unknown, signal: AbortSignal): Promise<JsonObject> {
  const fields = new RequestFields(body, ['type', 'plugin', 'pipelineId', 'config']);
  const pipelineId = fields.text('pipelineId');
  const type = readType(fields);
  const plugin = readPlugin(fields);
  const config = fields.object('config', configFields);
  const name = config.text('name', connectorNameMax);
  if (name === '') config.refuse('name', 'config.field_required', 'a connector needs a name');
  const settings = config.settings('settings');
  fields.check();
  const pipeline = pipelineById(hosting.pipelines, pipelineId);
  apiRelay(pipeline);
  return await pipeline.exclusively(async () => {
    changeableRelay(pipeline);
    const checked = checkPlugin(hosting, type, plugin, settings, 'config.settings');
    await validateOnInstance(hosting, type, checked, settings, signal);
    const now = pipeline.now();
    const connector = {
      id: randomUUID(),
      type,
      plugin,
      name,
      settings,
      processors: [],
      createdAt: now,
      updatedAt: now,
    };
    // It may have been started while the plugin took its time.
    pipeline.change({ relay: withConnector(changeableRelay(pipeline), connector) });
    await pipeline.save();
    return await show(hosting, { pipeline, connector });
  });
}

async function update(hosting: Hosting, id: string, body: unknown, signal: AbortSignal): Promise<JsonObject> {
  const { pipeline } = connectorById(hosting.pipelines, id);
  const fields = new RequestFields(body, ['plugin', 'config', 'type', 'pipelineId']);
  const config = fields.object('config', configFields);
  const nameGiven = config.text('name', connectorNameMax);
  const given = config.settings('settings');
  const wantedPlugin = fields.text('plugin');
  fields.check();
  apiRelay(pipeline);
  return await pipeline.exclusively(async () => {
    changeableRelay(pipeline);
    const { connector: before } = connectorById(hosting.pipelines, id);
    const plugin = wantedPlugin === '' ? before.plugin : wantedPlugin;
    const settings = unmaskSettings(given, before.settings, secretsOf(hosting, before.type, before.plugin));
    const checked = checkPlugin(hosting, before.type, plugin, settings, 'config.settings');
    await validateOnInstance(hosting, before.type, checked, settings, signal);
    const name = nameGiven === '' ? before.name : nameGiven;
    const connector = { ...before, plugin, name, settings, updatedAt: pipeline.now() };
    pipeline.change({ relay: withConnector(changeableRelay(pipeline), connector) });
    await pipeline.save();
    return await show(hosting, { pipeline, connector });
  });
}

async function show(hosting: Hosting, { pipeline, connector }: FoundConnector): Promise<JsonObject> {
  return connectorJson({
    pipeline,
    connector,
    position: connector.type === 'source' ? await hosting.plugins.position(pipeline, connector.id) : null,
    isSecret: secretsOf(hosting, connector.type, connector.plugin),
  });
}

function readType(fields: RequestFields): ConnectorType {
  const value = fields.raw('type');
  if (value === 'TYPE_SOURCE' || value === 1) return 'source';
  if (value === 'TYPE_DESTINATION' || value === 2) return 'destination';
  fields.refuse('type', 'connector.invalid_type', 'TYPE_SOURCE or TYPE_DESTINATION is expected');
  return 'source';
}

function readPlugin(fields: RequestFields): string {
  const plugin = fields.text('plugin');
  if (plugin === '') fields.refuse('plugin', 'connector.plugin_not_found', 'a connector needs a plugin');
  return plugin;
}
