// A started plugin and the connection to it: calls with deadlines, one stream of records, and an orderly end. Whatever goes wrong
// comes out as a coded error that says what the plugin was doing, how its process ended and what it said last.
//
// End: the stream is closed before Teardown, then GRPCController.Shutdown (SIGTERM where that is not known), 2 seconds, SIGKILL.
import type { Clock } from '../../runtime/clock.ts';
import { ByteReader } from '../sdk/protobuf-wire.ts';
import { withoutSecrets } from '../sdk/secret-settings.ts';
import { type ConnectTarget, GrpcConnection, type GrpcStatus, type GrpcStream, grpcCode } from './grpc-connection.ts';
import { MessageCutter } from './grpc-message.ts';
import {
  CallUnimplemented,
  PluginCallCancelled,
  PluginCallFailed,
  PluginCallTimedOut,
  PluginExited,
  PluginNotStarted,
  PluginProtocolViolation,
  PluginStreamEnded,
  type ProcessEvidence,
} from './plugin-errors.ts';
import type { PluginLine } from './plugin-log.ts';
import { PluginProcess } from './plugin-process.ts';
import type { PluginCall, PluginProtocol, PluginRole } from './plugin-protocol.ts';
import type { PluginSpecification } from './plugin-specification.ts';
import { protocolV1 } from './protocol-v1.ts';
import { protocolV2 } from './protocol-v2.ts';

export interface PluginSessionOptions {
  /** For messages: its reference, or the name of its file. */
  readonly plugin: string;
  readonly path: string;
  /** Id of the connector, as the plugin is told it. */
  readonly id: string;
  readonly token: string;
  /** Address of the schema service. */
  readonly schemaTarget: string;
  readonly logLevel: string | null;
  readonly maxReceiveBytes: number | null;
  readonly startTimeoutMs: number;
  /** Not to be seen in what it says. */
  readonly secrets?: readonly string[];
  readonly clock: Clock;
  /** Default both. */
  readonly versions?: readonly number[];
  print(line: PluginLine): void;
}

export interface CallOptions {
  readonly body?: Uint8Array;
  readonly deadlineMs: number;
  readonly signal?: AbortSignal;
}

const protocols: readonly PluginProtocol[] = [protocolV1, protocolV2];
const shutdownMs = 2_000;
const empty = new Uint8Array(0);
const healthPath = '/grpc.health.v1.Health/Check';
/** HealthCheckRequest { service 1: "plugin" }, the name that go-plugin serves. */
const healthRequest: Uint8Array = Buffer.from('\x0a\x06plugin');

export class PluginSession {
  readonly protocol: PluginProtocol;
  readonly #options: PluginSessionOptions;
  readonly #process: PluginProcess;
  readonly #connection: GrpcConnection;

  /** @throws PluginNotStarted */
  static async start(options: PluginSessionOptions): Promise<PluginSession> {
    const variables: Record<string, string> = {
      CONDUIT_CONNECTOR_UTILITIES_GRPC_TARGET: options.schemaTarget,
      CONDUIT_CONNECTOR_TOKEN: options.token,
      CONDUIT_CONNECTOR_ID: options.id,
    };
    if (options.logLevel !== null) variables['CONDUIT_CONNECTOR_LOG_LEVEL'] = options.logLevel;
    if (options.maxReceiveBytes !== null) {
      variables['CONDUIT_CONNECTOR_MAX_RECEIVE_RECORD_SIZE'] = String(options.maxReceiveBytes);
    }
    const { plugin, path, startTimeoutMs, clock, print, secrets = [] } = options;
    const versions = options.versions ?? protocols.map(({ version }) => version);
    const running = startProcess({ plugin, path, variables, versions, startTimeoutMs, clock, print, secrets });
    const { version, connect } = await running.handshake();
    const protocol = protocols.find((candidate) => candidate.version === version) ?? protocolV2;
    return new PluginSession(options, running, protocol, connect);
  }

