// One Nexmark query on so many workers, in a process of its own. Prints one JSON line.
//
//   node dist/bench/workers-run.js QUERY WORKERS EVENTS [STEP] [explain|barrier]
//
// The events are made into batches in memory first, for several workers into shared memory; then steps of 40,000 events are computed, and
// only that is timed. As many events go before those that are timed, the first half of them in steps of a tenth: each thread of its own compiles
// its kernels by them, on helper threads that take cores from several workers and none from one, and what is called once a step is compiled as
// well when the clock begins. `seconds` is by the clock, which other processes of the machine disturb; `cpu` is what each worker's thread has
// computed (as the system counts it), `helperSeconds` what all other threads have, the compiler's and the garbage collector's, and
// `criticalSeconds` the sum over the steps of the most that any worker had to compute: what the clock would show on a machine of idle cores for
// all of them, but for waits within a step.
// `laidSeconds`: what laying all columns of those steps into shared memory took, which a pipeline does within its steps, with those columns
// alone that are read.
// `explain` prints the circuit; `barrier` prints a line when it has warmed up, and goes on when it is given one (workers-apart.ts).
// `checksum` is the number of rows that came out and the sum of their weights: the same for any number of workers.
import { openSync, readSync } from 'node:fs';
import { planProgram } from '../actors/engine/plan/planner.ts';
import { compileProgram } from '../actors/engine/sql/compile-program.ts';
import { openShardedCircuit } from '../actors/engine/workers/sharded-circuit.ts';
import type { ChangeBatch } from '../runtime/batch/change-batch.ts';
import { NexmarkEvents } from './nexmark-events.ts';
import { nexmarkProgram } from './nexmark-queries.ts';
import { sharedBatch } from './shared-batch.ts';

const [query = 'q4', workersText = '2', eventsText = '1000000', stepText = '40000', asked] = process.argv.slice(2);
const workers = Number(workersText);
const events = Number(eventsText);
const stepEvents = Number(stepText);

const { program, problems } = compileProgram(nexmarkProgram(query, 'VIEW'));
if (program === null) throw problems[0] ?? new Error(`${query} does not compile`);
const made = new NexmarkEvents(program);
const steps = [made.sideInput()];
let warmSteps = 1;
let laid = 0;
for (let from = 0, to = 0; from < 2 * events; from = to) {
  // The first step is as long as those that count: by its rows workers agree who has which keys (bucket-owners.ts).
  const isShort = from > 0 && from < events / 2;
  to = Math.min(from + (isShort ? stepEvents / 10 : stepEvents), from < events ? events : 2 * events);
  const step = made.step(from, to);
  const since = performance.now();
  steps.push(workers === 1 ? step : inSharedMemory(step));
  if (from < events) warmSteps++;
  else laid += performance.now() - since;
}

type Changes = ReadonlyMap<string, readonly ChangeBatch[]>;
interface Running {
  readonly step: (inputs: ReadonlyMap<string, readonly ChangeBatch[]>) => Changes;
  readonly threads: readonly number[];
  readonly explain: () => string;
  readonly stop: () => Promise<void>;
}

const running = workers === 1 ? plain() : await sharded();
if (asked === 'explain') process.stderr.write(`${running.explain()}\n`);
let rows = 0;
let weights = 0;
let critical = 0;
const instant = new Int32Array(new SharedArrayBuffer(4));
const schedules = running.threads.map((thread) => openSync(`/proc/self/task/${thread}/schedstat`, 'r'));
const line = Buffer.alloc(256);
const cpu = running.threads.map(() => 0);
let helpers = 0;
let seconds = 0;
for (const [step, inputs] of steps.entries()) {
  if (step === warmSteps) {
    if (asked === 'barrier') waitForOther();
    seconds = 0;
    critical = 0;
    helpers = 0;
    cpu.fill(0);
  }
  const before = cpuSeconds();
  const all = process.cpuUsage();
  const since = performance.now();
  const changes = running.step(inputs);
  seconds += (performance.now() - since) / 1000;
  const { user, system } = process.cpuUsage(all);
  const spent = cpuSeconds().map((after, i) => after - before[i]!);
  critical += Math.max(...spent);
  helpers += (user + system) / 1e6 - spent.reduce((sum, each) => sum + each, 0);
  spent.forEach((seconds, i) => {
    cpu[i]! += seconds;
  });
  for (const batch of changes.get(query) ?? []) {
    rows += batch.rows;
    weights += batch.weights === null ? batch.rows : batch.weights.reduce((sum, weight) => sum + weight, 0);
  }
}
const figures = {
  query,
  workers,
  seconds,
  criticalSeconds: critical,
  helperSeconds: Math.max(0, helpers),
  cpu,
  laidSeconds: workers === 1 ? 0 : laid / 1000,
  rows: events,
  checksum: `${rows} ${weights}`,
};
process.stdout.write(`${JSON.stringify(figures)}\n`);
await running.stop();

function plain(): Running {
  const circuit = planProgram(program!, { onError: 'stop' });
  circuit.observe(query);
  return {
    step: (inputs) => new Map([...circuit.step(inputs)].map(([name, change]) => [name, [change]])),
    threads: [process.pid],
    explain: () => circuit.explain(),
    stop: async () => {},
  };
}

async function sharded(): Promise<Running> {
  const onLost = (error: unknown): never => {
    throw error;
  };
  const circuit = await openShardedCircuit({ program: program!, onError: 'stop', workers, onLost });
  circuit.observe(query);
  return {
    step: (inputs) => circuit.step(inputs),
    threads: circuit.systemThreads,
    explain: () => circuit.circuit.explain(),
    stop: () => circuit.stop(),
  };
}

/** The arrays of a step where all threads read them. */
function inSharedMemory(step: ReadonlyMap<string, readonly ChangeBatch[]>): Map<string, ChangeBatch[]> {
  return new Map([...step].map(([table, batches]) => [table, batches.map(sharedBatch)]));
}

function waitForOther(): void {
  process.stdout.write('warm\n');
  readSync(0, line, 0, 1, null);
}

/** What the threads have computed so far, as the scheduler counts it: when it switches, so this one lets it, for an instant. */
function cpuSeconds(): readonly number[] {
  Atomics.wait(instant, 0, 0, 0.01);
  return schedules.map((file) => {
    const length = readSync(file, line, 0, line.length, 0);
    return Number(line.toString('latin1', 0, length).split(' ')[0]) / 1e9;
  });
}
