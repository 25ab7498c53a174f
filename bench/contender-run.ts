// The process of a contender that is a function: finds it in its workload, runs it, prints what it returns as one line of JSON.
//
//   node dist/bench/contender-run.js MODULE WORKLOAD CONTENDER
import type { Workloads } from './workload.ts';

const [module = '', name = '', contender = ''] = process.argv.slice(2);
// SAFETY: run.ts names a file of bench/workloads, which exports its workloads.
const { workloads } = (await import(module)) as { readonly workloads: Workloads };
const found = workloads[name]?.().contenders.find((candidate) => candidate.name === contender);
if (found === undefined || !('run' in found))
  throw new Error(`${name} has no contender ${contender} that is a function`);
const measured = await found.run();
process.stdout.write(`\n${JSON.stringify(measured)}\n`);
process.exit(0);
