// `millrace pause` and `millrace resume`: a pipeline of a server, or one connector of it, and waiting until it is so.
import { type CodedErrorClass, defineError } from '../../../runtime/errors.ts';
import { nearestName } from '../../../runtime/nearest-name.ts';
import { jsonText } from '../terminal/json-text.ts';
import { type Command, exitCodes } from './command.ts';
import { moment } from './poll-moment.ts';
import { list, member, text } from './reply-fields.ts';
import { ServerClient, serverOptions } from './server-client.ts';

export const UnknownConnector: CodedErrorClass<{ readonly connector: string; readonly known: readonly string[] }> =
  defineError(
    'server.unknown_connector',
    { help: 'A connector is named relation.name; `millrace status PIPELINE` lists them.' },
    (f) => `there is no connector "${f.connector}"`,
  );

export const NotResumed: CodedErrorClass<{ readonly what: string; readonly status: string }> = defineError(
  'server.not_resumed',
  { help: '`millrace status PIPELINE` and `millrace logs PIPELINE` say why.' },
  (f) => `${f.what} does not run: it is ${f.status}`,
);

const inBetween: readonly string[] = ['Paused', 'Initializing', 'Provisioning'];

interface Connector {
  readonly direction: 'input' | 'output';
  readonly endpoint: string;
  /** Below /v0/pipelines/{pipeline}. */
  readonly path: string;
}

export const pauseCommand: Command = makeCommand('pause');
export const resumeCommand: Command = makeCommand('resume');

function makeCommand(verb: 'pause' | 'resume'): Command {
  const isPause = verb === 'pause';
  return {
    name: verb,
    synopsis: `${verb} PIPELINE [CONNECTOR] [--json] [--url URL] [--api-key KEY]`,
    summary: isPause
      ? 'Pauses a pipeline of a server, or one connector of it.'
      : 'Resumes a pipeline of a server, or one connector of it, and waits until it runs.',
    description: `CONNECTOR is relation.name, as \`millrace status PIPELINE\` lists it. ${
      isPause
        ? 'What has been read before is still computed.'
        : 'Ends when it runs; a pipeline that is stopped is refused.'
    }
--json prints an object with pipeline, connector (or null) and status. --url and --api-key may be given as MILLRACE_URL and
MILLRACE_API_KEY.`,
    options: { ...serverOptions, json: { type: 'boolean' } },
    operands: [1, 2],
    async run(operands, options, tools): Promise<number> {
      const [pipeline = '', name] = operands;
      const client = new ServerClient(options, tools.environment);
      const connector = name === undefined ? null : await findConnector(client, pipeline, name);
      if (connector === null) {
        await client.ask(pipeline, `/${verb}`, { method: 'POST' });
        if (!isPause) await untilPipelineRuns(client, pipeline);
      } else {
        await client.ask(pipeline, `${connector.path}/${isPause ? 'pause' : 'start'}`, { method: 'POST' });
        if (!isPause) await untilConnectorRuns(client, pipeline, connector);
      }
      const status = isPause ? 'paused' : 'running';
      const what = connector === null ? pipeline : `${pipeline}: ${connector.direction} ${connector.endpoint}`;
      if (options['json'] !== true) tools.out(`${what} is ${status}\n`);
      else tools.out(`${jsonText({ pipeline, connector: connector?.endpoint ?? null, status })}\n`);
      return exitCodes.ok;
    },
  };
}

/** An input before an output of the same name. @throws UnknownConnector */
async function findConnector(client: ServerClient, pipeline: string, name: string): Promise<Connector> {
  const stats: unknown = await (await client.ask(pipeline, '/stats')).json();
  const known: string[] = [];
  for (const direction of ['input', 'output'] as const) {
    for (const connector of list(member(stats, `${direction}s`))) {
      const endpoint = text(connector, 'endpoint_name');
      known.push(endpoint);
      if (endpoint !== name) continue;
      const relation = text(member(connector, 'config'), 'stream');
      const segment = encodeURIComponent(`"${relation.replaceAll('"', '""')}"`);
      const ownName = encodeURIComponent(endpoint.slice(relation.length + 1));
      const folder = direction === 'input' ? 'tables' : 'views';
      return { direction, endpoint, path: `/${folder}/${segment}/connectors/${ownName}` };
    }
  }
  known.sort();
  throw new UnknownConnector({ connector: name, known }, { suggestion: nearestName(name, known) });
}

/** @throws NotResumed */
async function untilPipelineRuns(client: ServerClient, pipeline: string): Promise<void> {
  for (;;) {
    const reply: unknown = await (await client.ask(pipeline, '?selector=status')).json();
    const status = text(reply, 'deployment_status');
    if (status === 'Running') return;
    if (!inBetween.includes(status)) throw new NotResumed({ what: `pipeline "${pipeline}"`, status });
    await moment();
  }
}

/** @throws NotResumed */
async function untilConnectorRuns(client: ServerClient, pipeline: string, connector: Connector): Promise<void> {
  for (;;) {
    const reply: unknown = await (await client.ask(pipeline, `${connector.path}/stats`)).json();
    const failure = text(reply, 'fatal_error');
    if (failure !== '')
      throw new NotResumed({ what: `connector "${connector.endpoint}"`, status: `failed: ${failure}` });
    if (member(reply, 'paused') !== true) return;
    await moment();
  }
}
