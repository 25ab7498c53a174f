// `npm run bench [-- WORKLOAD …] [--repeat N] [--no-warm-up] [--list] [--json FILE] [--figures FILE.json] [--chart FILE.svg]
// [--from FILE.json]`: measures Millrace beside its rivals in the same run, process by process, in turn. Built on the harness of `millrace bench` (actors/gateway/bench).
//
// Every figure is the median of N runs (default 5) after one that is not counted, with the A/A noise of its own runs; a workload
// fails when a run's checksum is not the expected one or differs from the rival's. Workloads are the files of bench/workloads; to
// add one is to add a file there (README.md). `--json` keeps everything, `--figures` what is printed and drawn; `--from` prints and draws
// either again.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { alternate, type Rounds } from '../actors/gateway/bench/alternation.ts';
import { spread } from '../actors/gateway/bench/statistics.ts';
import { type Chart, chartSvg } from '../actors/gateway/bench/svg-chart.ts';
import { nearestName } from '../runtime/nearest-name.ts';
import { type ContenderRun, runContender } from './contender-process.ts';
import type { Workload, Workloads } from './workload.ts';

interface Known {
  /** URL of its file. */
  readonly module: string;
  readonly make: () => Workload;
}

interface Outcome {
  readonly name: string;
  readonly title: string;
  readonly lines: readonly string[];
  readonly panels: Chart['panels'];
  readonly contenders: readonly { readonly name: string; readonly runs: readonly ContenderRun[] }[];
}

interface Report {
  readonly node: string;
  readonly cores: number;
  readonly date: string;
  readonly repeat: number;
  readonly workloads: readonly Outcome[];
}

async function knownWorkloads(): Promise<ReadonlyMap<string, Known>> {
  const folder = join(dirname(fileURLToPath(import.meta.url)), 'workloads');
  const known = new Map<string, Known>();
  for (const file of readdirSync(folder).sort()) {
    if (!file.endsWith('.js')) continue;
    const module = pathToFileURL(join(folder, file)).href;
    // SAFETY: every file of the folder exports its workloads.
    const { workloads } = (await import(module)) as { readonly workloads: Workloads };
    for (const [name, make] of Object.entries(workloads)) known.set(name, { module, make });
  }
  return known;
}

/** A name stands for all workloads that begin with it and a dash, too: `connectors`, `orders`. */
function choose(wanted: readonly string[], known: ReadonlyMap<string, Known>): readonly string[] {
  const names = [...known.keys()];
  if (wanted.length === 0) return names;
  const groupOf = (name: string): readonly string[] =>
    known.has(name) ? [name] : names.filter((other) => other.startsWith(`${name}-`));
  const unknown = wanted.find((name) => groupOf(name).length === 0);
  if (unknown !== undefined) {
    const nearest = nearestName(unknown, names);
    const meant = nearest === undefined ? '' : ` (did you mean "${nearest}"?)`;
    console.error(`no workload "${unknown}"${meant}; there are ${names.join(', ')}`);
    process.exit(2);
  }
  return wanted.flatMap(groupOf);
}

async function measure(name: string, { module, make }: Known, rounds: Rounds): Promise<Outcome> {
  const workload = make();
  let expected = workload.checksum;
  const runs = await alternate(
    workload.contenders.map((contender) => ({
      name: contender.name,
      run: async (): Promise<ContenderRun> => {
        const run = await runContender(module, name, contender);
        const { checksum } = run.measured;
        expected ??= checksum;
        if (checksum !== expected) {
          throw new Error(`${name}: ${contender.name} computed "${checksum}", expected "${expected}"`);
        }
        return run;
      },
    })),
    rounds,
  );
  const { lines, panels = [] } = workload.figures(runs.map((own) => own.map(({ measured }) => measured)));
  const contenders = workload.contenders.map((contender, i) => ({ name: contender.name, runs: runs[i] ?? [] }));
  const took = contenders.length > 8 ? [] : contenders.map(({ name: own, runs: all }) => processLine(own, all));
  return {
    name,
    title: workload.title,
    lines: [`  result checked: ${expected}`, ...lines, ...took],
    panels,
    contenders,
  };
}

