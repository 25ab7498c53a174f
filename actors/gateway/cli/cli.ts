// The command line: finds the command, reads its options, runs it, prints what was thrown, and returns the exit code.
// A command is loaded when it is called, all of them only for the list of them.
import { MillraceError } from '../../../runtime/errors.ts';
import { nearestName } from '../../../runtime/nearest-name.ts';
import { type Command, exitCodes, type Tools, UsageError } from './command.ts';
import { commandPage, overview } from './help-page.ts';
import { problemLines } from './problem-text.ts';
import { readArguments } from './read-arguments.ts';

/** One line each. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import('./run-command.ts')).runCommand,
  check: async () => (await import('./check-command.ts')).checkCommand,
  infer: async () => (await import('./infer-command.ts')).inferCommand,
  types: async () => (await import('./types-command.ts')).typesCommand,
  query: async () => (await import('./query-command.ts')).queryCommand,
  profile: async () => (await import('./profile-command.ts')).profileCommand,
  bench: async () => (await import('./bench-command.ts')).benchCommand,
  sql: async () => (await import('./sql-command.ts')).sqlCommand,
  ps: async () => (await import('./ps-command.ts')).psCommand,
  status: async () => (await import('./status-command.ts')).statusCommand,
  create: async () => (await import('./lifecycle-commands.ts')).createCommand,
  start: async () => (await import('./lifecycle-commands.ts')).startCommand,
  stop: async () => (await import('./lifecycle-commands.ts')).stopCommand,
  delete: async () => (await import('./lifecycle-commands.ts')).deleteCommand,
  pause: async () => (await import('./pause-resume-command.ts')).pauseCommand,
  resume: async () => (await import('./pause-resume-command.ts')).resumeCommand,
  logs: async () => (await import('./logs-command.ts')).logsCommand,
  pipelines: async () => (await import('./pipelines-command.ts')).pipelinesCommand,
  connectors: async () => (await import('./catalog-commands.ts')).connectorsCommand,
  dlq: async () => (await import('./dlq-command.ts')).dlqCommand,
  'connector-plugins': async () => (await import('./catalog-commands.ts')).connectorPluginsCommand,
  processors: async () => (await import('./catalog-commands.ts')).processorsCommand,
  'processor-plugins': async () => (await import('./catalog-commands.ts')).processorPluginsCommand,
  connector: async () => (await import('./connector-command.ts')).connectorCommand,
  'api-key': async () => (await import('./api-key-command.ts')).apiKeyCommand,
  serve: async () => (await import('./serve-command.ts')).serveCommand,
};

/** Runs `millrace ARGUMENTS`. Never throws; the exit code says how it went. */
export async function runCli(argumentsGiven: readonly string[], tools: Tools): Promise<number> {
  const [name, ...rest] = argumentsGiven;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    return await help(
      rest.find((operand) => !operand.startsWith('-')),
      tools,
    );
  }
  if (name === 'version' || name === '--version' || name === '-v') {
    tools.out(`millrace ${tools.version}, node ${process.version}\n`);
    return exitCodes.ok;
  }
  try {
    const command = await findCommand(name);
    if (rest.includes('--help') || rest.includes('-h')) return await help(command.name, tools);
    const { operands, options } = readArguments(command, rest);
    return await command.run(operands, options, tools);
  } catch (error) {
    tools.err(`${problemLines(error).join('\n')}\n`);
    const isInvalid = error instanceof MillraceError && /^(cli|config|sql|connector|infer)\./.test(error.code);
    return isInvalid ? exitCodes.invalid : exitCodes.failed;
  }
}

async function findCommand(name: string): Promise<Command> {
  const names = Object.keys(commands);
  const load = names.includes(name) ? commands[name] : undefined;
  if (load !== undefined) return await load();
  throw new UsageError(
    { detail: `there is no command "${name}"; there are ${[...names, 'help', 'version'].join(', ')}` },
    { suggestion: nearestName(name, names) },
  );
}

async function help(name: string | undefined, tools: Tools): Promise<number> {
  if (name === undefined || name === 'help' || name === 'version') {
    tools.out(overview(await Promise.all(Object.values(commands).map((load) => load()))));
    return exitCodes.ok;
  }
  try {
    tools.out(commandPage(await findCommand(name)));
    return exitCodes.ok;
  } catch (error) {
    tools.err(`${problemLines(error).join('\n')}\n`);
    return exitCodes.invalid;
  }
}
