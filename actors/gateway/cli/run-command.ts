// `millrace run FILE`: runs a pipeline until all inputs have ended and all outputs are flushed, or until SIGINT or SIGTERM.
//
// The first signal drains (exit 0), a second one ends the process at once (exit 130). A connector that has failed makes the
// exit code 1 after the others have ended.
import { systemClock } from '../../../runtime/clock.ts';
import { type ErrorData, errorFromData, errorToData, MillraceError } from '../../../runtime/errors.ts';
import type { LogEntry } from '../../../runtime/log.ts';
import type { InputConnectorStats, PipelineStats } from '../../supervisor/messages.ts';
import { isConduitPath } from '../conduit-file/conduit-text.ts';
import { CompletionFailed } from '../embedded/embedded-errors.ts';
import { Pipeline } from '../embedded/pipeline.ts';
import { jsonText } from '../terminal/json-text.ts';
import { formatBytes, formatCount } from '../terminal/quantities.ts';
import { textTable } from '../terminal/text-table.ts';
import { type Command, exitCodes, type OptionValues, type Tools, UsageError } from './command.ts';
import { onEndSignals } from './end-signals.ts';
import { problemLines, problemReport } from './problem-text.ts';
import { ProgressDisplay } from './progress-display.ts';
import { controlRun, type RunControl } from './run-control.ts';

const rowsDefault = 60;
/** The latest refused rows of an input that are shown to a person. */
const refusedShown = 5;

export const runCommand: Command = {
  name: 'run',
  synopsis: 'run FILE.yaml [--json] [--rows N] [--data FOLDER] [--control] [--connectors FOLDER] [--processors FOLDER]',
  summary: 'Runs a pipeline file until its inputs have ended.',
  description: `Runs until all inputs have ended and all outputs are flushed, then prints the materialized views (at most --rows
rows of each, default ${rowsDefault}) and the throughput. SIGINT or SIGTERM drains what has been read and ends with 0; a second
signal ends at once with 130. With --json one JSON object is printed for each event, and a summary with the views at the end.
A pipeline file of Conduit, or a folder of them, is run too: all of its pipelines at a time, until their sources have ended. With --data
checkpoints, positions and what lifecycle events need are kept in a folder, and the next run goes on there, also after a crash; without
it every run is a first run. With --control lines of standard input are commands: \`resume RELATION.CONNECTOR\`, by which one that starts
paused is started, \`pause RELATION.CONNECTOR\` and \`status\`. --connectors is the folder of plugins (default ./connectors).

exit codes: 0 done, 1 the pipeline or a connector failed (the others were run to their end), 2 invalid configuration or usage`,
  options: {
    json: { type: 'boolean' },
    rows: { type: 'string' },
    data: { type: 'string' },
    control: { type: 'boolean' },
    connectors: { type: 'string' },
    processors: { type: 'string' },
  },
  operands: 1,
  async run(operands, options, tools): Promise<number> {
    const [file = ''] = operands;
    const isControlled = options['control'] === true;
    if (await isConduitPath(file)) {
      if (isControlled) throw new UsageError({ detail: 'millrace run: --control is for pipelines with SQL' });
      const { runConduit } = await import('./run-conduit.ts');
      return await runConduit(file, options, tools);
    }
    const rowsMax = readRows(options);
    const output = options['json'] === true ? jsonOutput(tools) : textOutput(tools);
    const { data } = options;
    return await runPipeline(file, output, {
      rowsMax,
      dataFolder: typeof data === 'string' ? data : undefined,
      control: isControlled ? process.stdin : null,
    });
  },
};

function readRows(options: OptionValues): number {
  const text = options['rows'];
  if (typeof text !== 'string') return rowsDefault;
  if (!/^\d{1,9}$/.test(text))
    throw new UsageError({ detail: `millrace run: --rows must be a number of rows, not "${text}"` });
  return Number(text);
}

/** Two ways to tell the user what happens. */
interface RunOutput {
  invalid(file: string, problems: readonly ErrorData[]): void;
  log(entry: LogEntry): void;
  started(pipeline: Pipeline): void;
  /** What became of a command. */
  answered(text: string): void;
  refusedCommand(error: unknown): void;
  draining(signal: string): void;
  /** Called once, whatever happened, before the summary. */
  ended(): Promise<void>;
  failed(error: unknown): void;
  /** The latest rows that parsers refused, of each input; to a program the latest errors of transports as well. */
  refused(inputs: readonly InputConnectorStats[]): void;
  summary(views: readonly ViewRows[], stats: PipelineStats, seconds: number): void;
}

interface ViewRows {
  readonly view: string;
  readonly columns: readonly string[];
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly totalRows: number;
}

interface RunOptions {
  readonly rowsMax: number;
  readonly dataFolder: string | undefined;
  /** Where commands come from; null: nowhere. */
  readonly control: NodeJS.ReadStream | null;
}

