// A route of `/v1`: what all of them have in common. `?pretty` indents the reply; a key that is bound to pipelines is good for
// what belongs to them.
import type { Hosting } from '../hosting/hosting.ts';
import { object, type Shape } from '../http/reply-shape.ts';
import type { Route, RouteReply, RouteRequest } from '../http/route.ts';
import { findConnector, findProcessor } from './v1-catalog.ts';

export interface V1RouteOptions {
  readonly query?: Readonly<Record<string, string>>;
  readonly problems?: readonly number[];
  readonly hasBody?: boolean;
  /** Lists that are filtered by what the caller may see: any key may ask. */
  readonly isFiltered?: boolean;
}

/** What an action answers with. */
export const emptyShape: Shape<unknown> = object({});

export type V1Handle = (request: RouteRequest) => unknown | Promise<unknown>;

export function v1Route(
  hosting: Hosting,
  method: Route['method'],
  path: string,
  summary: string,
  shape: Shape<unknown>,
  handle: V1Handle,
  options: V1RouteOptions = {},
): Route {
  return {
    method,
    path,
    summary,
    access: method === 'GET' ? 'read' : 'write',
    query: { ...options.query, pretty: 'indent the reply' },
    hasBody: options.hasBody ?? (method === 'POST' || method === 'PUT'),
    ok: { 200: shape },
    problems: options.problems ?? [400, 404],
    pipelineOf: (params) => ownerOf(hosting, path, params),
    ...(options.isFiltered === true ? { isFiltered: true } : {}),
    handle: async (request) => {
      await hosting.plugins.loaded();
      return v1Json(request, await handle(request));
    },
  };
}

export function v1Json(request: RouteRequest, body: unknown): RouteReply {
  if (!request.query.has('pretty')) return { status: 200, body };
  return { status: 200, body: JSON.stringify(body, null, 2), contentType: 'application/json' };
}

/** The name of the pipeline that a path is about; null: none in particular. What is not there is nobody's: 404. */
function ownerOf(hosting: Hosting, path: string, params: Readonly<Record<string, string>>): string | null {
  const { pipelines } = hosting;
  const { id } = params;
  if (id === undefined) return null;
  if (path.startsWith('/v1/pipelines/')) return pipelines.byId(id)?.name ?? null;
  if (path.startsWith('/v1/connectors/')) return findConnector(pipelines, id)?.pipeline.name ?? null;
  return findProcessor(pipelines, id)?.pipeline.name ?? null;
}
