// The official Python client of Feldera in an environment of its own, made once for a machine.
//
// Nothing of the client is part of Millrace: it comes from the Python registry. Where Python or the registry is absent the
// caller is told why; under CI that is a failure.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Those that the tests use. */
export const pythonVersions: readonly string[] = ['0.337.0', '0.369.0'];

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const tools = process.env['MILLRACE_TEST_TOOLS'] ?? join(tmpdir(), 'millrace-test-tools');
const installSecondsMax = 200;

export interface PythonClient {
  /** The interpreter with the client; null when there is none. */
  readonly python: string | null;
  readonly reason: string;
}

/** Installs the client unless it is there. Two at a time do not meet: a folder has its name when it is complete. */
export function pythonClient(version: string): PythonClient {
  const folder = join(tools, `python-feldera-${version}`);
  const python = join(folder, 'bin', 'python');
  if (existsSync(folder)) return { python, reason: '' };
  mkdirSync(tools, { recursive: true });
  const own = mkdtempSync(join(tools, `installing-feldera-${version}-`));
  const steps: readonly (readonly [string, readonly string[]])[] = [
    ['python3', ['-m', 'venv', own]],
    [
      join(own, 'bin', 'python'),
      ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `feldera==${version}`],
    ],
  ];
  for (const [command, args] of steps) {
    const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8', timeout: installSecondsMax * 1000 });
    if (status === 0) continue;
    rmSync(own, { recursive: true, force: true });
    return { python: null, reason: `${command} ${args.join(' ')}: ${error?.message ?? stderr.trim()}` };
  }
  try {
    renameSync(own, folder);
  } catch {
    // Somebody else was quicker.
    rmSync(own, { recursive: true, force: true });
  }
  return { python, reason: '' };
}

export interface ScenarioResult {
  readonly name: string;
  readonly verdict: 'ok' | 'not ok' | 'skip';
  readonly detail: string;
}

/** Runs the scenarios against a server and reads their lines. */
export async function runScenarios(python: string, url: string, names: readonly string[]): Promise<ScenarioResult[]> {
  const script = join(root, 'test', 'conformance', 'python', 'scenarios.py');
  const child: ChildProcess = spawn(python, [script, ...names], {
    env: { ...process.env, FELDERA_HOST: url, PYTHONDONTWRITEBYTECODE: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const results: ScenarioResult[] = [];
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk.toString('utf8');
  });
  const done = new Promise<number | null>((resolve) => child.on('close', resolve));
  if (child.stdout !== null) {
    for await (const line of createInterface({ input: child.stdout })) {
      const match = /^(ok|not ok|skip) (\w+)(?:: (.*))?$/.exec(line);
      if (match === null) console.log(line);
      // SAFETY: the expression has matched one of the three.
      else
        results.push({ name: match[2] ?? '', verdict: match[1] as ScenarioResult['verdict'], detail: match[3] ?? '' });
    }
  }
  const code = await done;
  if (results.length === 0)
    throw new Error(`the scenarios ended with ${code} and said nothing: ${errors.slice(-2000)}`);
  return results;
}
