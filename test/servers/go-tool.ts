// Servers and tools that are built by Go from its module proxy, once for a machine: the binary is kept in a folder of the
// temporary one. Null, and why, where neither the binary nor Go is there; under CI that is a failure.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** `.ci/run` fills it beforehand: a build takes minutes, a test may not. */
const cache = process.env['MILLRACE_TEST_TOOLS'] ?? join(tmpdir(), 'millrace-test-tools');

export type Tool = { readonly path: string } | { readonly missing: string };

/** `module` such as github.com/versity/versitygw/cmd/versitygw@v1.8.0; `name` of the binary. */
export async function goTool(name: string, module: string): Promise<Tool> {
  const version = module.split('@')[1] ?? 'latest';
  const folder = join(cache, `${name}-${version}`);
  const path = join(folder, name);
  if (existsSync(path)) return { path };
  const go = goBinary();
  if (go === null) return absent(`${name} needs Go, which is not installed`);
  if (process.env['CI'] === undefined) return absent(`${name} is not built: GOBIN=${folder} go install ${module}`);
  mkdirSync(folder, { recursive: true });
  // A binary has its name when it is complete: two at a time do not meet.
  const own = mkdtempSync(join(folder, 'building-'));
  await run(go, ['install', module], { env: { ...process.env, GOBIN: own }, timeout: 600_000 });
  renameSync(join(own, name), path);
  rmSync(own, { recursive: true, force: true });
  return { path };
}

/** Go on the PATH, or where its installer puts it. */
export function goBinary(): string | null {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/go/bin'];
  return folders.map((folder) => join(folder, 'go')).find((path) => existsSync(path)) ?? null;
}

function absent(missing: string): Tool {
  if (process.env['CI'] !== undefined) throw new Error(`under CI: ${missing}`);
  return { missing };
}
