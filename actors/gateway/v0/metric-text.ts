// Metrics of pipelines as Prometheus reads them and as JSON.
import type { PipelineStats } from '../../supervisor/messages.ts';
import type { LiveDeployment } from '../hosting/live-deployment.ts';
import { totals } from './stats-reply.ts';

export interface Metric {
  readonly key: string;
  readonly type: 'counter' | 'gauge';
  readonly description: string;
  readonly values: readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[];
}

export function pipelineMetrics(
  name: string,
  deployment: LiveDeployment,
  stats: PipelineStats,
  maxRssMegabytes: unknown,
): readonly Metric[] {
  const { processed, completed, buffered, inputBytes } = totals(deployment, stats);
  const { engine } = stats;
  const labels = { pipeline: name };
  const one = (key: string, type: Metric['type'], description: string, value: number): Metric => ({
    key,
    type,
    description,
    values: [{ labels, value }],
  });
  const inputs = (
    key: string,
    description: string,
    count: (input: PipelineStats['inputs'][number]) => number,
  ): Metric => ({
    key,
    type: 'counter',
    description,
    values: stats.inputs.map((input) => ({ labels: { ...labels, endpoint: input.endpoint }, value: count(input) })),
  });
  const inspected = [...stats.inputs, ...stats.outputs].map(({ endpoint, inspectorDroppedRecords: value }) => ({
    labels: { ...labels, endpoint },
    value,
  }));
  return [
    one('records_input_total', 'counter', 'Rows that have come in', processed + buffered),
    one('records_input_buffered', 'gauge', 'Rows that wait for a step', buffered),
    one('records_processed_total', 'counter', 'Rows that steps have taken', processed),
    one('records_completed_total', 'counter', 'Rows whose effects every output has confirmed', completed),
    one('input_bytes_total', 'counter', 'Bytes that have come in', inputBytes),
    one('steps_total', 'counter', 'Steps', engine?.steps ?? 0),
    one('step_milliseconds_total', 'counter', 'Time spent in steps', engine?.stepMs ?? 0),
    one('state_rows', 'gauge', 'Rows of state', engine?.stateRows ?? 0),
    one('state_bytes', 'gauge', 'Bytes of state', engine?.stateBytes ?? 0),
    one('evaluation_errors_total', 'counter', 'Rows left out by on_error', engine?.numEvaluationErrors ?? 0),
    one('rss_bytes', 'gauge', 'Memory of the process', stats.memory.rssBytes),
    ...(typeof maxRssMegabytes === 'number'
      ? [one('max_rss_bytes', 'gauge', 'Memory that it may use', maxRssMegabytes * 1e6)]
      : []),
    one('uptime_seconds', 'gauge', 'Time since the start', stats.uptimeMs / 1_000),
    inputs('input_connector_records_total', 'Rows of an input connector', (input) => input.totalRecords),
    inputs('input_connector_errors_parse_total', 'Rows that could not be read', (input) => input.numParseErrors),
    inputs('input_connector_errors_transport_total', 'Errors of a transport', (input) => input.numTransportErrors),
    {
      key: 'inspector_dropped_records_total',
      type: 'counter',
      description: 'Records that those who inspect a connector had no room for',
      values: inspected,
    },
  ];
}

/** Families of several pipelines under one head each. */
export function prometheusText(metrics: readonly Metric[]): string {
  const families = new Map<string, { readonly metric: Metric; readonly lines: string[] }>();
  for (const metric of metrics) {
    const family = families.get(metric.key) ?? { metric, lines: [] };
    families.set(metric.key, family);
    for (const { labels, value } of metric.values) {
      const shown = Object.entries(labels).map(([name, text]) => `${name}="${escapeLabel(text)}"`);
      family.lines.push(`${metric.key}{${shown.join(',')}} ${value}\n`);
    }
  }
  return [...families.values()]
    .map(
      ({ metric, lines }) =>
        `# HELP ${metric.key} ${metric.description}\n# TYPE ${metric.key} ${metric.type}\n${lines.join('')}`,
    )
    .join('');
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
