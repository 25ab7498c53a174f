// A sqllogictest script as records: statements and queries with what is expected of them.
//
// Records stand between blank lines; `skipif` and `onlyif` guard the next one. We are none of the databases that scripts name, but
// where a record is none of PostgreSQL for what SQLite alone allows, it is none of ours.
// Not here: how a record is run (slt-database.ts), how values are compared (slt-values.ts).

export interface Statement {
  readonly kind: 'statement';
  readonly sql: string;
  readonly succeeds: boolean;
  readonly line: number;
}

export interface Query {
  readonly kind: 'query';
  readonly sql: string;
  /** A letter a column: I integer, R real, T text. */
  readonly types: string;
  readonly sort: 'nosort' | 'rowsort' | 'valuesort';
  /** Values one by one, or how many there are and their MD5. */
  readonly expected: readonly string[];
  readonly line: number;
}

/** A record that asks for what standard SQL forbids. */
export interface Foreign {
  readonly kind: 'foreign';
  readonly reason: string;
}

export type SltRecord = Statement | Query | Foreign;

/** What follows `skipif postgresql #` where the difference is one of the language, and not of PostgreSQL. */
const foreign = ['strict column usage', 'DIV/0', 'does not promote INTEGER'];

export function parseScript(text: string): readonly SltRecord[] {
  const lines = text.split('\n').map((line) => line.trimEnd());
  const records: SltRecord[] = [];
  let at = 0;
  while (at < lines.length) {
    if (lines[at] === '' || lines[at]!.startsWith('#')) {
      at++;
      continue;
    }
    const start = at;
    while (at < lines.length && lines[at] !== '') at++;
    const record = recordOf(lines.slice(start, at), start + 1);
    if (record === 'halt') break;
    if (record !== null) records.push(record);
  }
  return records;
}

function recordOf(given: readonly string[], line: number): SltRecord | 'halt' | null {
  const lines = given.filter((one) => !one.startsWith('#'));
  while (lines[0]?.startsWith('skipif ') || lines[0]?.startsWith('onlyif ')) {
    const guard = lines.shift()!;
    if (guard.startsWith('onlyif ')) return null;
    const reason = foreign.find((each) => guard.startsWith('skipif postgresql') && guard.includes(each));
    if (reason !== undefined) return { kind: 'foreign', reason };
  }
  const [head = '', ...body] = lines;
  const [word = '', second = '', third = ''] = head.split(/\s+/);
  if (word === 'halt') return 'halt';
  if (word === 'statement') return { kind: 'statement', sql: body.join('\n'), succeeds: second === 'ok', line };
  if (word !== 'query') return null;
  const bar = body.indexOf('----');
  const sort = third === 'rowsort' || third === 'valuesort' ? third : 'nosort';
  const sql = (bar < 0 ? body : body.slice(0, bar)).join('\n');
  return { kind: 'query', sql, types: second, sort, expected: bar < 0 ? [] : body.slice(bar + 1), line };
}
