// One running WebAssembly processor: a thread of its own, one command at a time, each with a deadline.
//
// A module blocks its thread while it waits and while it works, and only the end of the thread interrupts it: one that traps, exits,
// hangs or takes more memory than it may harms nothing but itself. Instances are not used again after a failure.
// The thread is made here and not by the runtime, since it runs no actor and no event loop.
import { Worker } from 'node:worker_threads';
import type { Clock, Timer } from '../../runtime/clock.ts';
import type { SchemaRegistry } from '../sdk/schema-registry.ts';
import { type PluginLine, PluginLog } from './plugin-log.ts';
import { readCreateRequest, readGetRequest, writeSchemaAnswer } from './schema-messages.ts';
import { SchemaInvalid, SchemaSubjectNotFound, SchemaVersionNotFound } from './schema-store.ts';
import { WasmAnswerMalformed, WasmEnded, WasmRefused, WasmTimedOut } from './wasm-errors.ts';
import { readAnswer, type WasmCall, writeCommand } from './wasm-protocol.ts';
import { type FromWasmThread, type ToWasmThread, type WasmThreadData, wasmCodes } from './wasm-thread-messages.ts';
import type { CompiledModule } from './web-assembly.ts';

export interface WasmInstanceOptions {
  readonly module: CompiledModule;
  /** What it is called in messages. */
  readonly processor: string;
  /** `<pipeline>:<processor>` */
  readonly id: string;
  readonly clock: Clock;
  readonly deadlineMs: number;
  /** Left out where nobody keeps schemas. */
  readonly schemas?: SchemaRegistry;
  readonly secrets?: readonly string[];
  log(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** A module that is told to end has this long for it. */
const endMs = 2_000;
const tellingMax = 20;
const cookie = '3stnegqd0x02axggy0vrc4izjeq2zik6g7somyb3ye4vy5iivvjm5s1edppl5oja';

interface Pending {
  readonly call: WasmCall;
  readonly resolve: (body: Uint8Array) => void;
  readonly reject: (error: Error) => void;
  readonly timer: Timer;
}

export class WasmInstance {
  readonly #options: WasmInstanceOptions;
  readonly #worker: Worker;
  readonly #sent = new SharedArrayBuffer(4);
  readonly #lines: PluginLog;
  /** What it printed that is no ordinary log: errors, and lines of no form. */
  readonly #telling: string[] = [];
  readonly #exited: Promise<void>;
  #pending: Pending | null = null;
  #ended: string | null = null;

  constructor(options: WasmInstanceOptions) {
    this.#options = options;
    const { module, id, clock, secrets = [] } = options;
    this.#lines = new PluginLog(clock, (line) => this.#said(line), secrets);
    const environment = { CONDUIT_MAGIC_COOKIE: cookie, CONDUIT_PROCESSOR_ID: id, CONDUIT_LOG_LEVEL: 'info' };
    const ending = /\.[a-z]+$/.exec(new URL(import.meta.url).pathname)?.[0] ?? '.js';
    this.#worker = new Worker(new URL(`./wasm-thread${ending}`, import.meta.url), {
      name: 'wasm',
      workerData: { module, environment, sent: this.#sent } satisfies WasmThreadData,
      execArgv: [],
      // What it prints comes in messages.
      stdout: true,
      stderr: true,
    });
    this.#worker.on('message', (message: FromWasmThread) => this.#received(message));
    this.#worker.on('error', (error) => this.#die(error instanceof Error ? error.message : String(error)));
    this.#exited = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        this.#die('its thread ended');
        resolve();
      });
    });
  }

  get isAlive(): boolean {
    return this.#ended === null;
  }

  /** The body of the answer. @throws WasmRefused, WasmEnded, WasmTimedOut, WasmAnswerMalformed */
  call(call: WasmCall, body?: Uint8Array): Promise<Uint8Array> {
    const { clock, processor, deadlineMs } = this.#options;
    return new Promise((resolve, reject) => {
      if (this.#ended !== null) return reject(this.#endedError(call, this.#ended));
      const timer = clock.after(deadlineMs, () => {
        this.#pending = null;
        this.#ended = `it was ended, since it did not answer to ${call}`;
        void this.#worker.terminate();
        reject(new WasmTimedOut({ processor, call, deadlineMs }));
      });
      this.#pending = { call, resolve, reject, timer };
      this.#send({ kind: 'command', bytes: writeCommand(call, body) });
    });
  }

  /** Resolves when its thread is gone. One that is in a command does not hear that it is to end: `graceMs` 0 is for it. */
  async end(graceMs: number = endMs): Promise<void> {
    if (this.#ended === null) this.#send({ kind: 'end' });
    const timer = this.#options.clock.after(graceMs, () => void this.#worker.terminate());
    await this.#exited;
    timer.cancel();
  }

  #said({ level, message, fields }: PluginLine): void {
    const isPlain = level === 'debug' && Object.keys(fields).length === 0;
    if (isPlain || level === 'error') this.#telling.push(message);
    // What comes behind a panic says less.
    if (this.#telling.length > tellingMax) this.#telling.splice(panicOf(this.#telling) < 0 ? 0 : -1, 1);
    if (level !== 'debug') this.#options.log(message, { ...fields, level });
  }

  #send(message: ToWasmThread): void {
    this.#worker.postMessage(message);
    const sent = new Int32Array(this.#sent);
    Atomics.add(sent, 0, 1);
    Atomics.notify(sent, 0);
  }

  #received(message: FromWasmThread): void {
    switch (message.kind) {
      case 'printed':
        this.#lines.write(message.channel, message.bytes);
        return;
      case 'schema':
        void this.#schema(message.call, message.bytes).then((answer) => this.#send({ kind: 'schema', answer }));
        return;
      case 'ended':
        this.#die(message.detail ?? 'it was told to end');
        return;
      case 'answer':
        this.#answered(message.bytes);
    }
  }

  #answered(bytes: Uint8Array): void {
    const { processor } = this.#options;
    const pending = this.#take();
    if (pending === null) return;
    const { call, resolve, reject } = pending;
    try {
      const answer = readAnswer(call, bytes);
      if (answer.kind === 'done') resolve(answer.body);
      else if (answer.kind === 'error') reject(new WasmRefused({ processor, call, detail: answer.message }));
      else reject(new WasmAnswerMalformed({ processor, detail: `no answer to ${call}` }));
    } catch (cause) {
      const detail = cause instanceof Error ? cause.message : String(cause);
      reject(new WasmAnswerMalformed({ processor, detail }, { cause }));
    }
  }

  /** What is said first counts. */
  #die(detail: string): void {
    this.#ended ??= detail;
    const pending = this.#take();
    pending?.reject(this.#endedError(pending.call, detail));
  }

  #take(): Pending | null {
    const pending = this.#pending;
    this.#pending = null;
    pending?.timer.cancel();
    return pending;
  }

  #endedError(call: WasmCall, detail: string): Error {
    const { processor } = this.#options;
    // Behind a panic of Go come stacks; otherwise the last lines say most.
    const panic = panicOf(this.#telling);
    const printed = panic < 0 ? this.#telling.slice(-2) : this.#telling.slice(panic, panic + 2);
    return new WasmEnded({ processor, call, detail, printed });
  }

  async #schema(call: 'create' | 'get', bytes: Uint8Array): Promise<Uint8Array | number> {
    const { schemas } = this.#options;
    if (schemas === undefined) return wasmCodes.internal;
    try {
      if (call === 'get') {
        const { subject, version } = readGetRequest(bytes);
        return writeSchemaAnswer(await schemas.getSchema(subject, version));
      }
      const { subject, type, bytes: text } = readCreateRequest(bytes);
      if (type !== 1) return wasmCodes.invalidSchema;
      return writeSchemaAnswer(await schemas.createSchema(subject, 'avro', text));
    } catch (error) {
      return codeOf(error);
    }
  }
}

function panicOf(lines: readonly string[]): number {
  return lines.findIndex((line) => /^(panic|fatal error): /.test(line));
}

function codeOf(error: unknown): number {
  // A registry behind the service tells errors by their texts, as plugins see them.
  const text = error instanceof Error ? error.message : '';
  if (error instanceof SchemaSubjectNotFound || text.includes('schema subject not found'))
    return wasmCodes.subjectNotFound;
  if (error instanceof SchemaVersionNotFound || text.includes('schema version not found'))
    return wasmCodes.versionNotFound;
  return error instanceof SchemaInvalid || text.includes('invalid schema')
    ? wasmCodes.invalidSchema
    : wasmCodes.internal;
}
