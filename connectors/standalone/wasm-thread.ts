// Entry of the thread of one WebAssembly processor. The module asks for its next command and blocks the thread until there is one, so
// nothing here may wait for the event loop: messages are taken from the port by hand, and a counter in shared memory wakes the thread.
//
// Functions of the module `conduit`: command_request and command_response, create_schema and get_schema. A buffer that is too small
// is answered with the size that is needed, and the module asks once more. Requests over the network are refused.
import { isMainThread, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { systemClock } from '../../runtime/clock.ts';
import { notImplemented, WasiExit, wasiFunctions } from './wasi-host.ts';
import { type FromWasmThread, type ToWasmThread, type WasmThreadData, wasmCodes } from './wasm-thread-messages.ts';
import { type CompiledModule, type WasmImports, type WasmModuleInstance, webAssembly } from './web-assembly.ts';

const wasiModule = 'wasi_snapshot_preview1';
const hostModule = 'conduit';

/** A request whose answer did not fit the buffer. */
interface Parked {
  readonly request: Uint8Array;
  readonly answer: Uint8Array;
}

class ModuleThread {
  readonly #sent: Int32Array;
  readonly #data: WasmThreadData;
  #instance: WasmModuleInstance | null = null;
  #command: Uint8Array | null = null;
  readonly #parked = new Map<string, Parked>();
  #hasEnded = false;

  constructor(data: WasmThreadData) {
    this.#data = data;
    this.#sent = new Int32Array(data.sent);
  }

  /** Returns when the module has ended. */
  run(): string | null {
    const { module, environment } = this.#data;
    try {
      const wasi = wasiFunctions({
        clock: systemClock,
        environment,
        memory: () => this.#memory(),
        print: (channel, bytes) => post({ kind: 'printed', channel, bytes }, [bytes.buffer]),
      });
      this.#instance = new webAssembly.Instance(module, importsOf(module, wasi, this.#functions()));
      const start = this.#instance.exports['_start'];
      if (typeof start !== 'function') return 'it exports no _start: it is no program for WASI';
      start();
      return this.#hasEnded ? null : 'it returned from main';
    } catch (thrown) {
      if (!(thrown instanceof WasiExit)) return thrown instanceof Error ? thrown.message : String(thrown);
      return this.#hasEnded && thrown.code === 0 ? null : `it exited with code ${thrown.code}`;
    }
  }

  #functions(): Readonly<Record<string, (at: number, size: number) => number>> {
    return {
      command_request: (at, size) => this.#commandRequest(at, size >>> 0),
      command_response: (at, size) => {
        const bytes = this.#bytes(at, size).slice();
        post({ kind: 'answer', bytes }, [bytes.buffer]);
        return 0;
      },
      create_schema: (at, size) => this.#schema('create', at, size >>> 0),
      get_schema: (at, size) => this.#schema('get', at, size >>> 0),
      http_request: () => wasmCodes.egressDisabled | 0,
    };
  }

  #commandRequest(at: number, size: number): number {
    if (this.#command === null) {
      const message = this.#hasEnded ? null : this.#receive();
      if (message?.kind !== 'command') {
        this.#hasEnded = true;
        return wasmCodes.noMoreCommands | 0;
      }
      this.#command = message.bytes;
    }
    const command = this.#command;
    if (size < command.length) return command.length;
    this.#bytes(at, command.length).set(command);
    this.#command = null;
    return command.length;
  }

  #schema(call: 'create' | 'get', at: number, size: number): number {
    const buffer = this.#bytes(at, size);
    let parked = this.#parked.get(call);
    if (parked === undefined || !beginsWith(buffer, parked.request)) {
      const request = buffer.slice();
      post({ kind: 'schema', call, bytes: request });
      const message = this.#hasEnded ? null : this.#receive();
      if (message?.kind !== 'schema') {
        this.#hasEnded = true;
        return wasmCodes.internal | 0;
      }
      if (typeof message.answer === 'number') return message.answer | 0;
      parked = { request, answer: message.answer };
    }
    const { answer } = parked;
    if (size < answer.length) {
      this.#parked.set(call, parked);
      return answer.length;
    }
    this.#parked.delete(call);
    buffer.set(answer);
    return answer.length;
  }

  #receive(): ToWasmThread {
    for (;;) {
      const seen = Atomics.load(this.#sent, 0);
      const received = parentPort === null ? undefined : receiveMessageOnPort(parentPort);
      // SAFETY: the other end is WasmInstance, which sends nothing else.
      if (received !== undefined) return received.message as ToWasmThread;
      Atomics.wait(this.#sent, 0, seen);
    }
  }

  #bytes(at: number, size: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#memory(), at >>> 0, size >>> 0);
  }

  #memory(): ArrayBuffer {
    const memory = this.#instance?.exports['memory'];
    if (!(memory instanceof webAssembly.Memory)) throw new Error('the module exports no memory');
    return memory.buffer;
  }
}

function post(message: FromWasmThread, transfer: readonly ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}

function beginsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  return bytes.length >= start.length && Buffer.compare(bytes.subarray(0, start.length), start) === 0;
}

/** @throws Error for an import that nobody has */
function importsOf(
  module: CompiledModule,
  wasi: ReturnType<typeof wasiFunctions>,
  conduit: Readonly<Record<string, (at: number, size: number) => number>>,
): WasmImports {
  const imports: Record<string, Record<string, unknown>> = {};
  for (const { module: from, name, kind } of webAssembly.Module.imports(module)) {
    const known =
      from === wasiModule ? (wasi[name] ?? notImplemented) : from === hostModule ? conduit[name] : undefined;
    if (kind !== 'function' || known === undefined) throw new Error(`it imports ${from}.${name}, which is not there`);
    imports[from] = { ...imports[from], [name]: known };
  }
  return imports;
}

// Whoever imports this file elsewhere gets nothing of it.
if (!isMainThread && parentPort !== null) {
  // SAFETY: WasmInstance makes this thread, with this data.
  post({ kind: 'ended', detail: new ModuleThread(workerData as WasmThreadData).run() });
}
