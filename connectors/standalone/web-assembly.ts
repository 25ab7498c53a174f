// The engine's WebAssembly interface, as much of it as is used here: it is no part of the language's own declarations, and Node's do
// not have it. https://developer.mozilla.org/docs/WebAssembly/JavaScript_interface

export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

export interface WasmModuleInstance {
  readonly exports: Readonly<Record<string, unknown>>;
}

export interface WasmImport {
  readonly module: string;
  readonly name: string;
  readonly kind: string;
}

/** A compiled module: it may be sent to other threads, which share its code. */
export type CompiledModule = object;
export type WasmImports = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

interface WebAssemblyApi {
  /** Away from the thread that asks. */
  readonly compile: (bytes: Uint8Array<ArrayBuffer>) => Promise<CompiledModule>;
  readonly Module: {
    new (bytes: Uint8Array<ArrayBuffer>): CompiledModule;
    imports(module: CompiledModule): readonly WasmImport[];
  };
  readonly Instance: new (module: CompiledModule, imports: WasmImports) => WasmModuleInstance;
  readonly Memory: abstract new () => WasmMemory;
}

// SAFETY: the standard says that it is there, in this form.
export const webAssembly: WebAssemblyApi = Reflect.get(globalThis, 'WebAssembly') as WebAssemblyApi;
