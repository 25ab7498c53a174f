// `millrace pipelines`: pipelines without SQL, of a server and in files, by the verbs that users of Conduit know.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { wait } from '../../../connectors/sdk/wait.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { nearestName } from '../../../runtime/nearest-name.ts';
import { jsonText } from '../terminal/json-text.ts';
import { textTable } from '../terminal/text-table.ts';
import { describe } from './catalog-commands.ts';
import { checkConduit } from './check-conduit.ts';
import { type Command, exitCodes, type OptionValues, type Tools, UsageError } from './command.ts';
import { pipelineTemplate } from './pipeline-template.ts';
import { moment } from './poll-moment.ts';
import { list, member, sortedBy, text } from './reply-fields.ts';
import { writeNewFile } from './result-file.ts';
import { absent, ServerClient, ServerRefused, serverOptions } from './server-client.ts';

/** How long a stop takes before what it waits for is told. */
const awaitedMs = 2_000;

interface Verb {
  readonly operand: 'none' | 'needed' | 'optional';
  run(operand: string, options: OptionValues, tools: Tools): Promise<number>;
}

export const pipelinesCommand: Command = {
  name: 'pipelines',
  synopsis: 'pipelines VERB [PIPELINE | PATH | NAME] [--json] [--url URL] [--api-key KEY]',
  summary: 'Pipelines of a server and pipeline files of Conduit, by its verbs.',
  description: `Of a server: list (or ls), describe PIPELINE, start PIPELINE, stop PIPELINE [--force]. A pipeline is named by id or name.
Of files, without a server: validate PATH, lint PATH [--strict] (warnings too; with --strict they are problems), dry-run PATH
(what the server would make of it), each of a file or a folder; --connectors FOLDER has the settings of plugins checked.
init [NAME] [--source PLUGIN] [--destination PLUGIN] [--force] writes pipelines/NAME.yaml.
--url and --api-key may be given as MILLRACE_URL and MILLRACE_API_KEY.`,
  options: {
    ...serverOptions,
    json: { type: 'boolean' },
    force: { type: 'boolean' },
    strict: { type: 'boolean' },
    connectors: { type: 'string' },
    processors: { type: 'string' },
    source: { type: 'string' },
    destination: { type: 'string' },
  },
  operands: [1, 2],
  async run([name = '', operand], options, tools): Promise<number> {
    const verb = verbs[name];
    if (verb === undefined) {
      const names = Object.keys(verbs);
      const detail = `millrace pipelines knows no "${name}"; there are ${names.join(', ')}`;
      throw new UsageError({ detail }, { suggestion: nearestName(name, names) });
    }
    if (verb.operand === 'none' ? operand !== undefined : verb.operand === 'needed' && operand === undefined) {
      const wanted = verb.operand === 'none' ? 'takes no operand' : 'needs a pipeline or a path';
      throw new UsageError({ detail: `millrace pipelines ${name} ${wanted}` });
    }
    return await verb.run(operand ?? '', options, tools);
  },
};

const listVerb: Verb = {
  operand: 'none',
  async run(_, options, tools) {
    const client = new ServerClient(options, tools.environment);
    const pipelines = sortedBy(list(await (await client.fetch('/v1/pipelines')).json()), 'id');
    if (options['json'] === true) for (const pipeline of pipelines) tools.out(`${jsonText(pipeline)}\n`);
    else {
      const rows = pipelines.map((pipeline) => ({
        id: text(pipeline, 'id'),
        name: text(member(pipeline, 'config'), 'name'),
        state: statusOf(pipeline),
        connectors: list(member(pipeline, 'connectorIds')).length,
        updated: text(pipeline, 'updatedAt'),
      }));
      tools.out(`${textTable(['id', 'name', 'state', 'connectors', 'updated'], rows).join('\n')}\n`);
    }
    return exitCodes.ok;
  },
};

const verbs: Readonly<Record<string, Verb>> = {
  list: listVerb,
  ls: listVerb,
  describe: {
    operand: 'needed',
    async run(operand, options, tools) {
      const client = new ServerClient(options, tools.environment);
      const pipeline = await findPipeline(client, operand);
      const id = encodeURIComponent(text(pipeline, 'id'));
      const connectors: unknown = await (await client.fetch(`/v1/connectors?pipelineId=${id}`)).json();
      const queue: unknown = await client.fetch(`/v1/pipelines/${id}/dead-letter-queue`).then(
        (reply) => reply.json(),
        // A pipeline with SQL has none.
        (error: unknown) => (error instanceof ServerRefused ? null : Promise.reject(error)),
      );
      const parents = [text(pipeline, 'id'), ...list(connectors).map((connector) => text(connector, 'id'))];
      const query = parents.map((parent) => `parentIds=${encodeURIComponent(parent)}`).join('&');
      const processors: unknown = await (await client.fetch(`/v1/processors?${query}`)).json();
      const whole = {
        ...Object(pipeline),
        connectors,
        processors,
        ...(queue === null ? {} : { deadLetterQueue: queue }),
      };
      tools.out(options['json'] === true ? `${jsonText(whole)}\n` : `${describe(whole).join('\n')}\n`);
      return exitCodes.ok;
    },
  },
  start: { operand: 'needed', run: (operand, options, tools) => change('start', operand, options, tools) },
  stop: { operand: 'needed', run: (operand, options, tools) => change('stop', operand, options, tools) },
  validate: {
    operand: 'needed',
    run: (path, options, tools) => checkConduit(path, options, tools, { warnings: 'hide', isGraphShown: false }),
  },
  lint: {
    operand: 'needed',
    run: (path, options, tools) => {
      const warnings = options['strict'] === true ? 'strict' : 'show';
      return checkConduit(path, options, tools, { warnings, isGraphShown: false });
    },
  },
  'dry-run': { operand: 'needed', run: (path, options, tools) => checkConduit(path, options, tools) },
  init: { operand: 'optional', run: init },
};

