// Runs of a pipeline whose source is counter-module.ts, one after the other in one folder, each killed with kill -9.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CliProcess, secondsOfFileMax } from '../cli/cli-process.ts';

/** Goes on from the data folder of the runs before. */
export function startRun(folder: string): CliProcess {
  rmSync(join(folder, 'acks'), { force: true });
  return new CliProcess(['run', 'p.yaml', '--data', 'data'], { folder, secondsMax: secondsOfFileMax });
}

export async function killRun(run: CliProcess): Promise<void> {
  run.kill('SIGKILL');
  await run.exit;
}

/** Checkpoints of the latest run that are stored. */
export function storedCheckpoints(folder: string): number {
  const path = join(folder, 'acks');
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').length - 1 : 0;
}
