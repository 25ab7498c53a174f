// `millrace connector new NAME`: a package with a connector, its tests and a pipeline.
// `millrace connector serve FILE`: a connector as a plugin process that Conduit, or another Millrace, can start.

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { stringify } from 'yaml';
import { withModules } from '../../../connectors/connector-modules.ts';
import { loaded } from '../../../connectors/sdk/load-on-use.ts';
import {
  isStartedByHost,
  type ServedConnector,
  servedSpecification,
  servePlugin,
} from '../../../connectors/standalone/plugin-server.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { type CodedErrorClass, defineError } from '../../../runtime/errors.ts';
import { nearestName } from '../../../runtime/nearest-name.ts';
import { type Command, exitCodes, type OptionValues, type Tools, UsageError } from './command.ts';
import { connectorScaffold } from './connector-scaffold.ts';
import { dependencyOnMillrace } from './own-package.ts';
import { writeNewFile } from './result-file.ts';

export const FolderExists: CodedErrorClass<{ readonly folder: string }> = defineError(
  'cli.folder_exists',
  { help: 'Choose another name, or remove the folder.' },
  (f) => `${f.folder} exists already: nothing was written`,
);

export const ModuleNotServable: CodedErrorClass<{ readonly file: string }> = defineError(
  'cli.module_not_servable',
  { help: 'Export one source that produces records, one destination that accepts records, or both under one name.' },
  (f) => `${f.file} holds no connector that can be a plugin, or more than one`,
);

const subcommands = ['new', 'serve'];
/** For the last answers to the host. */
const lingerMs = 200;

export const connectorCommand: Command = {
  name: 'connector',
  synopsis: 'connector new NAME [--destination] | serve FILE',
  summary: 'Makes a new connector of your own, or serves one as a plugin process.',
  description: `new NAME writes a folder NAME with a source in TypeScript, its tests and a pipeline that uses it; with
--destination a destination. Nothing is downloaded: run npm install in the folder. docs/own-connectors.md tells the rest.
serve FILE turns the connector in a module into a plugin of Conduit's connector protocol, versions 1 and 2, when a host
starts it; called by a person it prints the specification. A host runs executables: put a script into its folder of
connectors that says "exec millrace connector serve /path/to/connector.js".`,
  options: { destination: { type: 'boolean' } },
  operands: [1, 2],
  async run(operands, options, tools): Promise<number> {
    const [subcommand = '', operand] = operands;
    if (!subcommands.includes(subcommand)) {
      const detail = `connector knows no "${subcommand}"; there is ${subcommands.join(', ')}`;
      throw new UsageError({ detail }, { suggestion: nearestName(subcommand, subcommands) });
    }
    if (subcommand === 'serve') return await serve(operand, tools);
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
  const dependency = dependencyOnMillrace(tools.packageFolder, tools.version);
  for (const [path, text] of connectorScaffold({ name, direction, dependency })) {
    const file = join(name, path);
    writeNewFile(file, text);
    tools.out(`${file}\n`);
  }
  if (dependency.startsWith('file:')) {
    tools.err(`This Millrace is of no registry: the package takes it from ${tools.packageFolder} (package.json).\n`);
  }
  tools.err(`Next: cd ${name} && npm install && npm test\n`);
  return exitCodes.ok;
}

async function serve(file: string | undefined, tools: Tools): Promise<number> {
  if (file === undefined) throw new UsageError({ detail: 'connector serve needs the file of a module' });
  const connector = await servedConnector(resolve(file));
  const { environment } = tools;
  if (!isStartedByHost(environment)) {
    tools.out(stringify({ specification: servedSpecification(connector) }, { lineWidth: 0 }));
    tools.err('This is a plugin: a host such as Conduit or Millrace starts it.\n');
    return exitCodes.ok;
  }
  const code = await servePlugin(connector, { environment, clock: systemClock, out: tools.out, err: tools.err });
  // What the connector's own code has left open (a timer, a client) must not keep the process: a host waits 2 s for its end.
  systemClock.after(lingerMs, () => process.exit(code));
  return code;
}

/** The one source and the one destination of a module. @throws ModuleNotLoaded, ModuleNotServable */
async function servedConnector(file: string): Promise<ServedConnector> {
  const nothing = { sources: [], destinations: [], inputFormats: [], outputFormats: [], processors: [] };
  const { registry, problems } = await withModules(nothing, [file]);
  if (problems[0] !== undefined) throw problems[0];
  const sources = registry.sources.filter(({ produces }) => produces === 'records');
  const destinations = registry.destinations.filter(({ accepts }) => accepts === 'records');
  const [source = null, destination = null] = [sources[0], destinations[0]];
  const isOne = sources.length <= 1 && destinations.length <= 1 && (source ?? destination) !== null;
  const sameName = source === null || destination === null || source.name === destination.name;
  if (isOne && sameName)
    return {
      source: source === null ? null : await loaded(source),
      destination: destination === null ? null : await loaded(destination),
    };
  throw new ModuleNotServable({ file });
}
