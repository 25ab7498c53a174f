// `millrace bench FILE`: measures a pipeline file as the project measures itself, alone or in turn with another file.
//
// Every run is a process of its own (bench/measured-process.ts). The first signal ends the run that is under way; what was measured
// before is reported, and the exit code is 130. A second one ends this process at once.
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import type { ErrorData } from '../../../runtime/errors.ts';
import { errorFromData, errorToData, MillraceError } from '../../../runtime/errors.ts';
import { alternate } from '../bench/alternation.ts';
import { type BenchReport, comparison, fileReport } from '../bench/bench-report.ts';
import type { MeasuredPipeline } from '../bench/measured-pipeline.ts';
import { runMeasured } from '../bench/measured-process.ts';
import { reportChart } from '../bench/report-chart.ts';
import { reportLines } from '../bench/report-table.ts';
import type { RunFigures, RunKind } from '../bench/run-figures.ts';
import { chartSvg } from '../bench/svg-chart.ts';
import { isConduitFile } from '../conduit-file/conduit-text.ts';
import { jsonText } from '../terminal/json-text.ts';
import { type Command, exitCodes, type OptionValues, type Tools, UsageError } from './command.ts';
import { checkConduitFiles, pluginFolders } from './conduit-files.ts';
import { loadPipeline } from './load-pipeline.ts';
import { problemReport } from './problem-text.ts';
import { checkResultFile, writeResultFile } from './result-file.ts';

const warmUpDefault = 2;
const secondsDefault = 10;
const repeatDefault = 5;

export const benchCommand: Command = {
  name: 'bench',
  synopsis:
    'bench FILE.yaml [--against OTHER.yaml] [--seconds S] [--warm-up S] [--repeat N] [--workers N] [--connectors FOLDER] [--processors FOLDER] [--json] [--chart FILE.svg]',
  summary: 'Measures a pipeline file: throughput, latency, queues, CPU and memory of each thread.',
  description: `Runs the file once without counting it, then --repeat times (default ${repeatDefault}), each time in a process of its own, and prints
medians, ranges and the A/A noise (how far the odd runs are from the even ones: a smaller difference says nothing). A run that
ends within --warm-up and --seconds is measured from start to end; of any other, --seconds (default ${secondsDefault}) are measured after
--warm-up (default ${warmUpDefault}). --warm-up 0 leaves out both the warm-up and the run that is not counted. Connectors really read and
write: every run writes its outputs again.

latency: from the moment that rows leave their source, decoded, until every output has confirmed their effect; without outputs,
until the views have it. queues: records before the engine (inputs) and before an output, on average and at most; "throttled" is the
time an input waited for room, or the queue of an output was full. threads: CPU as the system counts it, heap, memory outside of it, garbage collection. "main" is
the harness itself, "other" what V8 and Node run beside.

--workers computes the views on so many threads, whatever the files say; with --against both. --against runs another file in turn (A B, B A, …) and prints the ratio of each pair's rows/s. --json prints everything as one object,
--chart draws it. SIGINT ends the run under way and reports what was measured before.
A pipeline file of Conduit with one pipeline is measured too; --connectors is the folder of plugins (default ./connectors).

exit codes: 0 done, 1 a pipeline or a connector failed, 2 invalid configuration or usage, 130 ended by a signal`,
  options: {
    against: { type: 'string' },
    seconds: { type: 'string' },
    'warm-up': { type: 'string' },
    repeat: { type: 'string' },
    workers: { type: 'string' },
    connectors: { type: 'string' },
    processors: { type: 'string' },
    json: { type: 'boolean' },
    chart: { type: 'string' },
  },
  operands: 1,
  async run(operands, options, tools): Promise<number> {
    const { against, chart } = options;
    const files = [...operands, ...(typeof against === 'string' ? [against] : [])];
    const settings = {
      repeat: readNumber('repeat', options, repeatDefault, /^[1-9]\d{0,3}$/, 'a number of runs from 1 to 9999'),
      seconds: readNumber('seconds', options, secondsDefault, secondsForm, 'a number of seconds'),
      workers: options['workers'] === undefined ? null : readNumber('workers', options, 1, workersForm, 'from 1 to 64'),
      warmUpSeconds: readNumber('warm-up', options, warmUpDefault, warmUpForm, 'a number of seconds'),
    };
    if (typeof chart === 'string') checkResultFile(chart);
    const pipelines: MeasuredPipeline[] = [];
    for (const file of files) pipelines.push(await measuredPipeline(file, options, settings.workers, tools));
    const refuse = ({ file, problems }: Invalid): number => {
      if (options['json'] === true) tools.out(`${jsonText({ event: 'invalid', file, problems })}\n`);
      else tools.err(problemReport(file, problems.map(errorFromData)));
      return exitCodes.invalid;
    };
    const wrong = await firstInvalid(files, pipelines, tools);
    if (wrong !== null) return refuse(wrong);
    const { runs, isInterrupted, invalid } = await measureFiles(files, pipelines, settings, tools);
    if (invalid !== null) return refuse(invalid);
    const measured = files.flatMap((file, i) => {
      const own = runs[i] ?? [];
      return own.length === 0 ? [] : [fileReport(file, own)];
    });
    const [ours, theirs] = measured;
    const report: BenchReport = {
      millrace: tools.version,
      node: process.version,
      platform: `${process.platform} ${process.arch}`,
      cores: availableParallelism(),
      warmUpSeconds: settings.warmUpSeconds,
      windowSeconds: settings.seconds,
      workers: settings.workers,
      interrupted: isInterrupted,
      files: measured,
      against: ours === undefined || theirs === undefined ? null : comparison(ours, theirs),
    };
    if (options['json'] === true) tools.out(`${jsonText(report)}\n`);
    else if (ours === undefined) tools.err('ended by a signal before a run was done\n');
    else tools.out(`${reportLines(report).join('\n')}\n`);
    if (typeof chart === 'string' && ours !== undefined) writeResultFile(chart, chartSvg(reportChart(report)));
    return isInterrupted ? exitCodes.interrupted : exitCodes.ok;
  },
};

