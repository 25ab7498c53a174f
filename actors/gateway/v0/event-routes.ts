// The history of a pipeline, and that of the server, which has one entry: it is up.
import { randomUUID } from 'node:crypto';
import type { PipelineEvent } from '../hosting/event-history.ts';
import type { Hosting } from '../hosting/hosting.ts';
import { HttpProblem } from '../http/http-problem.ts';
import {
  anyObject,
  flag,
  list,
  moment,
  object,
  oneOf,
  orNull,
  type Shape,
  type Shaped,
  text,
  uuid,
} from '../http/reply-shape.ts';
import { json, type Route } from '../http/route.ts';
import { checkpointShape, deploymentErrorShape } from './descriptor.ts';

const eventShape = object(
  {
    event_id: uuid,
    recorded_at: moment,
    deployment_resources_status: text,
    deployment_resources_desired_status: text,
    deployment_runtime_status: orNull(text),
    deployment_runtime_desired_status: orNull(text),
    deployment_has_error: flag,
    program_status: text,
    storage_status: text,
  },
  {
    deployment_resources_status_details: orNull(anyObject),
    deployment_runtime_status_details: orNull(anyObject),
    deployment_error: orNull(deploymentErrorShape),
    storage_status_details: orNull(object({ checkpoints: list(checkpointShape) })),
  },
);
const health = oneOf('InitialUnhealthy', 'Unhealthy', 'Healthy');
const serverEventShape = object(
  {
    id: uuid,
    recorded_at: moment,
    all_healthy: flag,
    api_status: health,
    compiler_status: health,
    runner_status: health,
  },
  {
    api_self_info: text,
    api_resources_info: text,
    compiler_self_info: text,
    compiler_resources_info: text,
    runner_self_info: text,
    runner_resources_info: text,
  },
);

const query = { selector: 'status (default) or all' };

export function eventRoutes(hosting: Hosting): readonly Route[] {
  const serverEvent = { id: randomUUID(), recorded_at: hosting.startedAt };
  const get = (path: string, summary: string, shape: Shape<unknown>, handle: Route['handle']): Route => ({
    method: 'GET',
    path,
    summary,
    access: 'read',
    query,
    ok: { 200: shape },
    problems: [400, 404],
    handle,
  });
  return [
    get('/v0/pipelines/{pipeline_name}/events', 'What has happened, newest first', list(eventShape), (request) => {
      const isWhole = wantsAll(request.query);
      const { events } = hosting.pipelines.get(request.params['pipeline_name'] ?? '').events;
      return json(
        200,
        [...events].reverse().map((event) => eventJson(event, isWhole)),
      );
    }),
    get('/v0/pipelines/{pipeline_name}/events/{event_id}', 'One entry, or `latest`', eventShape, (request) => {
      const isWhole = wantsAll(request.query);
      const { events } = hosting.pipelines.get(request.params['pipeline_name'] ?? '').events;
      const id = request.params['event_id'] ?? '';
      const event = id === 'latest' ? events.at(-1) : events.find((candidate) => candidate.id === id);
      if (event === undefined) throw unknown('UnknownPipelineMonitorEvent', id);
      return json(200, eventJson(event, isWhole));
    }),
    get('/v0/cluster/events', 'What has happened to the server', list(serverEventShape), (request) =>
      json(200, [serverEventJson(serverEvent, wantsAll(request.query))]),
    ),
    get('/v0/cluster/events/{event_id}', 'One entry, or `latest`', serverEventShape, (request) => {
      const id = request.params['event_id'] ?? '';
      if (id !== 'latest' && id !== serverEvent.id) throw unknown('UnknownClusterMonitorEvent', id);
      return json(200, serverEventJson(serverEvent, wantsAll(request.query)));
    }),
  ];
}

function wantsAll(parameters: URLSearchParams): boolean {
  const selector = parameters.get('selector') ?? 'status';
  if (selector === 'all') return true;
  if (selector === 'status') return false;
  throw new HttpProblem({
    status: 400,
    code: 'InvalidParam',
    message: `selector '${selector}' is neither status nor all`,
  });
}

function unknown(code: string, id: string): HttpProblem {
  return new HttpProblem({ status: 404, code, message: `there is no event '${id}'`, details: { event_id: id } });
}

function eventJson(event: PipelineEvent, isWhole: boolean): Shaped<typeof eventShape> {
  return {
    event_id: event.id,
    recorded_at: event.recordedAt,
    deployment_resources_status: event.resources,
    deployment_resources_desired_status: event.desired,
    deployment_runtime_status: event.runtime,
    deployment_runtime_desired_status: event.runtimeDesired,
    deployment_has_error: event.error !== null,
    program_status: event.program,
    storage_status: event.storage,
    ...(isWhole
      ? {
          deployment_resources_status_details: null,
          deployment_runtime_status_details: event.runtime === null ? null : {},
          deployment_error: event.error,
          storage_status_details: event.checkpoints === null ? null : { checkpoints: event.checkpoints },
        }
      : {}),
  };
}

function serverEventJson(
  event: { readonly id: string; readonly recorded_at: string },
  isWhole: boolean,
): Shaped<typeof serverEventShape> {
  const status = 'Healthy';
  return {
    ...event,
    all_healthy: true,
    api_status: status,
    compiler_status: status,
    runner_status: status,
    ...(isWhole
      ? {
          api_self_info: '',
          api_resources_info: '',
          compiler_self_info: '',
          compiler_resources_info: '',
          runner_self_info: '',
          runner_resources_info: '',
        }
      : {}),
  };
}
