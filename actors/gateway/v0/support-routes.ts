// `support_bundle`: all that there is to know of a pipeline in one ZIP file, for whoever helps. Parts are left out by
// `part=false`; what a pipeline that is not deployed has not got (statistics, metrics) is not in it. No secrets: connector
// settings are as the program spells them.
import { systemClock } from '../../../runtime/clock.ts';
import type { Hosting } from '../hosting/hosting.ts';
import { compilePipeline } from '../hosting/program-compilation.ts';
import { programPlan } from '../hosting/program-plan.ts';
import { body } from '../http/reply-shape.ts';
import type { Route } from '../http/route.ts';
import { type ZipEntry, zipArchive } from '../http/zip-archive.ts';
import { describePipeline } from './descriptor.ts';
import { pipelineMetrics, prometheusText } from './metric-text.ts';
import { serverConfiguration } from './platform-routes.ts';
import { circuitProfile } from './profile-routes.ts';
import { statsReply } from './stats-reply.ts';

const query: Readonly<Record<string, string>> = {
  logs: 'false: without the log',
  stats: 'false: without statistics',
  metrics: 'false: without metrics',
  pipeline_config: 'false: without the definition',
  system_config: 'false: without the version of the server',
  dataflow_graph: 'false: without the plan',
  pipeline_events: 'false: without the history',
  circuit_profile: 'false: without the counters of the engine',
};

export function supportRoutes(hosting: Hosting): readonly Route[] {
  const { pipelines } = hosting;
  return [
    {
      method: 'GET',
      path: '/v0/pipelines/{pipeline_name}/support_bundle',
      summary: 'A ZIP file with the definition, log, history, statistics, metrics and plan of a pipeline',
      access: 'read',
      query,
      ok: { 200: body('application/zip') },
      problems: [404],
      handle: async (request) => {
        const pipeline = pipelines.get(request.params['pipeline_name'] ?? '');
        const now = systemClock.now();
        const entries: ZipEntry[] = [];
        const folder = new Date(now).toISOString().slice(0, 19).replaceAll(':', '-');
        const add = (name: string, text: string): void => {
          entries.push({ name: `${folder}/${name}`, bytes: Buffer.from(text, 'utf8') });
        };
        const addJson = (name: string, value: unknown): void => add(name, JSON.stringify(value, null, 2));
        const wants = (part: string): boolean => request.query.get(part) !== 'false';
        if (wants('pipeline_config')) addJson('pipeline_config.json', describePipeline(pipeline, 'all'));
        if (wants('system_config')) addJson('system_config.json', serverConfiguration);
        if (wants('logs')) add('logs.txt', `${pipeline.logs.after(0, Number.MAX_SAFE_INTEGER).join('\n')}\n`);
        if (wants('pipeline_events')) addJson('pipeline_events.json', pipeline.events.events);
        if (wants('dataflow_graph')) {
          const { program } = compilePipeline(
            pipeline.record.source.programCode,
            await pipelines.surroundings.validation(),
          );
          if (program !== null) addJson('dataflow_graph.json', programPlan(program));
        }
        const { deployment } = pipeline;
        // A pipeline that is ending does not answer.
        const stats = await deployment?.call('stats', (control) => control.stats()).catch(() => null);
        if (deployment && stats) {
          if (wants('stats')) addJson('stats.json', statsReply(pipeline, deployment, stats, { now, withErrors: true }));
          const limit = pipeline.record.source.runtimeConfig['max_rss_mb'];
          if (wants('metrics')) {
            add('metrics.txt', prometheusText(pipelineMetrics(pipeline.name, deployment, stats, limit)));
          }
        }
        if (deployment && wants('circuit_profile')) {
          const profile = await circuitProfile(pipeline).catch(() => null);
          if (profile !== null) addJson('circuit_profile.json', profile);
        }
        entries.push(...metadata(pipeline.name, now, entries));
        const disposition = `attachment; filename="${pipeline.name}-support-bundle.zip"`;
        return {
          status: 200,
          body: zipArchive(entries, now),
          contentType: 'application/zip',
          headers: { 'Content-Disposition': disposition },
        };
      },
    },
  ];
}

/** What the file is and what it holds, at its top: for programs, and for people. */
function metadata(name: string, now: number, entries: readonly ZipEntry[]): ZipEntry[] {
  const fields = {
    pipeline_name: name,
    collected_at: new Date(now).toISOString(),
    platform_version: serverConfiguration['version'],
    files: entries.map((entry) => entry.name),
  };
  const text = `Support bundle of pipeline ${name}\nCollected at ${fields.collected_at}\n${fields.files.join('\n')}\n`;
  return [
    { name: 'metadata.json', bytes: Buffer.from(JSON.stringify(fields, null, 2)) },
    { name: 'metadata.txt', bytes: Buffer.from(text) },
  ];
}
