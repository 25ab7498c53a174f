// A whole pipeline as one document: `plan` says what it would change, `apply` changes it. The hash of a plan covers what is
// there and what is wanted: an apply with the hash of an older plan is refused.
//
// A pipeline that runs is changed in place in name and description alone; everything else needs it stopped.
import { createHash } from 'node:crypto';
import {
  type DeadLetterQueue,
  defaultDeadLetterQueue,
  type RelayDefinition,
  type RelayProcessor,
} from '../../relay-definition.ts';
import type { HostedPipeline } from '../hosting/hosted-pipeline.ts';
import type { Hosting } from '../hosting/hosting.ts';
import { goneConnectors, type RelayChange, relayChanges, relayFrom } from '../hosting/relay-changes.ts';
import { relayDefinition } from '../hosting/relay-pipeline.ts';
import type { RelayPipeline } from '../hosting/relay-record.ts';
import { list, object, oneOf, type Shaped, text } from '../http/reply-shape.ts';
import type { Route } from '../http/route.ts';
import { type ConnectorType, checkPlugin, secretsOf, validateOnInstance } from './connector-check.ts';
import { type Settings, unmaskSettings } from './masked-settings.ts';
import { assertNameFree, createRelayPipeline, descriptionMax, pipelineNameMax } from './pipeline-routes.ts';
import { type CheckedProcessor, checkProcessors } from './processor-check.ts';
import { RequestFields } from './request-fields.ts';
import { apiRelay } from './v1-catalog.ts';
import { v1Problem } from './v1-problem.ts';
import { v1Route } from './v1-route.ts';

const diffShape = object({
  pipelineId: text,
  changes: list(
    object({
      resource: oneOf('pipeline', 'connector', 'processor', 'dead_letter_queue'),
      id: text,
      action: oneOf('create', 'update', 'delete'),
      effect: oneOf('restart', 'in_place'),
      configPaths: list(text),
      code: text,
    }),
  ),
  hash: text,
});
type Diff = Shaped<typeof diffShape>;

const connectorFields = ['id', 'type', 'plugin', 'name', 'settings', 'processors'] as const;
const idPattern = /^[A-Za-z0-9\-_:.]{1,128}$/;

interface WantedPipeline {
  readonly definition: RelayDefinition;
  readonly status: 'running' | 'stopped' | null;
}

interface Plan {
  readonly existing: HostedPipeline | undefined;
  readonly changes: readonly RelayChange[];
  readonly hash: string;
  readonly isRunning: boolean;
}

export function documentRoutes(hosting: Hosting): readonly Route[] {
  return [
    v1Route(
      hosting,
      'POST',
      '/v1/pipelines/plan',
      'What a document of a pipeline would change',
      diffShape,
      async ({ body }) => {
        const wanted = await readDocument(hosting, body);
        return diffJson(wanted, planOf(hosting, wanted));
      },
      { problems: [400, 404, 409] },
    ),
    v1Route(
      hosting,
      'POST',
      '/v1/pipelines/apply',
      'Makes a pipeline what its document says',
      diffShape,
      async ({ body, signal }) => {
        const wanted = await readDocument(hosting, body);
        return await apply(hosting, wanted, readHash(body), signal);
      },
      { problems: [400, 404, 409, 500] },
    ),
  ];
}

function planOf(hosting: Hosting, { definition }: WantedPipeline): Plan {
  const existing = hosting.pipelines.byId(definition.id);
  if (existing === undefined) assertNameFree(hosting, definition.name);
  else {
    apiRelay(existing);
    if (definition.name !== existing.name) assertNameFree(hosting, definition.name);
  }
  const relay = existing?.record.relay;
  const before = existing === undefined || relay === undefined ? undefined : { ...existing.record.source, relay };
  const there = existing === undefined || relay === undefined ? null : relayDefinition(existing.record, relay);
  const hash = createHash('sha256')
    .update(JSON.stringify([there, definition]))
    .digest('hex');
  const isRunning = existing !== undefined && !existing.isFullyStopped;
  return { existing, changes: relayChanges(before, definition), hash, isRunning };
}