async function change(verb: 'start' | 'stop', operand: string, options: OptionValues, tools: Tools): Promise<number> {
  const client = new ServerClient(options, tools.environment);
  const path = `/v1/pipelines/${encodeURIComponent(text(await findPipeline(client, operand), 'id'))}`;
  const body = JSON.stringify(verb === 'stop' ? { force: options['force'] === true } : {});
  const done = new AbortController();
  const asked = client.fetch(`${path}/${verb}`, { method: 'POST', body }).finally(() => done.abort());
  if (verb === 'stop') void sayWhatIsAwaited(client, path, operand, tools, done.signal);
  const reply: unknown = await (await asked).json();
  let pipeline: unknown = await (await client.fetch(path)).json();
  for (; statusOf(pipeline) === 'starting'; pipeline = await (await client.fetch(path)).json()) await moment();
  const status = statusOf(pipeline);
  const error = text(member(pipeline, 'state'), 'error');
  if (options['json'] === true) tools.out(`${jsonText({ pipeline: operand, status, error, ...Object(reply) })}\n`);
  else {
    tools.out(`${operand} is ${status}${error === '' ? '' : `: ${error}`}\n`);
    for (const line of describe(reply)) tools.err(`${line}\n`);
  }
  return (verb === 'start') === (status === 'running') ? exitCodes.ok : exitCodes.failed;
}

/** A stop may take as long as its deadlines are: whoever waits is told for what, and how to wait no longer. */
async function sayWhatIsAwaited(
  client: ServerClient,
  path: string,
  operand: string,
  tools: Tools,
  signal: AbortSignal,
): Promise<void> {
  const told = new Set<string>();
  for (;;) {
    await wait(systemClock, awaitedMs, signal);
    if (signal.aborted) return;
    const pipeline: unknown = await client.fetch(path).then(
      (reply) => reply.json(),
      // The stop itself says what is wrong.
      () => null,
    );
    for (const awaited of list(member(member(member(pipeline, 'state'), 'stopping'), 'waitsFor'))) {
      const line = `waits for connector ${text(awaited, 'connectorId')}: ${text(awaited, 'call')}, until ${text(awaited, 'until')}`;
      if (signal.aborted || told.has(line)) continue;
      told.add(line);
      tools.err(`${line}. To wait no longer: millrace pipelines stop ${operand} --force\n`);
    }
  }
}

function statusOf(pipeline: unknown): string {
  return text(member(pipeline, 'state'), 'status').replace('STATUS_', '').toLowerCase();
}

/** By id, else by name. @throws ServerRefused */
export async function findPipeline(client: ServerClient, wanted: string): Promise<unknown> {
  const pipelines = list(await (await client.fetch('/v1/pipelines')).json());
  const name = (pipeline: unknown): string => text(member(pipeline, 'config'), 'name');
  const found =
    pipelines.find((pipeline) => text(pipeline, 'id') === wanted) ??
    pipelines.find((pipeline) => name(pipeline) === wanted);
  if (found !== undefined) return found;
  const names = pipelines.flatMap((pipeline) => [text(pipeline, 'id'), name(pipeline)]);
  throw absent('pipeline', wanted, names);
}

async function init(given: string, options: OptionValues, tools: Tools): Promise<number> {
  const name = given === '' ? 'my-pipeline' : given;
  if (!/^[A-Za-z0-9\-_:.]{1,128}$/.test(name)) {
    throw new UsageError({ detail: `"${name}" is no id of a pipeline: letters, digits, and - _ : .` });
  }
  const file = join('pipelines', `${name}.yaml`);
  if (existsSync(file) && options['force'] !== true) {
    throw new UsageError({ detail: `${file} exists already; --force writes over it` });
  }
  const plugin = (option: string, fallback: string): string => {
    const value = options[option];
    return typeof value === 'string' ? value : fallback;
  };
  const text = pipelineTemplate({
    id: name,
    source: plugin('source', 'generator'),
    destination: plugin('destination', 'log'),
    registry: (await tools.loadValidation()).registry,
  });
  writeNewFile(file, text);
  tools.out(`${file}\n`);
  return exitCodes.ok;
}
