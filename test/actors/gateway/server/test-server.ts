// A real server on a free port over a folder of its own, for tests: `const server = await startTestServer()`.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Validation } from '../../../../actors/gateway/hosting/validation.ts';
import { type RunningServer, startServer } from '../../../../actors/gateway/server/http-server.ts';
import type { ServerOptions } from '../../../../actors/gateway/server/server-options.ts';

export interface TestServer extends RunningServer {
  readonly dataFolder: string;
}

export async function loadValidation(): Promise<Validation> {
  const [{ compileProgram }, { compilerFor }, { validatePipeline }, { registry }] = await Promise.all([
    import('../../../../actors/engine/sql/compile-program.ts'),
    import('../../../../actors/engine/function-declarations.ts'),
    import('../../../../actors/supervisor/validate-pipeline.ts'),
    import('../../../../connectors/registry.ts'),
  ]);
  const sharingOf: NonNullable<Validation['sharingOf']> = async (program, workers) =>
    (await import('../../../../actors/engine/program-sharing.ts')).sharingOf(program, workers);
  return { compile: compileProgram, compilerFor, sharingOf, validate: validatePipeline, registry };
}

export async function startTestServer(options: Partial<ServerOptions> = {}): Promise<TestServer> {
  const dataFolder = options.dataFolder ?? mkdtempSync(join(tmpdir(), 'millrace-server-'));
  const server = await startServer({ host: '127.0.0.1', port: 0, loadValidation, ...options, dataFolder });
  return {
    url: server.url,
    grpcAddress: server.grpcAddress,
    hasKeys: server.hasKeys,
    access: server.access,
    dataFolder,
    close: async () => {
      await server.close();
      if (options.dataFolder === undefined) rmSync(dataFolder, { recursive: true, force: true });
    },
  };
}