function diffJson({ definition }: WantedPipeline, plan: Plan): Diff {
  return {
    pipelineId: definition.id,
    changes: plan.changes.map(({ resource, id, action, paths }) => ({
      resource,
      id,
      action,
      // What is not there yet is not disturbed.
      effect: plan.existing !== undefined && needsStop({ resource, id, action, paths }) ? 'restart' : 'in_place',
      configPaths: paths,
      code: `provisioning.${resource}.${action}`,
    })),
    hash: plan.hash,
  };
}

function needsStop({ resource, action }: RelayChange): boolean {
  return !(resource === 'pipeline' && action === 'update');
}

async function apply(hosting: Hosting, wanted: WantedPipeline, hash: string, signal: AbortSignal): Promise<Diff> {
  const { definition } = wanted;
  const perform = async (): Promise<Diff> => {
    const plan = planOf(hosting, wanted);
    if (hash !== '' && hash !== plan.hash) {
      throw v1Problem('provisioning.plan_stale', `pipeline '${definition.id}' has changed since it was planned`);
    }
    if (plan.isRunning && plan.changes.some(needsStop)) {
      throw v1Problem(
        'provisioning.live_apply_unauthorized',
        `pipeline '${definition.id}' is running: stop it before its connectors and processors are changed`,
      );
    }
    await validateChanged(hosting, definition, plan, signal);
    const { id, name, description } = definition;
    const pipeline = plan.existing ?? createRelayPipeline(hosting, { id, name, description });
    const before = pipeline.record.relay;
    const relay = relayFrom(definition, before, 'api', pipeline.now());
    hosting.pipelines.rename(pipeline, name);
    pipeline.change({ relay, source: { ...pipeline.record.source, name, description } });
    await pipeline.save();
    for (const gone of before === undefined ? [] : goneConnectors(before, relay)) {
      await hosting.plugins.connectorDeleted(pipeline, gone);
    }
    return diffJson(wanted, plan);
  };
  const existing = hosting.pipelines.byId(definition.id);
  return existing === undefined ? await perform() : await existing.exclusively(perform);
}

async function validateChanged(
  hosting: Hosting,
  definition: RelayDefinition,
  plan: Plan,
  signal: AbortSignal,
): Promise<void> {
  const changed = new Set(plan.changes.filter(({ resource }) => resource === 'connector').map(({ id }) => id));
  for (const [i, { id, type, plugin, settings }] of definition.connectors.entries()) {
    const checked = checkPlugin(hosting, type, plugin, settings, `/connectors/${i}/settings`);
    if (changed.has(id)) await validateOnInstance(hosting, type, checked, settings, signal);
  }
}

function readHash(body: unknown): string {
  const fields = new RequestFields(body, ['config', 'hash']);
  const hash = fields.text('hash');
  fields.check();
  return hash;
}

async function readDocument(hosting: Hosting, body: unknown): Promise<WantedPipeline> {
  const fields = new RequestFields(body, ['config', 'hash']);
  // `id` is what the document is about, and no field of a reply that is sent back.
  const document = fields.document('config', [
    ...['id', 'status', 'name', 'description', 'connectors', 'processors', 'dlq'],
  ]);
  const id = requiredText(document, 'id');
  if (id !== '' && !idPattern.test(id)) {
    document.refuse('id', 'config.field_invalid', '1 to 128 letters, digits, and - _ : . are expected');
  }
  const status = document.text('status');
  if (!['', 'running', 'stopped'].includes(status)) {
    document.refuse('status', 'config.field_invalid', 'running or stopped is expected');
  }
  const before = hosting.pipelines.byId(id)?.record.relay;
  const definition: RelayDefinition = {
    id,
    name: document.text('name', pipelineNameMax) || id,
    description: document.text('description', descriptionMax),
    connectors: distinct(document.list('connectors', connectorFields), (connector) =>
      readConnector(hosting, connector, id, before),
    ),
    processors: readProcessors(document, id),
    deadLetterQueue: readQueue(document),
  };
  fields.check();
  await checkProcessors(hosting, checkedProcessors(definition));
  return { definition, status: status === 'running' || status === 'stopped' ? status : null };
}

