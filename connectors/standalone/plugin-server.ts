// A connector of ours as a plugin process: the handshake on the standard output, and the services that a host calls.
//
// hashicorp/go-plugin: the host starts the process with a cookie and the versions that it knows; the process answers with one line
// that says where it listens, and serves until the host shuts it down or is gone. Without the cookie a person has called it: the
// specification is printed instead. https://github.com/hashicorp/go-plugin/blob/main/docs/internals.md

import { mkdtempSync, rmSync } from 'node:fs';
import http2, { type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../runtime/clock.ts';
import type { DestinationDefinition } from '../sdk/destination.ts';
import type { SourceDefinition } from '../sdk/source.ts';
import { pluginParameters } from './definition-parameters.ts';
import { grpcCode } from './grpc-connection.ts';
import { framed, messagePrefixBytes } from './grpc-message.ts';
import type { PluginCall, PluginRole } from './plugin-protocol.ts';
import type { PluginSpecification } from './plugin-specification.ts';
import { SchemaClient } from './schema-client.ts';
import { ServedDestination } from './served-destination.ts';
import { ServedSource } from './served-source.ts';
import { ServedStream } from './served-stream.ts';
import { type ProtocolVersion, writeSpecification } from './specification-writer.ts';

const cookieName = 'CONDUIT_PLUGIN_MAGIC_COOKIE';
const cookieValue = '204e8e812c3a1bb73b838928c575b42a105dd2e9aa449be481bc4590486df53f';
const coreVersion = 1;
const lingerMs = 100;
const requestBytesMax = 64 << 20;
/** HealthCheckResponse { status 1: SERVING 1 }. */
const serving = Uint8Array.of(0x08, 1);

export interface ServedConnector {
  readonly source: SourceDefinition | null;
  readonly destination: DestinationDefinition | null;
}

export interface PluginSurroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  out(text: string): void;
  err(text: string): void;
}

/** What a plugin says of itself. */
export function servedSpecification({ source, destination }: ServedConnector): PluginSpecification {
  const any = source ?? destination;
  return {
    name: any?.name ?? '',
    version: any?.version ?? 'v0.0.0',
    summary: any?.summary ?? '',
    description: any?.description ?? any?.summary ?? '',
    author: any?.author ?? 'unknown',
    sourceParameters: source === null ? null : pluginParameters(source.parameters),
    destinationParameters: destination === null ? null : pluginParameters(destination.parameters),
  };
}

/** Whether a host has started this process. */
export function isStartedByHost(environment: PluginSurroundings['environment']): boolean {
  return environment[cookieName] === cookieValue;
}

/** Serves until the host ends it. Resolves with the exit code. */
export async function servePlugin(connector: ServedConnector, surroundings: PluginSurroundings): Promise<number> {
  const { environment, out, clock } = surroundings;
  const version = chooseVersion(environment['PLUGIN_PROTOCOL_VERSIONS']);
  if (version === null) {
    surroundings.err('the host knows neither version 1 nor version 2 of the connector protocol\n');
    return 1;
  }
  const folder = mkdtempSync(join(environment['PLUGIN_UNIX_SOCKET_DIR'] ?? tmpdir(), 'plugin'));
  const path = join(folder, 's');
  const server = http2.createServer({ maxSessionMemory: 1024 });
  let stop = (): void => {};
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  const plugin = new Plugin(connector, version, surroundings, () => stop());
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.setLocalWindowSize(8 << 20);
    session.on('error', () => session.destroy());
    // A host has one connection: when it is gone, so is the host.
    session.on('close', () => {
      sessions.delete(session);
      stop();
    });
  });
  server.on('stream', (stream, headers) => void plugin.serve(stream, headers));
  // Ctrl-C in a terminal reaches the plugin too; it is the host that stops it.
  process.on('SIGINT', () => {});
  // A signal to the whole group reaches the host as well, which stops its plugins in order: only a second one is for this process.
  let isWarned = false;
  process.on('SIGTERM', () => {
    if (isWarned || sessions.size === 0) stop();
    isWarned = true;
  });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
    out(`${coreVersion}|${version}|unix|${path}|grpc|\n`);
    await stopped;
  } finally {
    server.close();
    plugin.close();
    // The answer to the shutdown still goes out; then nothing holds the process.
    for (const session of sessions) {
      session.close();
      clock.after(lingerMs, () => session.destroy());
    }
    rmSync(folder, { recursive: true, force: true });
  }
  return 0;
}

/** The highest version that both know; a host that says nothing gets the lowest. */
function chooseVersion(offered: string | undefined): ProtocolVersion | null {
  if (offered === undefined || offered === '') return 1;
  const versions = offered.split(',').map((text) => text.trim());
  return versions.includes('2') ? 2 : versions.includes('1') ? 1 : null;
}

class Plugin {
  readonly #connector: ServedConnector;
  readonly #version: ProtocolVersion;
  readonly #source: ServedSource | null;
  readonly #destination: ServedDestination | null;
  readonly #schemas: SchemaClient | null;
  readonly #stop: () => void;
  readonly #log: (level: string, message: string) => void;

