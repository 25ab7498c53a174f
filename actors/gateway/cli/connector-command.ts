// `millrace connector new NAME`: a package with a connector, its tests and a pipeline.
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type CodedErrorClass, defineError } from '../../../runtime/errors.ts';
import { nearestName } from '../../../runtime/nearest-name.ts';
import { type Command, exitCodes, type OptionValues, type Tools, UsageError } from './command.ts';
import { connectorScaffold } from './connector-scaffold.ts';

export const FolderExists: CodedErrorClass<{ readonly folder: string }> = defineError(
  'cli.folder_exists',
  { help: 'Choose another name, or remove the folder.' },
  (f) => `${f.folder} exists already: nothing was written`,
);

const subcommands = ['new'];

export const connectorCommand: Command = {
  name: 'connector',
  synopsis: 'connector new NAME [--destination]',
  summary: 'Makes a new connector of your own.',
  description: `new NAME writes a folder NAME with a source in TypeScript, its tests and a pipeline that uses it; with
--destination a destination. Nothing is downloaded: run npm install in the folder. docs/own-connectors.md tells the rest.`,
  options: { destination: { type: 'boolean' } },
  operands: [1, 2],
  async run(operands, options, tools): Promise<number> {
    const [subcommand = '', operand] = operands;
    if (!subcommands.includes(subcommand)) {
      const detail = `connector knows no "${subcommand}"; there is ${subcommands.join(', ')}`;
      throw new UsageError({ detail }, { suggestion: nearestName(subcommand, subcommands) });
    }
    return await scaffold(operand, options, tools);
  },
};

async function scaffold(name: string | undefined, options: OptionValues, tools: Tools): Promise<number> {
  if (name === undefined) throw new UsageError({ detail: 'connector new needs a name' });
  if (!/^[a-z][a-z0-9_-]{0,62}$/.test(name)) {
    const detail = `"${name}" is no name for a connector: lower case letters, digits, - and _, at most 63, a letter first`;
    throw new UsageError({ detail });
  }
  if (existsSync(name)) throw new FolderExists({ folder: name });
  const direction = options['destination'] === true ? 'destination' : 'source';
  for (const [path, text] of connectorScaffold({ name, direction, version: tools.version })) {
    const file = join(name, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    tools.out(`${file}\n`);
  }
  tools.err(`Next: cd ${name} && npm install && npm test\n`);
  return exitCodes.ok;
}
