// The connector plugin of test/plugins/go and the processor of test/plugins/go-processor.
import type { Tool } from '../servers/go-tool.ts';
import { builtProgram } from './go-build.ts';

export async function probePlugin(): Promise<Tool> {
  return await builtProgram({ folder: 'go', name: 'conduit-connector-probe' });
}

/** A WebAssembly module. */
export async function markProcessor(): Promise<Tool> {
  const environment = { GOOS: 'wasip1', GOARCH: 'wasm' };
  return await builtProgram({ folder: 'go-processor', name: 'mark.wasm', environment });
}
