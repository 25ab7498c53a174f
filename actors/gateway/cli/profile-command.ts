// `millrace profile PIPELINE | FILE`: what each operator of a circuit has cost, as a table, as JSON, and as a picture.
//
// A FILE (it ends in .yaml or .yml) is run to the end of its inputs, or to the first signal, first; a PIPELINE is one of a server, which goes on.
import { Pipeline } from '../embedded/pipeline.ts';
import { jsonText } from '../terminal/json-text.ts';
import { textTable } from '../terminal/text-table.ts';
import { circuitSvg, type ProfiledOperator } from './circuit-svg.ts';
import { type Command, exitCodes, type OptionValues, type Tools } from './command.ts';
import { checkResultFile, writeResultFile } from './result-file.ts';
import { ServerClient, serverOptions } from './server-client.ts';

const request = 'EXPLAIN ANALYZE';

export const profileCommand: Command = {
  name: 'profile',
  synopsis: 'profile PIPELINE | FILE.yaml [--svg FILE] [--json] [--url URL] [--api-key KEY]',
  summary: 'Shows what each operator of a pipeline has cost: rows, time, state.',
  description: `Prints a table of operators, the most expensive first; --json prints them as a JSON array in the order of the
circuit, --svg draws the circuit with hot operators red. A pipeline file is run until its inputs have ended, or until SIGINT; a pipeline of a server goes
on running, and what is shown is counted since its start. --url and --api-key may be given as MILLRACE_URL and MILLRACE_API_KEY.`,
  options: { ...serverOptions, svg: { type: 'string' }, json: { type: 'boolean' } },
  operands: 1,
  async run(operands, options, tools): Promise<number> {
    const [subject = ''] = operands;
    const { svg } = options;
    if (typeof svg === 'string') checkResultFile(svg);
    const rows = /\.ya?ml$/.test(subject) ? await ofFile(subject, tools) : await ofServer(subject, options, tools);
    const operators = rows.map(operatorOf);
    if (typeof svg === 'string') writeResultFile(svg, circuitSvg(operators, subject));
    if (options['json'] === true) tools.out(`${jsonText(operators)}\n`);
    else if (typeof svg !== 'string') tools.out(`${table(operators).join('\n')}\n`);
    return exitCodes.ok;
  },
};

type Row = Readonly<Record<string, unknown>>;

/** Until the inputs have ended or, of inputs without an end, until the first signal. */
async function ofFile(file: string, tools: Tools): Promise<readonly Row[]> {
  const interrupt = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    if (interrupt.signal.aborted) process.exit(exitCodes.interrupted);
    tools.err(`${signal}: shows what was run until now; once more ends at once\n`);
    interrupt.abort();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  try {
    const pipeline = await Pipeline.open({ file });
    try {
      await pipeline.start();
      tools.err('profile: running until the inputs have ended or a signal comes\n');
      await pipeline.waitForCompletion({ signal: interrupt.signal }).catch((error: unknown) => {
        if (!interrupt.signal.aborted) throw error;
      });
      return await pipeline.query(request);
    } finally {
      await pipeline.stop({ force: interrupt.signal.aborted });
    }
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

async function ofServer(name: string, options: OptionValues, tools: Tools): Promise<readonly Row[]> {
  const reply = await new ServerClient(options, tools.environment).query(name, request, 'json');
  const lines = (await reply.text()).split('\n').filter((line) => line !== '');
  // SAFETY: the server prints an object a line; what its members are is checked by `operatorOf`.
  return lines.map((line) => JSON.parse(line) as Row);
}

function operatorOf(row: Row): ProfiledOperator {
  const text = (key: string): string => String(row[key] ?? '');
  const number = (key: string): number => Number(row[key] ?? 0);
  const inputs = text('inputs')
    .split(', ')
    .filter((id) => id !== '');
  return {
    id: number('id'),
    operator: text('operator'),
    detail: text('detail'),
    relation: text('relation'),
    inputs: inputs.map(Number),
    rowsIn: number('rows_in'),
    rowsOut: number('rows_out'),
    micros: number('micros'),
    stateRows: number('state_rows'),
    stateBytes: number('state_bytes'),
  };
}

function table(operators: readonly ProfiledOperator[]): readonly string[] {
  const total = operators.reduce((sum, { micros }) => sum + micros, 0);
  const rows = operators
    .toSorted((a, b) => b.micros - a.micros)
    .map(({ id, operator, relation, rowsIn, rowsOut, micros, stateRows, stateBytes, detail }) => ({
      id,
      operator,
      relation,
      'rows in': rowsIn,
      'rows out': rowsOut,
      ms: (micros / 1000).toFixed(1),
      '%': (total === 0 ? 0 : (100 * micros) / total).toFixed(1),
      'state rows': stateRows,
      'state bytes': stateBytes,
      detail,
    }));
  const columns = [
    'id',
    'operator',
    'relation',
    'rows in',
    'rows out',
    'ms',
    '%',
    'state rows',
    'state bytes',
    'detail',
  ];
  return textTable(columns, rows);
}