function readConnector(
  hosting: Hosting,
  fields: RequestFields,
  pipeline: string,
  before: RelayPipeline | undefined,
): RelayDefinition['connectors'][number] {
  const own = requiredText(fields, 'id');
  const id = own.startsWith(`${pipeline}:`) ? own : `${pipeline}:${own}`;
  const given = fields.text('type');
  if (given !== 'source' && given !== 'destination') {
    fields.refuse('type', 'config.field_invalid', 'source or destination is expected');
  }
  const type: ConnectorType = given === 'destination' ? 'destination' : 'source';
  const old = before?.connectors.find((connector) => connector.id === id);
  const settings: Settings = fields.settings('settings');
  return {
    id,
    type,
    plugin: requiredText(fields, 'plugin'),
    name: fields.text('name') || own,
    settings:
      old === undefined ? settings : unmaskSettings(settings, old.settings, secretsOf(hosting, type, old.plugin)),
    processors: readProcessors(fields, id),
  };
}

function checkedProcessors({ connectors, processors }: RelayDefinition): readonly CheckedProcessor[] {
  const inside = (list: readonly RelayProcessor[], parent: string): CheckedProcessor[] =>
    list.map((processor, i) => {
      const path = `${parent}/processors/${i}`;
      const paths = { plugin: `${path}/plugin`, settings: `${path}/settings`, condition: `${path}/condition` };
      return { ...processor, paths };
    });
  const own = connectors.flatMap((connector, i) => inside(connector.processors, `/connectors/${i}`));
  return [...own, ...inside(processors, '')];
}

function readProcessors(owner: RequestFields, parent: string): readonly RelayProcessor[] {
  return distinct(owner.list('processors', ['id', 'plugin', 'settings', 'workers', 'condition']), (fields) => {
    const own = requiredText(fields, 'id');
    const plugin = requiredText(fields, 'plugin');
    const settings = fields.settings('settings');
    return {
      id: own.startsWith(`${parent}:`) ? own : `${parent}:${own}`,
      plugin,
      settings,
      condition: fields.text('condition'),
      workers: fields.count('workers', 1) || 1,
    };
  });
}

/** What is read of each; an id that stands twice is refused. */
function distinct<T extends { readonly id: string }>(
  list: readonly RequestFields[],
  read: (fields: RequestFields) => T,
): readonly T[] {
  const ids = new Set<string>();
  return list.map((fields) => {
    const item = read(fields);
    if (ids.has(item.id)) fields.refuse('id', 'config.id_duplicate', 'this id stands above already');
    ids.add(item.id);
    return item;
  });
}

function readQueue(document: RequestFields): DeadLetterQueue {
  if (!document.has('dlq')) return defaultDeadLetterQueue;
  const fields = document.object('dlq', ['plugin', 'settings', 'windowSize', 'windowNackThreshold']);
  const plugin = fields.text('plugin');
  const windowSize = fields.count('windowSize', defaultDeadLetterQueue.windowSize);
  const windowNackThreshold = fields.count('windowNackThreshold', defaultDeadLetterQueue.windowNackThreshold);
  if (windowSize > 0 && windowNackThreshold >= windowSize) {
    fields.refuse('windowNackThreshold', 'config.field_invalid', `must be less than the window of ${windowSize}`);
  }
  return {
    plugin: plugin === '' ? defaultDeadLetterQueue.plugin : plugin,
    settings: fields.has('settings') || plugin !== '' ? fields.settings('settings') : defaultDeadLetterQueue.settings,
    windowSize,
    windowNackThreshold,
  };
}

function requiredText(fields: RequestFields, name: string): string {
  const text = fields.text(name);
  if (text === '') fields.refuse(name, 'config.field_required', 'a text is needed');
  return text;
}
