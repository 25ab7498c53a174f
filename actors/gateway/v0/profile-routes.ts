// Where a pipeline's time and memory go: the plan of its program with the engine's counters, as JSON and as a ZIP file.
//
// Both are streamed: clients tell a profile that is made for them from one that lay about by the chunked reply. What this
// engine has no counterpart of (joins that move rows between workers, files that are merged) is answered as done, because
// nothing is left to do; a heap profile of a thread would say nothing of columns, which lie outside of the heap.
import { systemClock } from '../../../runtime/clock.ts';
import type { HostedPipeline } from '../hosting/hosted-pipeline.ts';
import type { Hosting } from '../hosting/hosting.ts';
import { compilePipeline } from '../hosting/program-compilation.ts';
import { programPlan } from '../hosting/program-plan.ts';
import { HttpProblem } from '../http/http-problem.ts';
import { anyObject, body, nothing, object, orNull, type ReplyBody, type Shaped } from '../http/reply-shape.ts';
import { json, type Route, type RouteReply } from '../http/route.ts';
import { zipArchive } from '../http/zip-archive.ts';
import { planShape } from './program-shape.ts';

const profileShape = object({ engine: orNull(anyObject), dataflow: orNull(planShape) });

export function profileRoutes(hosting: Hosting): readonly Route[] {
  const route = (
    method: 'GET' | 'POST',
    action: string,
    summary: string,
    ok: ReplyBody,
    handle: (pipeline: HostedPipeline) => RouteReply | Promise<RouteReply>,
  ): Route => ({
    method,
    path: `/v0/pipelines/{pipeline_name}/${action}`,
    summary,
    access: method === 'GET' ? 'read' : 'write',
    ok: { 200: ok },
    problems: [404, 501, 503],
    handle: ({ params }) => handle(hosting.pipelines.get(params['pipeline_name'] ?? '')),
  });
  const nothingToDo = (pipeline: HostedPipeline): RouteReply => {
    pipeline.deployed();
    return json(200, undefined);
  };
  return [
    route(
      'GET',
      'circuit_json_profile',
      'The plan with the counters of the engine, as JSON',
      profileShape,
      async (pipeline) => streamed('application/json', Buffer.from(JSON.stringify(await circuitProfile(pipeline)))),
    ),
    route(
      'GET',
      'circuit_profile',
      'The plan with the counters of the engine, in a ZIP file',
      body('application/zip'),
      async (pipeline) => {
        const bytes = Buffer.from(JSON.stringify(await circuitProfile(pipeline), null, 2));
        return streamed('application/zip', zipArchive([{ name: 'circuit_profile.json', bytes }], systemClock.now()));
      },
    ),
    route('POST', 'rebalance', 'Done already: one worker computes all of a join', nothing, nothingToDo),
    route(
      'POST',
      'start_compaction',
      'Done already: state is not kept in files that could be merged',
      nothing,
      nothingToDo,
    ),
    ...(['GET', 'POST'] as const).map((method) =>
      route(method, 'samply_profile', 'Refused: there is no sampling profiler', nothing, (pipeline) => {
        pipeline.deployed();
        throw unavailable('samply_profile', 'start the server with `node --cpu-prof` for a profile of its threads');
      }),
    ),
    route('GET', 'heap_profile', 'Refused: columns lie outside of the heap', nothing, (pipeline) => {
      pipeline.deployed();
      throw unavailable('heap_profile', 'state is kept outside of the heap; stats and metrics say how large it is');
    }),
  ];
}

/** Of a pipeline that is deployed. @throws HttpProblem */
export async function circuitProfile(pipeline: HostedPipeline): Promise<Readonly<Record<string, unknown>>> {
  const deployment = pipeline.deployed();
  const [{ program }, stats] = await Promise.all([
    pipeline.surroundings.validation().then((tools) => compilePipeline(pipeline.record.source.programCode, tools)),
    deployment.call('stats', (control) => control.stats()),
  ]);
  // What moves while nothing happens (time, memory of the process) is in the statistics: two profiles of an idle pipeline agree.
  return { engine: stats.engine, dataflow: program === null ? null : programPlan(program) } satisfies Shaped<
    typeof profileShape
  >;
}

function streamed(contentType: string, bytes: Buffer): RouteReply {
  return {
    status: 200,
    contentType,
    stream: async (response) => {
      response.write(bytes);
    },
  };
}

function unavailable(feature: string, instead: string): HttpProblem {
  return new HttpProblem({
    status: 501,
    code: 'UnsupportedFeature',
    message: `this server has no ${feature}: ${instead}`,
    details: { feature },
  });
}