  constructor(options: PluginSessionOptions, running: PluginProcess, protocol: PluginProtocol, target: ConnectTarget) {
    this.#options = options;
    this.#process = running;
    this.protocol = protocol;
    this.#connection = new GrpcConnection(target, options.clock);
    running.ended.then(() => this.#connection.close());
    this.#readStandardStreams();
  }

  get evidence(): ProcessEvidence {
    return this.#process.evidence;
  }

  get hasEnded(): boolean {
    return this.#process.hasEnded;
  }

  get ended(): Promise<void> {
    return this.#process.ended;
  }

  /** @throws a coded error. */
  async specify(deadlineMs: number): Promise<PluginSpecification> {
    const answer = await this.#call(this.protocol.specifyPath, 'Specify', { deadlineMs });
    try {
      return this.protocol.readSpecification(answer);
    } catch (error) {
      throw this.violation('its specification cannot be read', error);
    }
  }

  /** @throws a coded error; `Unimplemented` too. */
  call(role: PluginRole, call: PluginCall, options: CallOptions): Promise<Uint8Array> {
    return this.#call(this.protocol.path(role, call), call, options);
  }

  run(role: PluginRole): GrpcStream {
    return this.#connection.stream(this.protocol.path(role, 'Run'));
  }

  /** Whether it answers, whatever it says, within so long. A process that has ended is no matter of this. */
  async answers(deadlineMs: number): Promise<boolean> {
    const answer = await this.#connection.call(healthPath, { body: healthRequest, deadlineMs });
    if (answer.kind === 'ok' || this.#process.hasEnded) return true;
    const { code, message } = answer.status;
    return code !== grpcCode.deadlineExceeded || message !== 'deadline exceeded';
  }

  /** Why a stream ended that should not have. */
  async streamFailure(status: GrpcStatus): Promise<Error> {
    const isLost = status.code === grpcCode.unavailable || status.code === grpcCode.cancelled;
    // A connection that breaks off is mostly the first sign of a process that ends.
    if ((isLost && (await this.#process.waitForEnd())) || this.#process.hasEnded) {
      return new PluginExited({ ...this.#facts(), phase: 'Run' });
    }
    const detail =
      status.code === grpcCode.ok ? 'it ended although nobody asked it to stop' : this.masked(status.message);
    return new PluginStreamEnded({ ...this.#facts(), detail });
  }

  /** What the plugin has said, without its secrets. */
  masked(text: string): string {
    return withoutSecrets(text, this.#options.secrets ?? []);
  }

  violation(detail: string, cause?: unknown): Error {
    return new PluginProtocolViolation({ ...this.#facts(), detail }, cause === undefined ? {} : { cause });
  }

  /** Ends the process in order. Never throws. */
  async close(): Promise<void> {
    const { clock } = this.#options;
    if (!this.#process.hasEnded) {
      const before = clock.monotonic();
      const call = { body: empty, deadlineMs: shutdownMs };
      const answer = await this.#connection.call('/plugin.GRPCController/Shutdown', call);
      // A plugin without this service knows the signal that every process knows. (One that has it may close before it answers.)
      const isUnknown = answer.kind === 'failed' && answer.status.code === grpcCode.unimplemented;
      if (isUnknown) this.#process.terminate();
      const left = Math.max(0, shutdownMs - (clock.monotonic() - before));
      if (!(await this.#process.waitForEnd(left))) this.#process.kill();
    }
    await this.#process.ended;
    this.#connection.close();
  }

  /** Ends the process at once. */
  async kill(): Promise<void> {
    this.#process.kill();
    await this.#process.ended;
    this.#connection.close();
  }

  async #call(path: string, call: string, options: CallOptions): Promise<Uint8Array> {
    const { deadlineMs, signal, body = empty } = options;
    const answer = await this.#connection.call(path, {
      body,
      deadlineMs,
      ...(signal === undefined ? {} : { signal }),
    });
    if (answer.kind === 'ok') return answer.body;
    const { plugin } = this.#options;
    const { code, message } = answer.status;
    if (code === grpcCode.cancelled && signal?.aborted === true) throw new PluginCallCancelled({ plugin, call });
    if (code === grpcCode.deadlineExceeded && message === 'deadline exceeded') {
      throw new PluginCallTimedOut({ ...this.#facts(), call, deadlineMs });
    }
    if (code === grpcCode.unimplemented) throw new CallUnimplemented(call);
    if ((code === grpcCode.unavailable && (await this.#process.waitForEnd())) || this.#process.hasEnded) {
      throw new PluginExited({ ...this.#facts(), phase: call });
    }
    throw new PluginCallFailed({ ...this.#facts(), call, detail: this.masked(message) });
  }

  #facts(): ProcessEvidence & { readonly plugin: string } {
    return { plugin: this.#options.plugin, ...this.#process.evidence };
  }

  /** go-plugin serves what the plugin prints once it has replaced its pipes; a plugin without this service prints to its pipes. */
  #readStandardStreams(): void {
    const stream = this.#connection.stream('/plugin.GRPCStdio/StreamStdio');
    const cutter = new MessageCutter();
    stream.onData = (chunk) => {
      cutter.push(chunk);
      if (!cutter.hasMessage) return;
      const bytes = cutter.take();
      let at = 0;
      while (at + 5 <= bytes.length && at + 5 + bytes.readUInt32BE(at + 1) <= bytes.length) {
        const end = at + 5 + bytes.readUInt32BE(at + 1);
        this.#printed(bytes.subarray(at + 5, end));
        at = end;
      }
      cutter.keep(bytes.subarray(at));
    };
    stream.write(Buffer.from([0, 0, 0, 0, 0]));
    stream.end();
  }

  /** StdioData: channel 1 (1 stdout, 2 stderr), bytes 2. */
  #printed(message: Uint8Array): void {
    try {
      const reader = new ByteReader(message);
      let channel = 0;
      while (!reader.isDone) {
        const tag = reader.tag();
        if (tag === 0x08) channel = reader.varint();
        else if (tag === 0x12) this.#process.say(channel === 2 ? 'stderr' : 'stdout', reader.view());
        else reader.skipLast();
      }
    } catch {
      // What a plugin prints is a courtesy; garbage there harms nobody.
    }
  }
}

function startProcess(options: ConstructorParameters<typeof PluginProcess>[0]): PluginProcess {
  try {
    return new PluginProcess(options);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    const fields = { plugin: options.plugin, detail, exitCode: null, exitSignal: null, stderr: [] };
    throw new PluginNotStarted(fields, { cause: error });
  }
}
