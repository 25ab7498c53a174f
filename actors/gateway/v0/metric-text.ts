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

interface Family<S> extends Omit<Metric, 'values'> {
  readonly value: (connector: S) => number | boolean;
}

type Input = PipelineStats['inputs'][number];
type Output = PipelineStats['outputs'][number];

const inputFamilies: readonly Family<Input>[] = [
  gauge('input_connector_running', 'Whether it is being read', ({ state }) => state === 'running'),
  gauge('input_connector_end_of_input', 'Whether it has ended', ({ endOfInput }) => endOfInput),
  gauge('input_connector_barrier', 'Whether it keeps a checkpoint from being taken', () => false),
  gauge('input_connector_buffered_records', 'Rows that wait for a step', (input) => input.bufferedRecords),
  gauge('input_connector_buffered_records_bytes', 'Bytes of them', (input) => input.bufferedBytes),
  counter('input_connector_records_total', 'Rows of an input connector', (input) => input.totalRecords),
  counter('input_connector_bytes_total', 'Bytes of an input connector', (input) => input.totalBytes),
  counter('input_connector_errors_parse_total', 'Rows that could not be read', (input) => input.numParseErrors),
  counter('input_connector_errors_transport_total', 'Errors of a transport', (input) => input.numTransportErrors),
];

const outputFamilies: readonly Family<Output>[] = [
  counter('output_connector_records_total', 'Rows of an output connector', (output) => output.transmittedRecords),
  counter('output_connector_bytes_total', 'Bytes of an output connector', (output) => output.transmittedBytes),
  gauge('output_connector_queued_records', 'Rows that it has not taken yet', (output) => output.queuedRecords),
  gauge('output_connector_buffered_records', 'Rows in its output buffer', (output) => output.bufferedRecords),
  counter('output_connector_errors_encode_total', 'Rows that could not be printed', (output) => output.numEncodeErrors),
  counter('output_connector_errors_transport_total', 'Errors of a transport', (output) => output.numTransportErrors),
];

function gauge<S>(key: string, description: string, value: Family<S>['value']): Family<S> {
  return { key, type: 'gauge', description, value };
}

function counter<S>(key: string, description: string, value: Family<S>['value']): Family<S> {
  return { key, type: 'counter', description, value };
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
  const each = <S extends { readonly endpoint: string }>(
    connectors: readonly S[],
    families: readonly Family<S>[],
  ): readonly Metric[] =>
    families.map(({ key, type, description, value }) => ({
      key,
      type,
      description,
      values: connectors.map((connector) => ({
        labels: { ...labels, endpoint: connector.endpoint },
        value: Number(value(connector)),
      })),
    }));
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
    one(
      'output_stall_milliseconds',
      'gauge',
      'For how long steps have been waiting for an output',
      engine?.heldMs ?? 0,
    ),
    ...each(stats.inputs, inputFamilies),
    ...each(stats.outputs, outputFamilies),
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
