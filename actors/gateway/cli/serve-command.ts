// `millrace serve`: one server on one port until a signal ends it. A first signal drains, a second one ends at once.
import { existsSync } from 'node:fs';
import { isIP } from 'node:net';
import { systemClock } from '../../../runtime/clock.ts';
import { startServer } from '../server/http-server.ts';
import { readServeOptions, serveOptionNames } from '../server/serve-configuration.ts';
import { type Command, exitCodes } from './command.ts';
import { onEndSignals } from './end-signals.ts';

const lingerMs = 5_000;

export const serveCommand: Command = {
  name: 'serve',
  synopsis:
    'serve [--host H] [--port P] [--data FOLDER] [--connectors FOLDER] [--processors FOLDER] [--pipelines PATH] [--OPTION VALUE …]',
  summary: 'Serves pipelines over HTTP.',
  description: `Prints one line with its address when it is ready and runs until SIGTERM or SIGINT, which drains and exits with 0. Without
API keys it listens on loopback only; the variable MILLRACE_ADMIN_KEY is a key that may do everything.

  --host              address to listen on (127.0.0.1)
  --port              0: any free one (8080)
  --grpc-port         serves Conduit's gRPC interface too, which the commands of \`conduit\` use (their default is 8084)
  --data              folder of the store (./.millrace)
  --connectors        folder of connector plugins and modules, from which relative paths of connectors start, where it exists (./connectors)
  --processors        folder of processors that are WebAssembly modules (./processors)
  --pipelines         pipeline files of Conduit, a folder or a file: made or changed at the start, where it exists (./pipelines)
  --cors              origins that browsers may call from, separated by commas; *: all
  --tls-cert          with --tls-key: PEM files
  --stall-timeout     after which a connector that was not heard of is shown as stalled (30s)
  --configure-timeout deadline of a connector's configuration and of a lifecycle event (60s)
  --open-timeout      of its opening (2m)
  --stop-timeout      what a pipeline gets to deliver what was read, and a source to give what it has (30s)
  --teardown-timeout  of its end (20s), after which it is let go of and its process ended
  --key-rate          requests a second of each API key
  --key-body-bytes    the largest body that a key may send

Each may also be given as a variable (--stall-timeout: MILLRACE_STALL_TIMEOUT) or as a key of millrace.yaml.`,
  options: Object.fromEntries(serveOptionNames.map((name) => [name, { type: 'string' as const }])),
  operands: 0,
  async run(_operands, given, tools): Promise<number> {
    const options = readServeOptions(given, tools.environment);
    for (const name of options.missingFolders) {
      tools.err(`warn the folder that --${name} names is not there: nothing is found in it\n`);
    }
    const adminKey = tools.environment['MILLRACE_ADMIN_KEY'];
    const server = await startServer({
      host: options.host,
      port: options.port,
      ...(options.grpcPort === null ? {} : { grpcPort: options.grpcPort }),
      dataFolder: options.dataFolder,
      corsOrigins: options.corsOrigins,
      ...(options.tls === null ? {} : { tls: options.tls }),
      keyLimits: {
        ...(options.requestsPerSecondMax === null
          ? {}
          : { rate: { perSecond: options.requestsPerSecondMax, burst: options.requestsPerSecondMax } }),
        ...(options.bodyBytesMax === null ? {} : { bodyBytesMax: options.bodyBytesMax }),
      },
      deadlines: options.deadlines,
      loadValidation: tools.loadValidation,
      version: tools.version,
      connectorsFolder: options.connectorsFolder,
      processorsFolder: options.processorsFolder,
      ...(options.modulesFolder === null ? {} : { modulesFolder: options.modulesFolder }),
      pipelinesPath: options.pipelinesPath,
      ...(adminKey === undefined ? {} : { adminKey }),
      baseFolder: existsSync(options.connectorsFolder) ? options.connectorsFolder : '.',
      refuseOpen: !isLoopback(options.host),
      onLog: (entry) => {
        if (entry.level === 'warn' || entry.level === 'error') {
          tools.err(`${entry.level} [${entry.source}] ${entry.message} ${JSON.stringify(entry.fields)}\n`);
        }
      },
    });
    // Before the address: whoever reads that line may send a signal at once.
    const signalled = new Promise<void>((resolve) => {
      onEndSignals(systemClock, { drain: () => resolve(), endAtOnce: () => process.exit(exitCodes.interrupted) });
    });
    tools.err(`${server.access}\n`);
    if (server.grpcAddress !== null) tools.err(`gRPC interface of Conduit: ${server.grpcAddress}\n`);
    tools.out(`millrace serve: ${server.url}\n`);
    await signalled;
    await server.close();
    // What is still running then (a thread that hangs in a connector's library) must not keep the process.
    systemClock.after(lingerMs, () => process.exit(exitCodes.ok));
    return exitCodes.ok;
  },
};

function isLoopback(host: string): boolean {
  if (host === 'localhost' || host === '::1') return true;
  return isIP(host) === 4 && host.startsWith('127.');
}
