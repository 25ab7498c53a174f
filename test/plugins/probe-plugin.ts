// The connector plugin of test/plugins/go, built once for each state of its sources into a folder of the temporary one. Where it
// cannot be built, the tests that need it are skipped and say why; under CI that is a failure.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { goBinary, type Tool } from '../servers/go-tool.ts';

const run = promisify(execFile);
const sources = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'test', 'plugins', 'go');
const cache = process.env['MILLRACE_TEST_TOOLS'] ?? join(tmpdir(), 'millrace-test-tools');

export async function probePlugin(): Promise<Tool> {
  const hash = createHash('sha256');
  for (const name of readdirSync(sources).sort()) hash.update(name).update(readFileSync(join(sources, name)));
  const folder = join(cache, `probe-${hash.digest('hex').slice(0, 16)}`);
  const path = join(folder, 'conduit-connector-probe');
  if (existsSync(path)) return { path };
  const go = goBinary();
  if (go === null) return absent('Go is not installed');
  mkdirSync(folder, { recursive: true });
  const own = join(folder, `building-${process.pid}`);
  try {
    await run(go, ['build', '-trimpath', '-ldflags', '-s -w', '-o', own, '.'], {
      cwd: sources,
      env: { ...process.env, CGO_ENABLED: '0' },
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
