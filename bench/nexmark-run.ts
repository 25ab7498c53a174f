// One Nexmark query in a process of its own. Prints one JSON line {seconds, rows, checksum, …}; rows are events of all three tables.
//
//   node dist/bench/nexmark-run.js circuit|pipeline QUERY EVENTS
//
// First the query over fewer events is compared with DuckDB over the same ones.
// circuit: steps of 40,000 events are made and computed in turn on one thread; what the making took and what the circuit took are counted apart, in CPU time of the process (garbage
// collection and its threads included), which other processes of the machine do not disturb.
// pipeline: the whole runtime, from the transport `nexmark` on a thread of its own over the engine's to a destination that keeps
// nothing. The clock runs from the moment that the pipeline, its threads and its circuit stand and may begin, until the last step is
// confirmed: Feldera's benchmark of circuits in Rust has its clock between the same two points, and its changes are dropped as well. The CPU
// time of the busiest thread is what a machine with a core for each would need; so it is `seconds`.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { planProgram } from '../actors/engine/plan/planner.ts';
import type { BoundProgram } from '../actors/engine/sql/bound.ts';
import { compileProgram } from '../actors/engine/sql/compile-program.ts';
import { csvOutput } from '../connectors/formats/csv-encoder.ts';
import { Pipeline } from '../index.ts';
import type { ChangeBatch } from '../runtime/batch/change-batch.ts';
import { rowFromBatch } from '../runtime/batch/row-objects.ts';
import { NexmarkEvents, sideRows, sideText } from './nexmark-events.ts';
import { nexmarkProgram, oracleOf, textOf } from './nexmark-queries.ts';
import { ThreadTimes } from './thread-times.ts';

const [mode = 'circuit', query = 'q0', eventsText = '2000000'] = process.argv.slice(2);
const events = Number(eventsText);
const stepEvents = 40_000;
const checkedEvents = 60_000;
/** Rows of equal price have no order in q19: which of them has which place is open. */
const comparedColumns: Readonly<Record<string, readonly string[]>> = { q19: ['auction', 'price', 'place'] };

await compareWithDuckdb();
if (mode === 'pipeline') await runPipeline();
else runCircuit();

function compiled(view: 'VIEW' | 'MATERIALIZED VIEW'): BoundProgram {
  const { program, problems } = compileProgram(nexmarkProgram(query, view));
  if (program === null) throw problems[0] ?? new Error(`${query} does not compile`);
  return program;
}

/** @throws when a row is missing or too many */
async function compareWithDuckdb(): Promise<void> {
  const program = compiled('MATERIALIZED VIEW');
  const made = new NexmarkEvents(program);
  const circuit = planProgram(program, { onError: 'stop' });
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const duckdb = await instance.connect();
  const folder = mkdtempSync(join(tmpdir(), 'millrace-nexmark-'));
  const steps = [made.sideInput()];
  for (let from = 0; from < checkedEvents; from += 7000)
    steps.push(made.step(from, Math.min(from + 7000, checkedEvents)));
  for (const inputs of steps) circuit.step(inputs);
  for (const { relation } of program.tables) {
    const encoder = csvOutput.encoder({}, relation);
    const path = join(folder, `${relation.name}.csv`);
    for (const batch of steps.flatMap((inputs) => inputs.get(relation.name) ?? [])) {
      writeFileSync(path, encoder.encode(batch).bytes, { flag: 'a' });
    }
    const columns = relation.schema.fields.map(({ name, type }) => `${name}: '${type.kind}'`).join(', ');
    const reader = `read_csv('${path}', header = false, columns = {${columns}, weight: 'INTEGER'})`;
    await duckdb.run(`CREATE TABLE ${relation.name} AS SELECT * EXCLUDE (weight) FROM ${reader}`);
  }
  rmSync(folder, { recursive: true });
  const list = comparedColumns[query];
  const chosen = list === undefined ? '*' : list.join(', ');
  const reply = await duckdb.runAndReadAll(
    `SELECT COLUMNS(*)::VARCHAR FROM (SELECT ${chosen} FROM (${oracleOf(query)}))`,
  );
  const expected = reply
    .getRows()
    .map((row) => row.map((value) => textOf(value === null ? null : String(value))).join(' | '));
  const actual = circuit.contents(query).flatMap((batch) => textsOf(batch, list));
  expected.sort();
  actual.sort();
  const at = expected.findIndex((text, i) => text !== actual[i]);
  if (expected.length !== actual.length || at >= 0) {
    throw new Error(
      `${query} has ${actual.length} rows, DuckDB ${expected.length}; row ${at}: ${actual[at]} instead of ${expected[at]}`,
    );
  }
  duckdb.closeSync();
  instance.closeSync();
}

