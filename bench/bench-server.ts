// The server of a benchmark, in a process of its own: a free port on loopback, a data folder that goes with the process, and
// the end of the process when whoever started it closes its standard input.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningServer, startServer } from '../actors/gateway/server/http-server.ts';

export async function startBenchServer(): Promise<RunningServer> {
  process.stdin.resume();
  process.stdin.once('end', () => process.exit(0));
  const dataFolder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  process.once('exit', () => rmSync(dataFolder, { recursive: true, force: true }));
  return await startServer({
    host: '127.0.0.1',
    port: 0,
    dataFolder,
    loadValidation: async () => {
      const [{ compileProgram }, { compilerFor }, { validatePipeline }, { registry }] = await Promise.all([
        import('../actors/engine/sql/compile-program.ts'),
        import('../actors/engine/function-declarations.ts'),
        import('../actors/supervisor/validate-pipeline.ts'),
        import('../connectors/registry.ts'),
      ]);
      return { compile: compileProgram, compilerFor, validate: validatePipeline, registry };
    },
  });
}