/** What all processes of a contender took, and which threads of it took most. */
function processLine(name: string, runs: readonly ContenderRun[]): string {
  const median = (value: (run: ContenderRun) => number): number => spread(runs.map(value)).median;
  const sum = (run: ContenderRun, cpu: (report: ContenderRun['processes'][number]) => number): number =>
    run.processes.reduce((all, report) => all + cpu(report), 0);
  const names = [
    ...new Set(runs.flatMap((run) => run.processes.flatMap(({ threads }) => threads.map((one) => one.name)))),
  ];
  const threads = names
    .map((thread) => {
      const cpuMs = median((run) =>
        sum(run, ({ threads: all }) =>
          all.filter((one) => one.name === thread).reduce((total, one) => total + one.cpuMs, 0),
        ),
      );
      return { thread, cpuMs };
    })
    .filter(({ cpuMs }) => cpuMs >= 10)
    .sort((a, b) => b.cpuMs - a.cpuMs)
    .map(({ thread, cpuMs }) => `${thread} ${(cpuMs / 1000).toFixed(1)}`);
  const cpu = median((run) => sum(run, ({ cpuMs }) => cpuMs)) / 1000;
  const memory = median((run) => Math.max(0, ...run.processes.map(({ rssBytesMax }) => rssBytesMax)));
  return `  ${name}: ${cpu.toFixed(1)} s of CPU from start to exit (${threads.join(', ')}), ${Math.round(memory / 1e6)} MB at most`;
}

function print(outcome: Outcome): void {
  console.log(`\n${outcome.name}: ${outcome.title}`);
  for (const line of outcome.lines) console.log(line);
}

function keep(report: Report): void {
  const { json, figures, chart } = values;
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(report, null, 1)}\n`);
  if (figures !== undefined) {
    const workloads = report.workloads.map((outcome) => ({ ...outcome, contenders: [] }));
    writeFileSync(figures, `${JSON.stringify({ ...report, workloads }, null, 1)}\n`);
  }
  if (chart !== undefined) draw(report, chart);
}

function draw(report: Report, file: string): void {
  const panels = report.workloads.flatMap((outcome) => outcome.panels);
  if (panels.length === 0) {
    console.error('none of these workloads has a chart');
    process.exit(2);
  }
  const title = `${report.workloads.map(({ name }) => name).join(', ')}: node ${report.node}, ${report.cores} cores, ${report.date}`;
  writeFileSync(file, chartSvg({ title, panels }));
}

const { values, positionals } = parseArgs({
  options: {
    repeat: { type: 'string', default: '5' },
    'no-warm-up': { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    json: { type: 'string' },
    figures: { type: 'string' },
    chart: { type: 'string' },
    from: { type: 'string' },
  },
  allowPositionals: true,
});
if (!/^[1-9]\d*$/.test(values.repeat)) {
  console.error(`--repeat must be a number of runs, not "${values.repeat}"`);
  process.exit(2);
}
if (values.from !== undefined) {
  // SAFETY: `--json` has written it.
  const report = JSON.parse(readFileSync(values.from, 'utf8')) as Report;
  for (const outcome of report.workloads) print(outcome);
  keep(report);
} else {
  const known = await knownWorkloads();
  if (values.list) console.log([...known.keys()].join('\n'));
  else {
    const repeat = Number(values.repeat);
    const outcomes: Outcome[] = [];
    console.log(`node ${process.version}, ${availableParallelism()} cores, ${repeat} runs each`);
    for (const name of choose(positionals, known)) {
      const found = known.get(name);
      if (found === undefined) continue;
      const outcome = await measure(name, found, { counted: repeat, warmsUp: !values['no-warm-up'] });
      outcomes.push(outcome);
      print(outcome);
    }
    const date = new Date().toISOString().slice(0, 10);
    const cores = availableParallelism();
    const report: Report = { node: process.version, cores, date, repeat, workloads: outcomes };
    keep(report);
  }
}