function textsOf(batch: ChangeBatch, list: readonly string[] | undefined): string[] {
  const texts: string[] = [];
  for (let row = 0; row < batch.rows; row++) {
    const object: Readonly<Record<string, unknown>> = { ...rowFromBatch(batch, row) };
    const values = list === undefined ? Object.values(object) : list.map((name) => object[name] ?? null);
    const text = values.map(textOf).join(' | ');
    for (let k = 0; k < (batch.weights?.[row] ?? 1); k++) texts.push(text);
  }
  return texts;
}

function runCircuit(): void {
  const compiling = performance.now();
  const program = compiled('VIEW');
  const circuit = planProgram(program, { onError: 'stop' });
  const compileMs = performance.now() - compiling;
  const made = new NexmarkEvents(program);
  circuit.observe(query);
  circuit.step(made.sideInput());
  const cpu = (): number => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  };
  let generating = 0;
  let computing = 0;
  let outputRows = 0;
  const started = performance.now();
  for (let from = 0; from < events; from += stepEvents) {
    const before = cpu();
    const inputs = made.step(from, Math.min(from + stepEvents, events));
    const between = cpu();
    outputRows += circuit.step(inputs).get(query)?.rows ?? 0;
    generating += between - before;
    computing += cpu() - between;
  }
  const wallSeconds = (performance.now() - started) / 1000;
  const peakMegabytes = Math.round(process.resourceUsage().maxRSS / 1000);
  const figures = { seconds: computing, generating, wallSeconds, rows: events, outputRows, compileMs, peakMegabytes };
  process.stdout.write(`${JSON.stringify({ ...figures, checksum: 'as DuckDB' })}\n`);
}

async function runPipeline(): Promise<void> {
  const program = nexmarkProgram(query, 'VIEW');
  const folder = mkdtempSync(join(tmpdir(), 'millrace-nexmark-'));
  const sidePath = join(folder, 'side.csv');
  writeFileSync(sidePath, sideText());
  const side = {
    stream: 'side_input',
    labels: ['side'],
    transport: { name: 'file_input', config: { path: sidePath } },
    format: { name: 'csv' },
  };
  const hasSide = program.includes('side_input');
  const input = (table: string): Record<string, unknown> => ({
    stream: table,
    ...(hasSide ? { start_after: ['side'] } : {}),
    transport: { name: 'nexmark', config: { table, ...(table === 'bid' ? { options: { events } } : {}) } },
  });
  const pipeline = await Pipeline.open({
    program,
    inputs: {
      ...(hasSide ? { side } : {}),
      person: input('person'),
      auction: input('auction'),
      bid: input('bid'),
    },
    outputs: { out: { stream: query, transport: { name: 'null_output' } } },
  });
  await pipeline.startPaused();
  const times = new ThreadTimes();
  const started = performance.now();
  await pipeline.resume();
  await pipeline.waitForCompletion();
  const wallSeconds = (performance.now() - started) / 1000;
  const [seconds = Number.NaN, second = 0, ...others] = times.finish();
  const { engine } = await pipeline.stats();
  const processed = engine?.processedRecords;
  const expected = events + (hasSide ? sideRows : 0);
  if (processed !== expected) throw new Error(`${processed} records were processed instead of ${expected}`);
  await pipeline.stop();
  rmSync(folder, { recursive: true });
  const otherSeconds = others.reduce((sum, each) => sum + each, 0);
  const figures = { seconds, second, otherSeconds, wallSeconds, rows: events };
  process.stdout.write(`${JSON.stringify({ ...figures, checksum: 'as DuckDB' })}\n`);
}
