// Which WebAssembly processors there are in a folder: each module is started once to say what it is. What does not begin like a module is left
// alone.
import type { Clock } from '../../runtime/clock.ts';
import { compileModule } from './compile-module.ts';
import { discoverFiles, type PluginProblem, startOfFile } from './specified-files.ts';
import { WasmUnusable } from './wasm-errors.ts';
import { WasmInstance } from './wasm-instance.ts';
import { isWasm } from './wasm-memory-limit.ts';
import { readWasmSpecification, type WasmSpecification } from './wasm-protocol.ts';

export interface WasmDiscovery {
  /** By name, then by version as text. */
  readonly modules: readonly (WasmSpecification & { readonly path: string })[];
  readonly problems: readonly PluginProblem[];
}

export interface WasmDiscoveryOptions {
  readonly folder: string;
  /** null: nothing is remembered. */
  readonly cacheFile: string | null;
  readonly clock: Clock;
  /** For each file. Default 60 s. */
  readonly deadlineMs?: number;
}

/** Each takes a thread, and a core while it is compiled. */
const askedAtOnce = 1;
const deadlineMsDefault = 60_000;

/** Never throws: a folder that is not there has no modules, one that cannot be read is a problem. */
export async function discoverModules(options: WasmDiscoveryOptions): Promise<WasmDiscovery> {
  const { folder, cacheFile } = options;
  const { found, problems } = await discoverFiles<WasmSpecification>({
    folder,
    cacheFile,
    askedAtOnce,
    isPlugin: async (path) => isWasm(Buffer.from(await startOfFile(path), 'hex')),
    specify: (path) => specifyModule(path, options),
  });
  return { modules: found, problems };
}

/** Runs the module for its specification alone. @throws WasmUnusable */
export async function specifyModule(
  path: string,
  { clock, deadlineMs = deadlineMsDefault }: Pick<WasmDiscoveryOptions, 'clock' | 'deadlineMs'>,
): Promise<WasmSpecification> {
  const module = await compileModule(path);
  const instance = new WasmInstance({
    module,
    processor: path,
    id: 'load-specifications',
    clock,
    deadlineMs,
    log: () => {},
  });
  try {
    const specification = readWasmSpecification(await instance.call('specify'));
    if (specification.name === '') throw new Error('it says no name');
    return specification;
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new WasmUnusable({ path, detail }, { cause });
  } finally {
    await instance.end();
  }
}
