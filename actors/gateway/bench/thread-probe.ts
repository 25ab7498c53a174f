// Loaded into every thread of a measured process before anything else (`node --import`): says who the thread is and what it
// has taken, whenever the process's main thread asks on the channel (process-watch.ts).
//
// A thread that is busy answers when it comes round to it; nothing here runs in between but V8's own account of its garbage
// collections. In the main thread of a script that is measured as a whole (`MILLRACE_BENCH_REPORT`) it keeps watch itself, and
// leaves a report when the process ends.
import { isMainThread } from 'node:worker_threads';
import { answerQuestions } from './thread-answers.ts';

if (!isMainThread) answerQuestions();
else {
  const folder = process.env['MILLRACE_BENCH_REPORT'];
  if (folder !== undefined) {
    const { reportAtExit } = await import('./exit-report.ts');
    reportAtExit(folder);
  }
}