const warmUpForm = /^\d{1,5}(\.\d{1,3})?$/;
const workersForm = /^([1-9]|[1-5]\d|6[0-4])$/;
const secondsForm = /^(?=.*[1-9])\d{1,5}(\.\d{1,3})?$/;

function readNumber(name: string, options: OptionValues, fallback: number, form: RegExp, wanted: string): number {
  const text = options[name];
  if (typeof text !== 'string') return fallback;
  if (!form.test(text)) throw new UsageError({ detail: `millrace bench: --${name} must be ${wanted}, not "${text}"` });
  return Number(text);
}

interface Settings {
  readonly repeat: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly workers: number | null;
}

interface Outcome {
  /** Counted runs of each file. */
  readonly runs: readonly (readonly RunFigures[])[];
  readonly isInterrupted: boolean;
  readonly invalid: Invalid | null;
}

/** @throws what a run failed with */
async function measureFiles(
  files: readonly string[],
  pipelines: readonly MeasuredPipeline[],
  settings: Settings,
  tools: Tools,
): Promise<Outcome> {
  const interrupt = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    if (interrupt.signal.aborted) {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
      return;
    }
    tools.err(`${signal}: ends the run under way; once more ends at once\n`);
    interrupt.abort(new Interrupted());
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  const runs: RunFigures[][] = files.map(() => []);
  try {
    const contenders = pipelines.map((pipeline, i) => {
      const file = files[i] ?? '';
      // The first run tells whether the others have an end.
      let kind: RunKind | null = null;
      return {
        name: file,
        run: async (round: number): Promise<void> => {
          const { seconds, warmUpSeconds } = settings;
          const request = { pipeline, name: file, kind, seconds, warmUpSeconds };
          const figures = await runMeasured(request, interrupt.signal).catch((error: unknown) => {
            throw invalidOf(file, error) ?? error;
          });
          kind = figures.kind;
          if (round > 0) runs[i]?.push(figures);
        },
      };
    });
    const rounds = { counted: settings.repeat, warmsUp: settings.warmUpSeconds > 0 };
    await alternate(contenders, rounds, (name, round) => {
      tools.err(round === 0 ? `warming up: ${name}\n` : `run ${round} of ${settings.repeat}: ${name}\n`);
    });
    return { runs, isInterrupted: false, invalid: null };
  } catch (error) {
    if (error instanceof Interrupted) return { runs, isInterrupted: true, invalid: null };
    if (error instanceof Invalid) return { runs, isInterrupted: false, invalid: error };
    throw error;
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

/** Looked at before anything runs: the second file may be measured half a minute after the first. @throws PipelineFileUnreadable */
async function firstInvalid(
  files: readonly string[],
  pipelines: readonly MeasuredPipeline[],
  tools: Tools,
): Promise<Invalid | null> {
  for (const [i, pipeline] of pipelines.entries()) {
    const file = files[i] ?? '';
    if (pipeline.kind !== 'file') continue;
    const { problems } = await loadPipeline(file, tools);
    if (problems.length > 0) return new Invalid(file, problems.map(errorToData));
  }
  return null;
}

/** A pipeline file as it is; of a file of Conduit, its one pipeline. @throws UsageError, the first problem of a file of Conduit */
async function measuredPipeline(
  path: string,
  options: OptionValues,
  workers: number | null,
  tools: Tools,
): Promise<MeasuredPipeline> {
  if (!(await isConduitFile(path))) return { kind: 'file', file: resolve(path), workers };
  const folders = pluginFolders(options);
  const { files, problems, warnings } = await checkConduitFiles(path, tools, folders);
  for (const { code, message } of warnings) tools.err(`warning ${code}: ${message}\n`);
  const [problem] = problems;
  if (problem !== undefined) {
    tools.err(problemReport(path, problems));
    throw problem;
  }
  const [first, ...others] = files.flatMap(({ pipelines }) => pipelines).filter(({ status }) => status === 'running');
  if (first === undefined || others.length > 0) {
    const count = first === undefined ? 'no pipeline that runs' : `${others.length + 1} pipelines that run`;
    throw new UsageError({ detail: `millrace bench measures one pipeline at a time: ${path} has ${count}` });
  }
  if (workers !== null) {
    const detail = `millrace bench: --workers is of pipelines with SQL, and ${path} is a pipeline file of Conduit`;
    throw new UsageError({ detail });
  }
  return { kind: 'relay', definition: first.definition, folders, version: tools.version };
}

class Interrupted extends Error {}

class Invalid extends Error {
  readonly file: string;
  readonly problems: readonly ErrorData[];

  constructor(file: string, problems: readonly ErrorData[]) {
    super(file);
    this.file = file;
    this.problems = problems;
  }
}

function invalidOf(file: string, error: unknown): Invalid | null {
  if (!(error instanceof MillraceError) || error.code !== 'pipeline.invalid') return null;
  // SAFETY: these are the fields of PipelineInvalid, of whatever process.
  return new Invalid(file, error.fields['problems'] as readonly ErrorData[]);
}