async function runPipeline(file: string, output: RunOutput, options: RunOptions): Promise<number> {
  const { rowsMax, dataFolder } = options;
  const interrupt = new AbortController();
  const ignoreSignals = onEndSignals(systemClock, {
    drain: (signal) => {
      output.draining(signal);
      interrupt.abort(signal);
    },
    endAtOnce,
  });
  const started = systemClock.monotonic();
  let exitCode: number = exitCodes.ok;
  const pipeline = await openValid(file, output, dataFolder);
  if (pipeline === null) return exitCodes.invalid;
  let control: RunControl | null = null;
  try {
    await pipeline.start();
    output.started(pipeline);
    if (options.control !== null) {
      const answers = { answer: output.answered, failed: output.refusedCommand };
      control = controlRun(pipeline, options.control, answers);
    }
    let problem: unknown = null;
    try {
      await completedOrDrained(pipeline, interrupt.signal);
    } catch (error) {
      problem = error;
      exitCode = exitCodes.failed;
    }
    const seconds = (systemClock.monotonic() - started) / 1000;
    await output.ended();
    const stats = await pipeline.stats();
    // Connectors that have failed stand in the summary, each with its cause; everything else ends the run here.
    if (problem !== null && !(problem instanceof CompletionFailed)) output.failed(problem);
    if (stats.state === 'failed') return exitCodes.failed;
    output.refused(await readRefused(pipeline, stats));
    output.summary(await readViews(pipeline, rowsMax), stats, seconds);
    if ([...stats.inputs, ...stats.outputs].some((connector) => connector.state === 'failed')) {
      exitCode = exitCodes.failed;
    }
  } finally {
    control?.close();
    await pipeline.stop();
    ignoreSignals();
  }
  return exitCode;
}

/** Null when the file is invalid, of which the user has been told. The control thread validates: nothing is loaded here. */
async function openValid(file: string, output: RunOutput, dataFolder: string | undefined): Promise<Pipeline | null> {
  try {
    return await Pipeline.open({ file, dataFolder, log: (entry) => output.log(entry) });
  } catch (thrown) {
    const isInvalid = thrown instanceof MillraceError && thrown.code === 'pipeline.invalid';
    if (!isInvalid) throw thrown;
    // SAFETY: these are the fields of PipelineInvalid, of whatever thread.
    output.invalid(file, thrown.fields['problems'] as readonly ErrorData[]);
    return null;
  }
}

/**
 * Dies of SIGINT, which a shell reports as 130. `process.exit` would wait for the threads, and one of them may be writing
 * to a pipe that nobody reads.
 */
function endAtOnce(): void {
  process.removeAllListeners('SIGINT');
  process.kill(process.pid, 'SIGINT');
}

/** Until everything is done or, after a signal, everything that has been read. */
async function completedOrDrained(pipeline: Pipeline, interrupted: AbortSignal): Promise<void> {
  try {
    await pipeline.waitForCompletion({ signal: interrupted });
  } catch (error) {
    if (!interrupted.aborted) throw error;
    await pipeline.drain();
  }
}

/** Inputs with refused rows or transport errors, with the lists of the latest of them. */
async function readRefused(pipeline: Pipeline, stats: PipelineStats): Promise<InputConnectorStats[]> {
  const inputs: InputConnectorStats[] = [];
  for (const input of stats.inputs) {
    if (input.numParseErrors + input.numTransportErrors === 0) continue;
    inputs.push(await pipeline.inputConnectorStats(input.relation, input.name));
  }
  return inputs;
}

/** The materialized views, in the order that their ORDER BY asks for. */
async function readViews(pipeline: Pipeline, rowsMax: number): Promise<ViewRows[]> {
  const views: ViewRows[] = [];
  for (const view of pipeline.views()) {
    if (view.kind !== 'materialized') continue;
    const order = view.displayOrder.map((key) => {
      const nulls = key.nullsFirst ? 'NULLS FIRST' : 'NULLS LAST';
      return `${quoteName(key.column)} ${key.descending ? 'DESC' : 'ASC'} ${nulls}`;
    });
    const orderBy = order.length === 0 ? '' : ` ORDER BY ${order.join(', ')}`;
    const rows = await pipeline.query(`SELECT * FROM ${quoteName(view.name)}${orderBy}`);
    const columns = view.schema.fields.map((field) => field.name);
    views.push({ view: view.name, columns, rows: rows.slice(0, rowsMax), totalRows: rows.length });
  }
  return views;
}

