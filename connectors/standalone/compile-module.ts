// Compiles the file of a WebAssembly processor, with a limit on its memory. Instances of one processor share what is compiled.
import { readFile } from 'node:fs/promises';
import { WasmUnusable } from './wasm-errors.ts';
import { isWasm, withMemoryLimit } from './wasm-memory-limit.ts';
import { type CompiledModule, webAssembly } from './web-assembly.ts';

/** Of a module, unless it declares less. */
export const memoryBytesMaxDefault: number = 1 << 30;

/** @throws WasmUnusable */
export async function compileModule(
  path: string,
  memoryBytesMax: number = memoryBytesMaxDefault,
): Promise<CompiledModule> {
  try {
    const bytes = await readFile(path);
    if (!isWasm(bytes)) throw new Error('it is no WebAssembly module');
    return await webAssembly.compile(limited(bytes, memoryBytesMax));
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new WasmUnusable({ path, detail }, { cause });
  }
}

/** @throws Error */
function limited(bytes: Uint8Array, memoryBytesMax: number): Uint8Array<ArrayBuffer> {
  try {
    return withMemoryLimit(bytes, memoryBytesMax);
  } catch (cause) {
    throw new Error('the module is cut or malformed', { cause });
  }
}
