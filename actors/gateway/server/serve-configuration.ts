// The configuration of `millrace serve`: flags, then `MILLRACE_*` of the environment, then millrace.yaml, then defaults.
// Unknown keys are refused with the nearest name, all problems of the file at once.
import { existsSync, readFileSync } from 'node:fs';
import { parseDocument } from 'yaml';
import { parseDuration } from '../../../connectors/sdk/duration.ts';
import { type CodedErrorClass, defineError } from '../../../runtime/errors.ts';
import { nearestName } from '../../../runtime/nearest-name.ts';
import type { ConnectorDeadlines } from '../../supervisor/messages.ts';
import type { TlsFiles } from './tls-files.ts';

export const ServerOptionInvalid: CodedErrorClass<{ readonly detail: string }> = defineError(
  'config.server_option',
  { help: '`millrace help serve` lists the options, the variables and the keys of millrace.yaml.' },
  (f) => f.detail,
);

export interface ServeOptions {
  readonly host: string;
  readonly port: number;
  /** Of Conduit's gRPC interface; null: it is not served. */
  readonly grpcPort: number | null;
  readonly dataFolder: string;
  readonly connectorsFolder: string;
  /** Of processors that are WebAssembly modules. */
  readonly processorsFolder: string;
  /** Options that name a folder which is not there: it may come later, but is more likely misspelt. */
  readonly missingFolders: readonly string[];
  /** The same, where it was named: code of a folder that only happens to be there is not loaded. */
  readonly modulesFolder: string | null;
  /** Folder of pipeline files, or one of them. */
  readonly pipelinesPath: string;
  readonly corsOrigins: readonly string[];
  readonly tls: TlsFiles | null;
  /** Of each API key; null: none. */
  readonly requestsPerSecondMax: number | null;
  readonly bodyBytesMax: number | null;
  /** Of every connector. */
  readonly deadlines: ConnectorDeadlines;
}

/** Option, and what it is without being set. The variable is `MILLRACE_` and the name in capitals. */
const defaults: Readonly<Record<string, string>> = {
  host: '127.0.0.1',
  port: '8080',
  'grpc-port': '',
  data: './.millrace',
  connectors: './connectors',
  processors: './processors',
  pipelines: './pipelines',
  cors: '',
  'tls-cert': '',
  'tls-key': '',
  'key-rate': '',
  'key-body-bytes': '',
  'stall-timeout': '30s',
  'configure-timeout': '60s',
  'open-timeout': '2m',
  'stop-timeout': '30s',
  'teardown-timeout': '20s',
};

export const serveOptionNames: readonly string[] = Object.keys(defaults);

const fileName = 'millrace.yaml';
const prefix = 'MILLRACE_';
/** Read by clients, tests and connectors. */
const others: ReadonlySet<string> = new Set([
  'MILLRACE_URL',
  'MILLRACE_API_KEY',
  'MILLRACE_CHROMIUM',
  'MILLRACE_LONG',
  'MILLRACE_TEST_SECONDS',
]);

/** @throws ServerOptionInvalid */
export function readServeOptions(
  flags: Readonly<Record<string, string | boolean | undefined>>,
  environment: Readonly<Record<string, string | undefined>>,
): ServeOptions {
  const file = readFile();
  refuseUnknownVariables(environment);
  const named = (name: string): string | undefined => {
    const flag = flags[name];
    if (typeof flag === 'string') return flag;
    return environment[variableOf(name)] ?? file[name];
  };
  const text = (name: string): string => named(name) ?? defaults[name] ?? '';
  const missingFolders = ['connectors', 'processors'].filter((name) => {
    const folder = named(name);
    return folder !== undefined && !existsSync(folder);
  });
  const certificateFile = text('tls-cert');
  const keyFile = text('tls-key');
  if ((certificateFile === '') !== (keyFile === '')) {
    throw new ServerOptionInvalid({ detail: 'tls-cert and tls-key are given together or not at all' });
  }
  return {
    host: text('host'),
    port: readPort('port', text('port')),
    grpcPort: text('grpc-port') === '' ? null : readPort('grpc-port', text('grpc-port')),
    dataFolder: text('data'),
    connectorsFolder: text('connectors'),
    processorsFolder: text('processors'),
    modulesFolder: named('connectors') ?? null,
    missingFolders,
    pipelinesPath: text('pipelines'),
    corsOrigins: text('cors')
      .split(',')
      .map((origin) => origin.trim())
      .filter((origin) => origin !== ''),
    requestsPerSecondMax: readCount('key-rate', text('key-rate')),
    bodyBytesMax: readCount('key-body-bytes', text('key-body-bytes')),
    deadlines: readDeadlines(text),
    tls: certificateFile === '' ? null : { certificateFile, keyFile },
  };
}

