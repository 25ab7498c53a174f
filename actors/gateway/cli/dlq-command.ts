// `millrace dlq`: the dead letters of a pipeline of a server, listed and replayed.
import { nearestName } from '../../../runtime/nearest-name.ts';
import { jsonText } from '../terminal/json-text.ts';
import { textTable } from '../terminal/text-table.ts';
import { type Command, exitCodes, UsageError } from './command.ts';
import { findPipeline } from './pipelines-command.ts';
import { moment } from './poll-moment.ts';
import { list, member, text } from './reply-fields.ts';
import { ServerClient, serverOptions } from './server-client.ts';

const verbs = ['list', 'replay'];

export const dlqCommand: Command = {
  name: 'dlq',
  synopsis: 'dlq list | replay PIPELINE [--limit N] [--json] [--url URL] [--api-key KEY]',
  summary: 'Lists and replays the dead letters of a pipeline without SQL.',
  description: `list shows the records that wait in the file of the dead-letter queue (--limit: how many, default 100); --json prints each on a line
of its own, whole. replay tries all that wait now again, in their order, and ends when each is delivered or has been refused again:
then it waits at the end of the queue. The pipeline has to run. The queue has to be
one that is kept: builtin:log of a server with a data folder, or builtin:file.
--url and --api-key may be given as MILLRACE_URL and MILLRACE_API_KEY.`,
  options: { ...serverOptions, json: { type: 'boolean' }, limit: { type: 'string' } },
  operands: 2,
  async run([verb = '', operand = ''], options, tools): Promise<number> {
    if (!verbs.includes(verb)) {
      const detail = `millrace dlq knows no "${verb}"; there are ${verbs.join(', ')}`;
      throw new UsageError({ detail }, { suggestion: nearestName(verb, verbs) });
    }
    const client = new ServerClient(options, tools.environment);
    const id = encodeURIComponent(text(await findPipeline(client, operand), 'id'));
    const path = `/v1/pipelines/${id}/dead-letter-queue`;
    const limit = options['limit'] === undefined ? '' : `?limit=${encodeURIComponent(String(options['limit']))}`;
    const waitingLetters = async (): Promise<unknown> => await (await client.fetch(`${path}/records${limit}`)).json();
    if (verb === 'list') {
      const reply = await waitingLetters();
      const letters = list(member(reply, 'records'));
      if (options['json'] === true) {
        for (const letter of letters) tools.out(`${jsonText(letter)}\n`);
        return exitCodes.ok;
      }
      const rows = letters.map((letter) => ({
        at: text(letter, 'createdAt'),
        source: text(letter, 'sourceConnectorId'),
        refusedBy: text(letter, 'nodeId'),
        position: text(member(letter, 'record'), 'position'),
        // Who has refused it stands beside.
        error: text(letter, 'error').replace(/^processor '[^']*' has refused a record: /, ''),
      }));
      tools.out(`${textTable(['at', 'source', 'refusedBy', 'position', 'error'], rows, 'error').join('\n')}\n`);
      tools.out(`${String(member(reply, 'waiting'))} waiting\n`);
      return exitCodes.ok;
    }
    let reply: unknown = await (await client.fetch(`${path}/replay`, { method: 'POST' })).json();
    while (text(reply, 'state') === 'running') {
      await moment();
      reply = await (await client.fetch(`${path}/replay`)).json();
    }
    const state = text(reply, 'state');
    const waiting = member(await waitingLetters(), 'waiting');
    if (options['json'] === true) tools.out(`${jsonText({ pipeline: operand, ...Object(reply), waiting })}\n`);
    else {
      const error = text(reply, 'error');
      const done = state === 'done' ? 'replayed' : 'the replay has ended early: replayed';
      tools.out(
        `${done} ${String(member(reply, 'replayed'))}, ${String(waiting)} waiting${error === '' ? '' : `: ${error}`}\n`,
      );
    }
    return state === 'done' ? exitCodes.ok : exitCodes.failed;
  },
};