function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function textOutput(tools: Tools): RunOutput {
  let display: ProgressDisplay | null = null;
  // Bars that are on the screen are redrawn below what is said.
  const say = (text: string): void => (display === null ? tools.err(text) : display.say(text));
  return {
    invalid: (file, problems) => tools.err(problemReport(file, problems.map(errorFromData))),
    log(entry): void {
      if (entry.level === 'debug' || (entry.level === 'info' && entry.fields['user'] !== true)) return;
      say(`${entry.level}: ${entry.message}\n`);
    },
    started(pipeline): void {
      display = new ProgressDisplay({
        clock: systemClock,
        get terminalColumns(): number | null {
          return tools.terminalColumns;
        },
        write: (text) => tools.err(text),
        read: async () => (await pipeline.stats()).inputs,
      });
      display.start();
    },
    answered: (text) => say(`${text}\n`),
    refusedCommand: (error) => say(`${problemLines(error).join('\n')}\n`),
    draining(signal): void {
      say(`${signal}: draining; once more ends at once\n`);
    },
    async ended(): Promise<void> {
      await display?.finish();
    },
    failed(error): void {
      tools.err(`${problemLines(error).join('\n')}\n`);
    },
    refused(inputs): void {
      for (const input of inputs) {
        // Errors of transports were told when they came.
        for (const { record, error } of input.parseErrors.slice(-refusedShown)) {
          const place = record === null ? '' : ` record ${formatCount(record)}`;
          const fragment = 'fragment' in error ? `: ${error.fragment.replaceAll(/\p{Cc}/gu, ' ')}` : '';
          tools.err(`${input.endpoint}${place}: ${error.code}: ${error.message}${fragment}\n`);
        }
      }
    },
    summary(views, stats, seconds): void {
      for (const view of views) {
        tools.out(`\n${view.view}\n${textTable(view.columns, view.rows).join('\n')}\n`);
        const rest = view.totalRows - view.rows.length;
        if (rest > 0) tools.out(`… and ${formatCount(rest)} more rows\n`);
      }
      tools.out(`\n${throughputLines(stats, seconds).join('\n')}\n`);
    },
  };
}

function throughputLines(stats: PipelineStats, seconds: number): string[] {
  const records = stats.inputs.reduce((sum, input) => sum + input.totalRecords, 0);
  const bytes = stats.inputs.reduce((sum, input) => sum + input.totalBytes, 0);
  const written = stats.outputs.reduce((sum, output) => sum + output.transmittedRecords, 0);
  const lines = [
    `${formatCount(records)} rows (${formatBytes(bytes)}) in ${seconds.toFixed(2)} s: ` +
      `${formatCount(Math.round(records / seconds))} rows/s, ${formatBytes(bytes / seconds)}/s`,
  ];
  if (written > 0) lines.push(`${formatCount(written)} changes written`);
  for (const input of stats.inputs) lines.push(...inputNotes(input));
  for (const output of stats.outputs) {
    const { endpoint, droppedRecords, numEncodeErrors, error } = output;
    if (droppedRecords > 0) lines.push(`${endpoint}: ${formatCount(droppedRecords)} changes dropped (on_full: drop)`);
    if (numEncodeErrors > 0) lines.push(`${endpoint}: ${formatCount(numEncodeErrors)} changes could not be written`);
    if (error !== null) lines.push(`${endpoint} failed: ${error.code}: ${error.message}`);
  }
  const evaluation = stats.engine?.numEvaluationErrors ?? 0;
  if (evaluation > 0) lines.push(`${formatCount(evaluation)} rows left out by failing expressions (on_error: skip)`);
  return lines;
}

function inputNotes(input: InputConnectorStats): string[] {
  const notes: string[] = [];
  if (input.numParseErrors > 0) notes.push(`${input.endpoint}: ${formatCount(input.numParseErrors)} rows refused`);
  if (input.numUnknownFields > 0) {
    notes.push(`${input.endpoint}: ${formatCount(input.numUnknownFields)} fields that the table lacks ignored`);
  }
  if (input.stuck)
    notes.push(`${input.endpoint} was not started: it waits for ${input.waitingFor.join(', ')}, which failed`);
  if (input.error !== null) notes.push(`${input.endpoint} failed: ${input.error.code}: ${input.error.message}`);
  return notes;
}

function jsonOutput(tools: Tools): RunOutput {
  const print = (event: string, fields: Readonly<Record<string, unknown>>): void =>
    tools.out(`${jsonText({ event, ...fields })}\n`);
  let subscription: { unsubscribe(): void } | null = null;
  return {
    invalid: (_file, problems) => print('invalid', { problems }),
    log: (entry) => print('log', { ...entry }),
    started(pipeline): void {
      let last = '';
      subscription = pipeline.status$.subscribe((status) => {
        const text = jsonText(status);
        if (text !== last) print('status', { ...status });
        last = text;
      });
    },
    answered: (text) => print('answered', { text }),
    refusedCommand: (error) => print('command refused', { error: errorToData(error) }),
    draining: (signal) => print('draining', { signal }),
    async ended(): Promise<void> {
      subscription?.unsubscribe();
    },
    failed: (error) => print('failed', { error: errorToData(error) }),
    refused(inputs): void {
      for (const { endpoint, parseErrors, transportErrors } of inputs) {
        print('refused', { endpoint, parseErrors, transportErrors });
      }
    },
    summary: (views, stats, seconds) => print('summary', { seconds, stats, views }),
  };
}
