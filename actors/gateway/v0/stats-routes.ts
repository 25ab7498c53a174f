// Statistics, metrics and time series of pipelines.
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { systemClock } from '../../../runtime/clock.ts';
import type { PipelineStats } from '../../supervisor/messages.ts';
import type { Hosting } from '../hosting/hosting.ts';
import type { LiveDeployment } from '../hosting/live-deployment.ts';
import { HttpProblem } from '../http/http-problem.ts';
import {
  body,
  byName,
  list,
  moment,
  numeric,
  object,
  oneOf,
  type ReplyBody,
  text,
  whole,
} from '../http/reply-shape.ts';
import { json, type Route, type RouteReply, type RouteRequest } from '../http/route.ts';
import { type Metric, pipelineMetrics, prometheusText } from './metric-text.ts';
import { flag } from './query-flag.ts';
import { statsReply, statsShape } from './stats-reply.ts';

const sampleShape = object({ t: moment, r: whole, m: whole, s: whole });
const seriesShape = object({ now: moment, samples: list(sampleShape) });
const metricShape = object({
  key: text,
  type: oneOf('counter', 'gauge'),
  description: text,
  values: list(object({ labels: byName(text), value: numeric })),
});

/** Connectors are asked for their lists one by one; what one that has just been removed had is not there any more. */
async function withErrorLists(deployment: LiveDeployment, stats: PipelineStats): Promise<PipelineStats> {
  const inputs = stats.inputs.map((input) =>
    deployment.call('stats', (control) => control.inputStats(input.endpoint)).catch(() => input),
  );
  const outputs = stats.outputs.map((output) =>
    deployment.call('stats', (control) => control.outputStats(output.endpoint)).catch(() => output),
  );
  return { ...stats, inputs: await Promise.all(inputs), outputs: await Promise.all(outputs) };
}

export function statsRoutes(hosting: Hosting): readonly Route[] {
  const { pipelines } = hosting;
  const named = (request: RouteRequest) => pipelines.get(request.params['pipeline_name'] ?? '');
  const route = (
    path: string,
    summary: string,
    ok: ReplyBody,
    handle: Route['handle'],
    query: Readonly<Record<string, string>> = {},
  ): Route => ({
    method: 'GET',
    path,
    summary,
    access: 'read',
    query,
    ok: { 200: ok },
    problems: [400, 404, 503],
    handle,
  });
  const metricsOf = async (name: string): Promise<readonly Metric[]> => {
    const pipeline = pipelines.get(name);
    const deployment = pipeline.deployed();
    const stats = await deployment.call('stats', (control) => control.stats());
    return pipelineMetrics(name, deployment, stats, pipeline.record.source.runtimeConfig['max_rss_mb']);
  };
  return [
    route(
      '/v0/pipelines/{pipeline_name}/stats',
      'Counters of a pipeline and its connectors',
      statsShape,
      async (request) => {
        const pipeline = named(request);
        const deployment = pipeline.deployed();
        const withErrors = flag(request.query, 'include_connector_errors');
        const all = await deployment.call('stats', (control) => control.stats());
        const stats = withErrors ? await withErrorLists(deployment, all) : all;
        return json(200, statsReply(pipeline, deployment, stats, { now: systemClock.now(), withErrors }));
      },
      { include_connector_errors: 'with the latest errors of each connector' },
    ),
    route(
      '/v0/pipelines/{pipeline_name}/metrics',
      'Metrics of a pipeline',
      body('text/plain', list(metricShape)),
      async (request) => {
        const format = request.query.get('format') ?? 'prometheus';
        if (format !== 'prometheus' && format !== 'json') {
          throw new HttpProblem({
            status: 400,
            code: 'InvalidParam',
            message: `there is no format '${format}' of metrics: prometheus and json are possible`,
          });
        }
        const metrics = await metricsOf(request.params['pipeline_name'] ?? '');
        return format === 'json' ? json(200, metrics) : plain(prometheusText(metrics));
      },
      { format: 'prometheus or json' },
    ),
    route('/v0/metrics', 'Metrics of every pipeline that is deployed', body('text/plain'), async () => {
      const deployed = pipelines.list().filter(({ record }) => record.resources === 'Provisioned');
      // A pipeline that ends meanwhile has no metrics.
      const metrics = await Promise.all(deployed.map((pipeline) => metricsOf(pipeline.name).catch(() => [])));
      return plain(prometheusText(metrics.flat()));
    }),
    route('/v0/pipelines/{pipeline_name}/time_series', 'The latest samples', seriesShape, (request) => {
      const pipeline = named(request);
      pipeline.deployed();
      return json(200, { now: hosting.now(), samples: pipeline.series.samples });
    }),
    route(
      '/v0/pipelines/{pipeline_name}/time_series_stream',
      'Samples as they are taken',
      body('application/x-ndjson'),
      (request) => {
        const pipeline = named(request);
        const { ended } = pipeline.deployed();
        return {
          status: 200,
          contentType: 'application/x-ndjson',
          stream: (response, signal) =>
            new Promise<void>((resolve) => {
              const write = (sample: unknown): void => void response.write(`${JSON.stringify(sample)}\n`);
              for (const sample of pipeline.series.samples) write(sample);
              const leave = pipeline.series.follow(write);
              const end = (): void => {
                leave();
                resolve();
              };
              signal.addEventListener('abort', end, { once: true });
              ended.addEventListener('abort', end, { once: true });
            }),
        };
      },
    ),
    serverMetrics(hosting),
  ];
}

/** Metrics of the process itself, with the pipelines by status. */
function serverMetrics(hosting: Hosting): Route {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const pipelines = new Gauge({
    name: 'millrace_pipelines',
    help: 'Pipelines by status',
    labelNames: ['status'],
    registers: [registry],
  });
  return {
    method: 'GET',
    path: '/metrics',
    summary: 'Metrics of the server',
    access: 'read',
    ok: { 200: body('text/plain') },
    problems: [],
    handle: async () => {
      pipelines.reset();
      for (const { record } of hosting.pipelines.list()) pipelines.inc({ status: record.runtime ?? record.resources });
      return { status: 200, body: await registry.metrics(), contentType: registry.contentType };
    },
  };
}

/** Exactly this type: clients take anything longer for JSON. */
function plain(text: string): RouteReply {
  return { status: 200, body: text, contentType: 'text/plain' };
}
