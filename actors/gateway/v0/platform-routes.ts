// What the server says of itself: version, health, authentication, sessions.
import { anonymous } from '../access/access-control.ts';
import { type Hosting, platformVersion } from '../hosting/hosting.ts';
import type { Principal } from '../http/principal.ts';
import {
  anyObject,
  either,
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
import { json, type Route, type RouteReply } from '../http/route.ts';
import { serviceHealth } from '../v1/about-routes.ts';

type Handle = Route['handle'];

const roles = ['owner', 'admin', 'write', 'read', 'ingest'] as const;
const partShape = object({ healthy: flag, message: text, unchanged_since: moment, checked_at: moment });
const healthShape = object({ all_healthy: flag, api: partShape, compiler: partShape, runner: partShape });
const sessionShape = object({
  tenant_id: uuid,
  tenant_name: text,
  role: oneOf(...roles),
  api_key: orNull(text),
  scopes: list(text),
  pipelines: orNull(list(text)),
  memberships: list(anyObject),
});
const configurationShape = object({
  posthog: text,
  conceptualhq: text,
  product_fruits: text,
  edition: text,
  version: text,
  revision: text,
  runtime_revision: text,
  unstable_features: orNull(text),
  changelog_url: text,
  license_validity: orNull(anyObject),
  telemetry: text,
  update_info: orNull(anyObject),
  build_info: object({
    build_timestamp: text,
    build_cpu: text,
    build_os: text,
    cargo_dependencies: text,
    cargo_features: text,
    cargo_debug: text,
    cargo_opt_level: text,
    cargo_target_triple: text,
    rustc_version: text,
  }),
  build_source: text,
});
const authenticationShape = object({}, { ApiKey: object({ header: text, scheme: text }) });
const demoShape = object({
  name: text,
  title: text,
  description: text,
  program_code: text,
  udf_rust: text,
  udf_toml: text,
});
/** Of the server; of one service by its name. */
const aliveShape = either(object({ status: oneOf('healthy') }), object({ status: oneOf('SERVING') }));

export function platformRoutes(hosting: Hosting): readonly Route[] {
  const get = (
    path: string,
    summary: string,
    access: Route['access'],
    shape: Shape<unknown>,
    handle: Handle,
  ): Route => ({
    method: 'GET',
    path,
    summary,
    access,
    ok: { 200: shape },
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
    get('/healthz', 'Whether the server works', 'none', aliveShape, ({ query }) => {
      const service = query.get('service');
      return json(200, service === null ? { status: 'healthy' } : serviceHealth(service));
    }),
    get('/v0/config', 'Version and edition', 'none', configurationShape, () => json(200, serverConfiguration)),
    get('/config/authentication', 'How callers prove who they are', 'none', authenticationShape, authentication),
    get('/v0/config/authentication', 'How callers prove who they are', 'none', authenticationShape, authentication),
    get('/v0/config/demos', 'Programs to begin with', 'read', list(demoShape), () => json(200, [])),
    get('/v0/config/session', 'Who is calling', 'read', sessionShape, ({ principal }) => {
      const { key, scopes, pipelines } = principal ?? anonymous;
      const session: Shaped<typeof sessionShape> = {
        tenant_id: '00000000-0000-0000-0000-000000000000',
        tenant_name: 'default',
        role: roleOf(principal ?? anonymous),
        api_key: key,
        scopes,
        pipelines,
        memberships: [],
      };
      return json(200, session);
    }),
    get('/v0/cluster_healthz', 'Health of every part', 'read', healthShape, () => clusterHealth(hosting)),
  ];
}

/** The highest that its scopes make up; the names are those of `/v0/api_keys`. */
function roleOf(principal: Principal): (typeof roles)[number] {
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
} satisfies Shaped<typeof configurationShape>;

function clusterHealth(hosting: Hosting): RouteReply {
  const part = { healthy: true, message: '', unchanged_since: hosting.startedAt, checked_at: hosting.now() };
  const health: Shaped<typeof healthShape> = { all_healthy: true, api: part, compiler: part, runner: part };
  return json(200, health);
}
