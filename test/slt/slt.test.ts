// Files of SQLite's sqllogictest corpus: every statement, and every query in two ways (slt-database.ts).
//
// A fixed sample of the queries of each file; all of them with MILLRACE_LONG=1. SLT_FILES names other files to run instead.
// SQLite has integers of 64 bits alone and divides by zero to NULL: a query that is an error here for one of both is skipped.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Outcome, SltDatabase } from './slt-database.ts';
import { parseScript, type Query } from './slt-script.ts';
import { differenceOf, valuesOf } from './slt-values.ts';

const long = process.env['MILLRACE_LONG'] === '1';
const sampledMax = 120;
/** Queries that are views of one program. */
const viewsMax = 40;

const folder = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'test', 'slt', 'data');
const given = process.env['SLT_FILES']?.split(' ') ?? [];
const files = given.length > 0 ? given : readdirSync(folder).map((name) => join(folder, name));

interface Report {
  readonly failures: string[];
  readonly skipped: Map<string, number>;
  queries: number;
}

function runFile(path: string): Report {
  const records = parseScript(readFileSync(path, 'utf8'));
  const database = new SltDatabase();
  const report: Report = { failures: [], skipped: database.skipped, queries: 0 };
  const random = seeded(basename(path).length);
  const total = records.filter((record) => record.kind === 'query').length;
  const every = long ? 1 : Math.ceil(total / sampledMax);
  let waiting: Query[] = [];
  let number = 0;
  const flush = (): void => {
    for (let from = 0; from < waiting.length; from += viewsMax) {
      const part = waiting.slice(from, from + viewsMax);
      const results = database.viewsRowByRow(part, random);
      for (const [i, result] of results.entries()) check(report, part[i]!, 'row by row', () => result);
    }
    waiting = [];
  };
  for (const record of records) {
    if (record.kind === 'foreign') {
      skip(report, record.reason);
      continue;
    }
    if (record.kind === 'query') {
      if (number++ % every !== 0) continue;
      report.queries++;
      if (check(report, record, 'at once', () => database.query(record.sql))) waiting.push(record);
      continue;
    }
    flush();
    const outcome = attempt(() => database.run(record.sql));
    if (outcome === 'skipped') continue;
    const failed = outcome instanceof Error;
    if (record.succeeds && failed) report.failures.push(`line ${record.line}: ${record.sql}: ${outcome.message}`);
    if (!record.succeeds && !failed) report.failures.push(`line ${record.line}: ${record.sql}: no error`);
  }
  flush();
  return report;
}

/** False: the query has no value here. */
function check(
  report: Report,
  query: Query,
  way: string,
  compute: () => Error | ReturnType<SltDatabase['query']>,
): boolean {
  try {
    const result = compute();
    if (result instanceof Error) throw result;
    const difference = differenceOf(valuesOf(result, query), query);
    if (difference !== null) report.failures.push(`line ${query.line}, ${way}: ${query.sql}: ${difference}`);
  } catch (thrown) {
    const limit = ['division by zero', 'does not fit INTEGER'].find((each) => String(thrown).includes(each));
    if (limit !== undefined) {
      skip(report, limit);
      return false;
    }
    report.failures.push(
      `line ${query.line}, ${way}: ${query.sql}: ${thrown instanceof Error ? thrown.message : thrown}`,
    );
  }
  return true;
}

function skip(report: Report, reason: string): void {
  report.skipped.set(reason, (report.skipped.get(reason) ?? 0) + 1);
}

function attempt(run: () => Outcome): Outcome | Error {
  try {
    return run();
  } catch (thrown) {
    return thrown instanceof Error ? thrown : new Error(String(thrown));
  }
}

function seeded(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state / 0x80000000;
  };
}

for (const path of files) {
  test(`${basename(path)} gives what the script expects, at once and row by row`, () => {
    const { failures, skipped, queries } = runFile(path);
    const counts = [...skipped].map(([kind, count]) => `${count} ${kind}`).join(', ');
    console.log(`  ${basename(path)}: ${queries} queries; skipped ${counts || 'nothing'}`);
    const shown = failures.slice(0, 20).join('\n');
    assert.is(failures.length, 0, `${failures.length} failures\n${shown}`);
  });
}

test.run();
