// `millrace ps`: the pipelines of a server, one a line.
import { systemClock } from '../../../runtime/clock.ts';
import { jsonText } from '../terminal/json-text.ts';
import { textTable } from '../terminal/text-table.ts';
import { type Command, exitCodes } from './command.ts';
import { elapsedText } from './elapsed-text.ts';
import { list, member, sortedBy, text } from './reply-fields.ts';
import { ServerClient, serverOptions } from './server-client.ts';

export const psCommand: Command = {
  name: 'ps',
  synopsis: 'ps [--json] [--url URL] [--api-key KEY]',
  summary: 'Lists the pipelines of a server.',
  description: `Prints the name, the status and since when, the desired status, the status of the program and the number of
connector errors of every pipeline, sorted by name; --json prints a JSON object a line. --url and --api-key may be given as
MILLRACE_URL and MILLRACE_API_KEY.`,
  options: { ...serverOptions, json: { type: 'boolean' } },
  operands: 0,
  async run(_operands, options, tools): Promise<number> {
    const client = new ServerClient(options, tools.environment);
    const reply: unknown = await (await client.call('/pipelines?selector=status_with_connectors')).json();
    const pipelines = sortedBy(list(reply), 'name');
    if (options['json'] === true) {
      for (const pipeline of pipelines) tools.out(`${jsonText(pipeline)}\n`);
      return exitCodes.ok;
    }
    const now = systemClock.now();
    const rows = pipelines.map((pipeline) => ({
      name: text(pipeline, 'name'),
      status: text(pipeline, 'deployment_status'),
      since: elapsedText(text(pipeline, 'deployment_status_since'), now),
      desired: text(pipeline, 'deployment_desired_status'),
      program: text(pipeline, 'program_status'),
      errors: member(member(pipeline, 'connectors'), 'num_errors') ?? '',
    }));
    tools.out(`${textTable(['name', 'status', 'since', 'desired', 'program', 'errors'], rows).join('\n')}\n`);
    return exitCodes.ok;
  },
};