function readPort(name: string, text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new ServerOptionInvalid({ detail: `${name} '${text}' is no number from 0 to 65535` });
}

function readDeadlines(text: (name: string) => string): ConnectorDeadlines {
  const ms = (name: string): number => readDuration(name, text(name));
  return {
    configureMs: ms('configure-timeout'),
    eventMs: ms('configure-timeout'),
    openMs: ms('open-timeout'),
    stopMs: ms('stop-timeout'),
    teardownMs: ms('teardown-timeout'),
    stallMs: ms('stall-timeout'),
  };
}

function readCount(name: string, text: string): number | null {
  if (text === '') return null;
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value > 0) return value;
  throw new ServerOptionInvalid({ detail: `${name} '${text}' is no positive integer` });
}

function readDuration(name: string, text: string): number {
  const ms = parseDuration(text);
  if (ms !== null && ms >= 1) return ms;
  throw new ServerOptionInvalid({ detail: `${name} '${text}' is no duration such as 30s` });
}

function variableOf(name: string): string {
  return `${prefix}${name.toUpperCase().replaceAll('-', '_')}`;
}

function refuseUnknownVariables(environment: Readonly<Record<string, string | undefined>>): void {
  // A variable that is meant for the server but misspelt would be ignored silently otherwise. What stands behind the prefix is
  // compared: the prefix alone makes all of them alike. Variables of other programs with this prefix are let be.
  const known = [...serveOptionNames.map(variableOf), 'MILLRACE_ADMIN_KEY'];
  for (const name of Object.keys(environment)) {
    if (!name.startsWith(prefix) || known.includes(name) || others.has(name)) continue;
    const nearest = nearestName(
      name.slice(prefix.length),
      known.map((other) => other.slice(prefix.length)),
    );
    if (nearest === undefined) continue;
    const suggestion = `${prefix}${nearest}`;
    throw new ServerOptionInvalid({ detail: `the environment has ${name}, which is no option` }, { suggestion });
  }
}

function readFile(): Readonly<Record<string, string>> {
  if (!existsSync(fileName)) return {};
  const document = parseDocument(readFileSync(fileName, 'utf8'), { version: '1.2' });
  const [error] = document.errors;
  if (error !== undefined) throw new ServerOptionInvalid({ detail: `${fileName}: ${error.message.split('\n')[0]}` });
  const value: unknown = document.toJS() ?? {};
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ServerOptionInvalid({ detail: `${fileName} holds no mapping` });
  }
  const read: Record<string, string> = {};
  const problems: string[] = [];
  for (const [key, item] of Object.entries(value)) {
    const name = key.replaceAll('_', '-');
    if (!serveOptionNames.includes(name)) {
      const nearest = nearestName(name, serveOptionNames);
      problems.push(`unknown key '${key}'${nearest ? ` (did you mean "${nearest}"?)` : ''}`);
    } else read[name] = Array.isArray(item) ? item.join(',') : String(item);
  }
  if (problems.length > 0) throw new ServerOptionInvalid({ detail: `${fileName}: ${problems.join('; ')}` });
  return read;
}
