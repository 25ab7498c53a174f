// What the server says of itself: version, health, authentication, sessions.
import { anonymous, type Principal } from '../server/access/access-control.ts';
import { type Hosting, platformVersion } from '../server/hosting-start.ts';
import { json, type Route, type RouteReply } from '../server/route.ts';
import { serviceHealth } from '../v1/about-routes.ts';

type Handle = Route['handle'];

export function platformRoutes(hosting: Hosting): readonly Route[] {
  const get = (path: string, summary: string, access: Route['access'], handle: Handle): Route => ({
    method: 'GET',
    path,
    summary,
    access,
    ok: [200],
    problems: [],
    handle,
  });
  // Nothing in it: nobody has to. Keys come and go while the server runs.
  const authentication: Handle = () =>
    json(
      200,
      !hosting.hasKeys && hosting.access.keys().length === 0
        ? {}
        : { ApiKey: { header: 'Authorization', scheme: 'Bearer' } },
    );
  return [
    get('/healthz', 'Whether the server works', 'none', ({ query }) => {
      const service = query.get('service');
      return json(200, service === null ? { status: 'healthy' } : serviceHealth(service));
    }),
    get('/v0/config', 'Version and edition', 'none', () => json(200, serverConfiguration)),
    get('/config/authentication', 'How callers prove who they are', 'none', authentication),
    get('/v0/config/authentication', 'How callers prove who they are', 'none', authentication),
    get('/v0/config/demos', 'Programs to begin with', 'read', () => json(200, [])),
    get('/v0/config/session', 'Who is calling', 'read', ({ principal }) => {
      const { key, scopes, pipelines } = principal ?? anonymous;
      return json(200, {
        tenant_id: '00000000-0000-0000-0000-000000000000',
        tenant_name: 'default',
        role: roleOf(principal ?? anonymous),
        api_key: key,
        scopes,
        pipelines,
        memberships: [],
      });
    }),
    get('/v0/cluster_healthz', 'Health of every part', 'read', () => clusterHealth(hosting)),
  ];
}

/** The highest that its scopes make up; the names are those of `/v0/api_keys`. */
function roleOf(principal: Principal): string {
  if (principal.scopes.includes('admin')) return principal.key === null ? 'owner' : 'admin';
  if (principal.scopes.includes('write')) return 'write';
  return principal.scopes.includes('read') ? 'read' : 'ingest';
}

export const serverConfiguration: Readonly<Record<string, unknown>> = {
  posthog: '',
  conceptualhq: '',
  product_fruits: '',
  // Clients branch on it: this is the one with checkpoints.
  edition: 'Enterprise',
  version: platformVersion,
  revision: '',
  runtime_revision: '',
  unstable_features: null,
  changelog_url: '',
  license_validity: null,
  telemetry: '',
  update_info: null,
  build_info: {
    build_timestamp: '',
    build_cpu: process.arch,
    build_os: process.platform,
    cargo_dependencies: '',
    cargo_features: '',
    cargo_debug: '',
    cargo_opt_level: '',
    cargo_target_triple: '',
    rustc_version: '',
  },
  build_source: 'source',
};

function clusterHealth(hosting: Hosting): RouteReply {
  const part = { healthy: true, message: '', unchanged_since: hosting.startedAt, checked_at: hosting.now() };
  return json(200, { all_healthy: true, api: part, compiler: part, runner: part });
}
