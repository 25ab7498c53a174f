// Rows of about 100 bytes between a real server and Millrace, beside the bare client reading or writing the same bytes. Prints one JSON line
// {seconds, cpuSeconds, busierSeconds, rows, megabytes, checksum}, and of inputs {steadyRowsPerSecond, startSeconds} (row-progress.ts).
//
//   node dist/bench/connectors-run.js kafka|s3|url|postgres|snapshot|kafka-output|s3-output|postgres-output millrace|bare|parsed ROWS
//
// `bare` moves bytes and nothing more. `parsed` is what a user's program does with the same library to have the same numbers: every row an
// object (JSON.parse, messages of Kafka's consumer, rows of pg), COUNT and SUM of its id, checked like ours; of outputs rows that are objects
// are printed (JSON.stringify, lines of CSV for COPY) and written.
//
// The server is started and filled before the clock runs. Inputs: from the resumption of the connector, which has connected to nothing
// yet, until the view has every row, COUNT and SUM checked; bare: from the word to begin until the client has every byte and has counted its
// rows by line breaks, of Kafka by the counts in the headers of its batches: nothing is decoded there. Outputs: from the resumption of a generator
// until the server has every row; bare: the same rows, which are there as bytes, until the server has them: nothing is printed there. Both have a
// thread that waits, and connect within the clock. The library of a client that reads is loaded before, as a pipeline loads those of its
// inputs while it starts; of one that writes within the clock. `busierSeconds` is the CPU time of the thread that computed
// most: what bounds the rate when there are cores enough, and what a busy machine does not change.
import { Pipeline } from '../index.ts';
import { type PreparedInput, prepareInput } from './prepared-inputs.ts';
import { isOutput, prepareOutput } from './prepared-outputs.ts';
import { type ProgressMark, RowProgress, steadyRate } from './row-progress.ts';
import { ThreadTimes } from './thread-times.ts';

const [transport = 'kafka', contender = 'millrace', rowsText = '1000000'] = process.argv.slice(2);
const rows = Number(rowsText);
const sum = (BigInt(rows) * BigInt(rows - 1)) / 2n;

async function millrace(
  { name, config, format }: PreparedInput,
  begun: () => void,
  ended: (marks: readonly ProgressMark[]) => void,
): Promise<string> {
  const progress = new RowProgress();
  const pipeline = await Pipeline.open({
    program: `CREATE TABLE t (id BIGINT, name VARCHAR, note VARCHAR);
      CREATE MATERIALIZED VIEW v AS SELECT COUNT(*) AS c, SUM(id) AS s FROM t;`,
    integers: 'bigint',
    inputs: {
      i: {
        stream: 't',
        paused: true,
        transport: { name, config },
        ...(format === null ? {} : { format }),
      },
    },
  });
  await pipeline.start();
  const changes = pipeline.listen('v', { sendSnapshot: true });
  begun();
  await pipeline.resumeConnector('t', 'i');
  for await (const { rows: changed, weights } of changes) {
    const last = changed.findLast((_, i) => (weights[i] ?? 1) > 0);
    if (last !== undefined) progress.seen(Number(last['c']));
    if (last !== undefined && BigInt(String(last['c'])) === BigInt(rows)) {
      ended(progress.marks);
      await pipeline.stop({ force: true });
      if (BigInt(String(last['s'])) !== sum) throw new Error(`the sum is ${last['s']}, not ${sum}`);
      return `${rows} rows`;
    }
  }
  throw new Error('the pipeline ended before its last row');
}

interface Timed {
  begun(): void;
  /** `marks`: of an input. */
  ended(marks?: readonly ProgressMark[]): void;
}

async function inputRun(timed: Timed): Promise<number> {
  const prepared = await prepareInput(transport, rows);
  try {
    if (contender === 'bare' || contender === 'parsed') {
      const run = await prepared.bare(contender === 'parsed');
      timed.begun();
      const seen = await run();
      timed.ended(seen.marks);
      if (seen.rows !== rows) throw new Error(`${seen.rows} rows, not ${rows}`);
      if (contender === 'parsed' && seen.sum !== Number(sum)) throw new Error(`the sum is ${seen.sum}, not ${sum}`);
    } else await millrace(prepared, timed.begun, timed.ended);
    return prepared.bytes;
  } finally {
    await prepared.close();
  }
}

async function outputRun(timed: Timed): Promise<number> {
  const prepared = await prepareOutput(transport, rows);
  try {
    if (contender === 'bare' || contender === 'parsed') {
      const run = await prepared.bare(contender === 'parsed');
      timed.begun();
      await run();
      timed.ended();
    } else await prepared.millrace(timed.begun, timed.ended);
    const written = await prepared.written();
    if (written !== rows) throw new Error(`${written} rows have come, not ${rows}`);
    return prepared.bytes;
  } finally {
    await prepared.close();
  }
}

let startedAt = performance.now();
let cpuBefore = process.cpuUsage();
let threads = new ThreadTimes();
let measured = {};
const timed: Timed = {
  begun: () => {
    threads.finish();
    threads = new ThreadTimes();
    startedAt = performance.now();
    cpuBefore = process.cpuUsage();
  },
  ended: (marks) => {
    const seconds = (performance.now() - startedAt) / 1000;
    const { user, system } = process.cpuUsage(cpuBefore);
    const steady = marks === undefined ? {} : steadyRate(marks, rows, seconds);
    const [busierSeconds = 0] = threads.finish();
    measured = { seconds, ...steady, cpuSeconds: (user + system) / 1e6, busierSeconds };
  },
};
const bytes = await (isOutput(transport) ? outputRun(timed) : inputRun(timed));
console.log(JSON.stringify({ ...measured, rows, megabytes: bytes / 1e6, checksum: `${rows} rows` }));
process.exit(0);
