// Programs in Go for tests, built once for each state of their sources into a folder of the temporary one. Where one cannot be built, the
// tests that need it are skipped and say why; under CI that is a failure.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { goBinary, type Tool } from '../servers/go-tool.ts';

const run = promisify(execFile);
const plugins = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'test', 'plugins');
const cache = process.env['MILLRACE_TEST_TOOLS'] ?? join(tmpdir(), 'millrace-test-tools');

export interface GoProgram {
  /** Of the folder below test/plugins. */
  readonly folder: string;
  /** What the file is called. */
  readonly name: string;
  readonly environment?: Readonly<Record<string, string>>;
}

export async function builtProgram({ folder, name, environment = {} }: GoProgram): Promise<Tool> {
  const sources = join(plugins, folder);
  const hash = createHash('sha256');
  for (const file of readdirSync(sources).sort()) hash.update(file).update(readFileSync(join(sources, file)));
  const into = join(cache, `${folder}-${hash.digest('hex').slice(0, 16)}`);
  const path = join(into, name);
  if (existsSync(path)) return { path };
  const go = goBinary();
  if (go === null) return absent('Go is not installed');
  mkdirSync(into, { recursive: true });
  const own = join(into, `building-${process.pid}`);
  try {
    await run(go, ['build', '-trimpath', '-ldflags', '-s -w', '-o', own, '.'], {
      cwd: sources,
      env: { ...process.env, CGO_ENABLED: '0', ...environment },
      timeout: 600_000,
    });
  } catch (error) {
    return absent(`go build failed: ${error instanceof Error ? error.message : String(error)}`);
  }
  renameSync(own, path);
  return { path };
}

function absent(missing: string): Tool {
  if (process.env['CI'] !== undefined) throw new Error(`under CI: ${missing}`);
  return { missing };
}
