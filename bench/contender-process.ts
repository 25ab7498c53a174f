// Runs one contender in a process of its own and reads what it printed, and what its processes took (thread-probe.ts): of each
// thread, also of servers and plugins that it starts.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExitReport } from '../actors/gateway/bench/exit-report.ts';
import { probeFlags } from '../actors/gateway/bench/measured-process.ts';
import { type Contender, type Measured, readMeasured } from './workload.ts';

export interface ContenderRun {
  readonly measured: Measured;
  /** The first is the contender's own. */
  readonly processes: readonly ExitReport[];
}

const runner = join(dirname(fileURLToPath(import.meta.url)), 'contender-run.js');

/** @throws when it fails, or prints no JSON */
export async function runContender(module: string, workload: string, contender: Contender): Promise<ContenderRun> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-report-'));
  try {
    const command = 'command' in contender ? contender.command : [runner, module, workload, contender.name];
    const child = spawn(process.execPath, [...probeFlags, ...command], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        MILLRACE_BENCH_REPORT: folder,
        // Processes that it starts are watched, too.
        NODE_OPTIONS: [process.env['NODE_OPTIONS'] ?? '', ...probeFlags].join(' ').trim(),
      },
    });
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (code !== 0) throw new Error(`${contender.name} exited with ${code}`);
    const line: unknown = JSON.parse(printed.trim().split('\n').at(-1) ?? '');
    const measured = 'command' in contender ? (contender.read ?? readMeasured)(line) : readMeasured(line);
    return { measured, processes: reportsOf(folder, child.pid ?? 0) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function reportsOf(folder: string, pid: number): readonly ExitReport[] {
  const own = `${pid}.json`;
  const names = readdirSync(folder).sort((a, b) => Number(b === own) - Number(a === own));
  // SAFETY: exit-report.ts writes them.
  return names.map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as ExitReport);
}