  constructor(
    connector: ServedConnector,
    version: ProtocolVersion,
    { environment, clock, err }: PluginSurroundings,
    stop: () => void,
  ) {
    const log = (level: string, message: string): void => err(`${JSON.stringify({ level, message })}\n`);
    const connectorId = environment['CONDUIT_CONNECTOR_ID'] ?? 'connector';
    const target = environment['CONDUIT_CONNECTOR_UTILITIES_GRPC_TARGET'] ?? '';
    const token = environment['CONDUIT_CONNECTOR_TOKEN'] ?? '';
    const schemas = target === '' || token === '' ? null : new SchemaClient(target, token, clock);
    const surroundings = { clock, connectorId, version, log, schemas };
    this.#connector = connector;
    this.#version = version;
    this.#source = connector.source === null ? null : new ServedSource(connector.source, surroundings);
    this.#destination =
      connector.destination === null ? null : new ServedDestination(connector.destination, surroundings);
    this.#schemas = schemas;
    this.#stop = stop;
    this.#log = log;
  }

  /** Its connection to the schemas of the host would keep the process: a host waits 2 s for its end, then kills it. */
  close(): void {
    this.#schemas?.close().catch(() => {});
  }

  async serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    stream.on('error', () => {});
    const path = String(headers[':path']);
    let status = { code: grpcCode.ok as number, message: '' };
    stream.on('wantTrailers', () => {
      stream.sendTrailers({ 'grpc-status': String(status.code), 'grpc-message': encodeURIComponent(status.message) });
      if (path === '/plugin.GRPCController/Shutdown') setImmediate(this.#stop);
    });
    const begin = (): void => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    };
    try {
      const { role, call } = this.#methodOf(path);
      const side = role === 'source' ? this.#source : role === 'destination' ? this.#destination : null;
      if (call === 'Run' && side !== null) {
        begin();
        await side.run(new ServedStream(stream));
        if (!stream.destroyed) stream.end();
        return;
      }
      if (role === 'waiting') {
        // Streams of go-plugin that have nothing to say: standard output is the process's own, no connection is brokered.
        begin();
        await new ServedStream(stream).ended;
        if (!stream.destroyed) stream.end();
        return;
      }
      const request = await readRequest(stream);
      const answer = await this.#answer(path, role, call, request);
      begin();
      stream.end(framed(answer));
    } catch (error) {
      const isKnown = error instanceof Unimplemented;
      status = {
        code: isKnown ? grpcCode.unimplemented : grpcCode.unknown,
        message: error instanceof Error ? error.message : String(error),
      };
      if (stream.destroyed) {
        // The host has gone from the stream, or it broke: nobody but the log hears of it.
        this.#log('warn', `${path}: ${status.message}`);
        return;
      }
      if (!stream.headersSent) begin();
      stream.end();
    }
  }

  #methodOf(path: string): { readonly role: PluginRole | 'other' | 'waiting'; readonly call: PluginCall | null } {
    if (path === '/plugin.GRPCStdio/StreamStdio' || path === '/plugin.GRPCBroker/StartStream') {
      return { role: 'waiting', call: null };
    }
    const [, version, service, method = ''] = /^\/connector\.v(\d)\.(\w+)Plugin\/(\w+)$/.exec(path) ?? [];
    if (service === undefined || service === 'Specifier' || Number(version) !== this.#version) {
      return { role: 'other', call: null };
    }
    const role = service === 'Source' ? 'source' : 'destination';
    // SAFETY: a call that is not known is refused by the switch of the side that is called.
    const call = (method === 'Start' && this.#version === 1 ? 'Open' : method) as PluginCall;
    const hasSide = role === 'source' ? this.#source !== null : this.#destination !== null;
    if (!hasSide) throw new Error(`this connector has no ${role}`);
    return { role, call };
  }

  async #answer(path: string, role: string, call: PluginCall | null, request: Uint8Array): Promise<Uint8Array> {
    if (call !== null) {
      const side = role === 'source' ? this.#source : this.#destination;
      return (await side?.call(call, request)) ?? new Uint8Array(0);
    }
    if (path === `/connector.v${this.#version}.SpecifierPlugin/Specify`) {
      return writeSpecification(servedSpecification(this.#connector), this.#version);
    }
    if (path === '/grpc.health.v1.Health/Check') return serving;
    if (path === '/plugin.GRPCController/Shutdown') return new Uint8Array(0);
    throw new Unimplemented(`unknown method ${path}`);
  }
}

class Unimplemented extends Error {}

async function readRequest(stream: ServerHttp2Stream): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    // SAFETY: a stream without an encoding yields buffers.
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    if (bytes > requestBytesMax) throw new Error(`a request has ${requestBytesMax} bytes at most`);
  }
  const whole = Buffer.concat(chunks);
  if (whole.length < messagePrefixBytes) throw new Error('the request is not one gRPC message');
  return whole.subarray(messagePrefixBytes, messagePrefixBytes + whole.readUInt32BE(1));
}
