// `millrace status PIPELINE`: what a pipeline does, its counters and its connectors.
import { systemClock } from '../../../runtime/clock.ts';
import { jsonText } from '../terminal/json-text.ts';
import { formatBytes, formatCount } from '../terminal/quantities.ts';
import { textTable } from '../terminal/text-table.ts';
import { type Command, exitCodes } from './command.ts';
import { durationText, elapsedText } from './elapsed-text.ts';
import { count, list, member, sortedBy, text } from './reply-fields.ts';
import { ServerClient, serverOptions } from './server-client.ts';

export const statusCommand: Command = {
  name: 'status',
  synopsis: 'status PIPELINE [--json] [--url URL] [--api-key KEY]',
  summary: 'Shows a pipeline of a server: status, counters, connectors.',
  description: `Prints the status, the error of the last deployment if there is one and, of a pipeline that is deployed, its
counters and its connectors, sorted by name. --json prints one object: {"pipeline": …, "stats": … or null}, as the server
has them. --url and --api-key may be given as MILLRACE_URL and MILLRACE_API_KEY.`,
  options: { ...serverOptions, json: { type: 'boolean' } },
  operands: 1,
  async run(operands, options, tools): Promise<number> {
    const [name = ''] = operands;
    const client = new ServerClient(options, tools.environment);
    const pipeline: unknown = await (await client.ask(name, '?selector=status')).json();
    const isDeployed = typeof member(pipeline, 'deployment_runtime_status') === 'string';
    const stats: unknown = isDeployed ? await (await client.ask(name, '/stats')).json() : null;
    if (options['json'] === true) tools.out(`${jsonText({ pipeline, stats })}\n`);
    else tools.out(`${[...describe(pipeline), ...(stats === null ? [] : describeStats(stats))].join('\n')}\n`);
    return exitCodes.ok;
  },
};

function describe(pipeline: unknown): string[] {
  const since = elapsedText(text(pipeline, 'deployment_status_since'), systemClock.now());
  const lines = [
    `pipeline  ${text(pipeline, 'name')}`,
    `status    ${text(pipeline, 'deployment_status')}${since === '' ? '' : ` for ${since}`}`,
    `desired   ${text(pipeline, 'deployment_desired_status')}`,
    `program   ${text(pipeline, 'program_status')}, version ${count(pipeline, 'program_version')}`,
  ];
  const error = member(pipeline, 'deployment_error');
  if (error !== null && error !== undefined) {
    lines.push(`error     ${text(error, 'error_code')}: ${text(error, 'message')}`);
  }
  return lines;
}

function describeStats(stats: unknown): string[] {
  const totals = member(stats, 'global_metrics');
  const lines = [
    `uptime    ${durationText(count(totals, 'uptime_msecs'))}`,
    `memory    ${formatBytes(count(totals, 'rss_bytes'))}`,
    `input     ${formatCount(count(totals, 'total_input_records'))} rows, ${formatBytes(count(totals, 'total_input_bytes'))}`,
    `waiting   ${formatCount(count(totals, 'buffered_input_records'))} rows`,
    `done      ${formatCount(count(totals, 'total_completed_records'))} rows`,
  ];
  const workers = member(totals, 'workers');
  if (count(workers, 'asked') > 1) {
    lines.push(`workers   ${count(workers, 'used')} of ${count(workers, 'asked')} asked for`);
    lines.push(...list(member(workers, 'alone')).map((each) => `          one alone: ${each}`));
  }
  const connectors = [
    ...sortedBy(list(member(stats, 'inputs')), 'endpoint_name').map((input) => connectorRow(input, 'input')),
    ...sortedBy(list(member(stats, 'outputs')), 'endpoint_name').map((output) => connectorRow(output, 'output')),
  ];
  if (connectors.length === 0) return lines;
  return [...lines, '', ...textTable(['connector', 'direction', 'state', 'rows', 'bytes', 'errors'], connectors)];
}

function connectorRow(connector: unknown, direction: 'input' | 'output'): Readonly<Record<string, unknown>> {
  const metrics = member(connector, 'metrics');
  const part = direction === 'input' ? 'total' : 'transmitted';
  const failure = text(connector, 'fatal_error');
  const isEnded = member(metrics, 'end_of_input') === true;
  const isPaused = member(connector, 'paused') === true;
  const errors =
    count(metrics, 'num_transport_errors') + count(metrics, 'num_parse_errors') + count(metrics, 'num_encode_errors');
  return {
    connector: text(connector, 'endpoint_name'),
    direction,
    state: failure !== '' ? `failed: ${failure}` : isEnded ? 'ended' : isPaused ? 'paused' : 'running',
    rows: formatCount(count(metrics, `${part}_records`)),
    bytes: formatBytes(count(metrics, `${part}_bytes`)),
    errors: formatCount(errors),
  };
}
