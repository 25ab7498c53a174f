// What the server says of itself: version, health, authentication, sessions.
import { type Hosting, platformVersion } from '../server/hosting-start.ts';
import { json, type Route, type RouteReply } from '../server/route.ts';

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
  return [
    get('/healthz', 'Whether the server works', 'none', () => json(200, { status: 'healthy' })),
    get('/v0/config', 'Version and edition', 'none', () => json(200, configuration)),
    get('/config/authentication', 'How callers prove who they are', 'none', () => json(200, {})),
    get('/v0/config/authentication', 'How callers prove who they are', 'none', () => json(200, {})),
    get('/v0/config/demos', 'Programs to begin with', 'read', () => json(200, [])),
    get('/v0/config/session', 'Who is calling', 'read', () =>
      json(200, {
        tenant_id: '00000000-0000-0000-0000-000000000000',
        tenant_name: 'default',
        role: 'owner',
        memberships: [],
      }),
    ),
    get('/v0/cluster_healthz', 'Health of every part', 'read', () => clusterHealth(hosting)),
  ];
}

const configuration = {
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
