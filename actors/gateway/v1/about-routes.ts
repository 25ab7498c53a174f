// What the server says of itself to clients of `/v1`: version, health, readiness.
import type { Hosting } from '../hosting/hosting.ts';
import { list, object, oneOf, text, whole } from '../http/reply-shape.ts';
import type { Route } from '../http/route.ts';
import { v1Problem } from './v1-problem.ts';
import { pipelineState } from './v1-reply.ts';
import { v1Json } from './v1-route.ts';

/** As Go names them. */
const systems: Readonly<Record<string, string>> = { win32: 'windows' };
const architectures: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };
const services = ['PipelineService', 'ConnectorService', 'ProcessorService', 'PluginService', 'InformationService'];

const readinessShape = object({
  status: oneOf('ready', 'unavailable'),
  reason: text,
  pipelines: object({
    total: whole,
    running: whole,
    degraded: whole,
    degradedPipelines: list(object({ id: text, status: text, error: text })),
  }),
});

export function aboutRoutes(hosting: Hosting): readonly Route[] {
  const about = { method: 'GET' as const, access: 'none' as const };
  return [
    {
      ...about,
      path: '/info',
      summary: 'Version and platform',
      ok: { 200: object({ version: text, os: text, arch: text }) },
      problems: [],
      handle: (request) =>
        v1Json(request, {
          version: `v${hosting.version}`,
          os: systems[process.platform] ?? process.platform,
          arch: architectures[process.arch] ?? process.arch,
        }),
    },
    {
      ...about,
      path: '/readyz',
      summary: 'Whether the server takes requests, and how its pipelines are',
      ok: { 200: readinessShape },
      problems: [503],
      handle: async (request) => {
        const reason = await hosting.unready();
        const states = hosting.pipelines.list().map((pipeline) => ({ pipeline, state: pipelineState(pipeline) }));
        const degraded = states.filter(({ state }) => state.status === 'STATUS_DEGRADED');
        // Names and causes are for those who may read them.
        const isShown = hosting.access.isOff || request.principal?.scopes.includes('read') === true;
        const reply = v1Json(request, {
          status: reason === null ? 'ready' : 'unavailable',
          reason: reason ?? '',
          pipelines: {
            total: states.length,
            running: states.filter(({ state }) => state.status === 'STATUS_RUNNING').length,
            degraded: degraded.length,
            degradedPipelines: isShown
              ? degraded.map(({ pipeline, state }) => ({
                  id: pipeline.record.id,
                  status: state.status,
                  error: state.error,
                }))
              : [],
          },
        });
        return reason === null ? reply : { ...reply, status: 503 };
      },
    },
  ];
}

/** The health of one service, by its name with or without the package. @throws HttpProblem 404 */
export function serviceHealth(service: string): { readonly status: 'SERVING' } {
  const name = service.replace(/^api\.v1\./, '');
  if (service !== '' && !services.includes(name)) throw v1Problem('common.not_found', `there is no service ${service}`);
  return { status: 'SERVING' };
}
