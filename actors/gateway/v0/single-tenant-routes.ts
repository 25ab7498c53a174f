// What clients may ask of an installation with tenants, identity providers and object stores, answered by one server that has
// none of them: lists are empty or hold the one tenant, and what would make another one is refused by name (501).
import type { Hosting } from '../hosting/hosting.ts';
import { HttpProblem } from '../http/http-problem.ts';
import { anyObject, list, nothing, object, orNull, type Shape, text, uuid } from '../http/reply-shape.ts';
import { json, type Route, type RouteReply, type RouteRequest } from '../http/route.ts';

const tenant: Readonly<Record<string, string>> = { id: '00000000-0000-0000-0000-000000000000', name: 'default' };
const tenantShape = object({ id: uuid, name: text });
const copiesShape = object({
  success: orNull(uuid),
  periodic: orNull(uuid),
  failure: orNull(object({ uuid, error: text })),
  running: list(uuid),
});
const noTenants = 'this server has one tenant; run another server with a data folder of its own';
const noUsers = 'this server knows API keys, not users; make a key with POST /v0/api_keys';
const noProviders = 'this server asks no identity provider; make a key with POST /v0/api_keys';
const noObjectStore = 'checkpoints are kept in the data folder of the server; back up that folder instead';

export function singleTenantRoutes(hosting: Hosting): readonly Route[] {
  const get = (
    path: string,
    summary: string,
    shape: Shape<unknown>,
    handle: (request: RouteRequest) => RouteReply,
  ): Route => ({
    method: 'GET',
    path,
    summary,
    access: 'read',
    ok: { 200: shape },
    problems: [404, 503],
    handle,
  });
  const refused = (method: Route['method'], path: string, feature: string, why: string): Route => ({
    method,
    path,
    summary: `Refused: ${why}`,
    access: path.startsWith('/v0/pipelines/') ? 'write' : 'admin',
    hasBody: method !== 'DELETE',
    // Never, but a client may expect that one day it is.
    ok: { 200: nothing },
    problems: [404, 501, 503],
    handle: ({ params }) => {
      const name = params['pipeline_name'];
      if (name !== undefined) hosting.pipelines.get(name);
      throw new HttpProblem({ status: 501, code: 'UnsupportedFeature', message: why, details: { feature } });
    },
  });
  const ofPipeline = (path: string, summary: string, shape: Shape<unknown>, body: unknown): Route =>
    get(`/v0/pipelines/{pipeline_name}/${path}`, summary, shape, ({ params }) => {
      hosting.pipelines.get(params['pipeline_name'] ?? '');
      return json(200, body);
    });
  return [
    get('/v0/tenants', 'The one tenant', list(tenantShape), () => json(200, [tenant])),
    get('/v0/tenants/{tenant_id}', 'The one tenant', tenantShape, ({ params }) => {
      const id = params['tenant_id'] ?? '';
      if (id === tenant['id'] || id === tenant['name']) return json(200, tenant);
      throw unknown('UnknownTenant', 'tenant_id', id);
    }),
    refused('POST', '/v0/tenants', 'tenants', noTenants),
    refused('PATCH', '/v0/tenants/{tenant_id}', 'tenants', noTenants),
    refused('DELETE', '/v0/tenants/{tenant_id}', 'tenants', noTenants),
    get('/v0/tenant/users', 'Nobody: callers are keys', list(anyObject), () => json(200, [])),
    refused('POST', '/v0/tenant/users', 'users', noUsers),
    refused('PUT', '/v0/tenant/users/{user_id}', 'users', noUsers),
    refused('DELETE', '/v0/tenant/users/{user_id}', 'users', noUsers),
    get('/v0/config/owners', 'None: who has the admin key owns the server', list(anyObject), () => json(200, [])),
    get('/v0/oidc_trust', 'Identity providers that are trusted: none', list(anyObject), () => json(200, [])),
    get('/v0/oidc_trust/{name}', 'An identity provider that is trusted: none', anyObject, ({ params }) => {
      throw unknown('UnknownOidcTrust', 'name', params['name'] ?? '');
    }),
    refused('POST', '/v0/oidc_trust', 'oidc_trust', noProviders),
    refused('DELETE', '/v0/oidc_trust/{name}', 'oidc_trust', noProviders),
    ofPipeline('checkpoint/sync_status', 'Copies of checkpoints in an object store: none have been made', copiesShape, {
      success: null,
      periodic: null,
      failure: null,
      running: [],
    }),
    ofPipeline('checkpoints/remote', 'Checkpoints in an object store: none', list(anyObject), []),
    refused('POST', '/v0/pipelines/{pipeline_name}/checkpoint/sync', 'checkpoint_sync', noObjectStore),
  ];
}

function unknown(code: string, key: string, value: string): HttpProblem {
  return new HttpProblem({ status: 404, code, message: `there is no ${key} '${value}'`, details: { [key]: value } });
}
