// A script that is measured as a whole leaves what its process has taken in a file, named after the process, when it ends.
import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { systemClock } from '../../../runtime/clock.ts';
import { ProcessWatch } from './process-watch.ts';
import type { ProcessFigures } from './run-figures.ts';

export interface ExitReport extends ProcessFigures {
  readonly script: string;
}

/** For the main thread. Threads that ended before are counted up to the last look at them. */
export function reportAtExit(folder: string): void {
  const watch = new ProcessWatch(systemClock);
  process.once('exit', () => {
    watch.look();
    const report: ExitReport = { script: basename(process.argv[1] ?? ''), ...watch.figures() };
    writeFileSync(join(folder, `${process.pid}.json`), JSON.stringify(report));
  });
}
