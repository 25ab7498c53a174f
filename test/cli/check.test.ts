// `millrace check`: what is right is printed as a graph, what is wrong all at once with its place; and what the binary says of
// calls that it does not understand.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Fixture } from '../embedded/pipeline-fixture.ts';
import { called } from './called-command.ts';
import { jsonLines, millrace } from './cli-process.ts';

const fixture = new Fixture();
test.after(() => fixture.cleanUp());
const folder = fixture.folder;

fixture.write(
  'good.yaml',
  `program: |
  CREATE TABLE users (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR, age INT);
  CREATE TABLE orders (id BIGINT, user_id BIGINT, amount DECIMAL(10,2));
  CREATE MATERIALIZED VIEW spend AS SELECT u.name, SUM(o.amount) AS total FROM orders o JOIN users u ON o.user_id = u.id GROUP BY u.name;
inputs:
  orders:
    stream: orders
    start_after: ["dimension"]
    transport: { name: file_input, config: { path: orders.json } }
    format: { name: json, config: { update_format: raw } }
  users:
    stream: users
    connector_config:
      labels: ["dimension"]
      paused: true
      transport: { name: file_input, config: { path: users.csv } }
      format: { name: csv }
outputs:
  spend: { stream: spend, transport: { name: file_output, config: { path: spend.ndjson } }, format: { name: json } }
`,
);

test('a good file: tables, views, connectors and the start order, without opening anything', async () => {
  const { code, out, err } = await millrace(['check', 'good.yaml'], { folder });
  assert.is(code, 0);
  assert.is(err, '');
  assert.is(
    out,
    `good.yaml is valid

tables
  users (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR, age INTEGER)
  orders (id BIGINT, user_id BIGINT, amount DECIMAL(10, 2))

views
  spend (name VARCHAR, total DECIMAL(38, 2)) (materialized)

inputs
  orders.orders (file_input, json)
  users.users (file_input, csv; labels dimension; starts paused)

outputs
  spend.spend (file_output, json)

start order
  1. users.users
  2.   orders.orders <- dimension (users.users)
`,
  );
});

const badLines = [
  'program: |',
  '  CREATE TABLE users (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR);',
  '  CREATE VIEW v AS SELECT nam FROM users;',
  '  CREATE VIEW w AS SELECT id FROM userz;',
  'inputs:',
  '  users:',
  '    stream: users',
  '    labels: [dimension]',
  '    transport: { name: file_inputt, config: { path: users.csv } }',
  '    format: { name: csv, config: { header: true } }',
  '  more:',
  '    stream: users',
  '    start_after: [dimensoin]',
  '    transport: { name: file_input, config: { pathh: users.csv } }',
  '    format: { name: csv }',
  '  most:',
  '    stream: users',
  '    start_after: dimension',
  '    transport: { name: datagen, config: { plan: [{ limit: -1 }] } }',
  'outputs:',
  '  v:',
  '    stream: v',
  '    transport: { name: file_output, config: { path: v.csv, mode: truncate } }',
  '    format: { name: csvv }',
];

/** Code, line, column and suggestion of every problem, found in the text by what stands there. */
const expected: readonly (readonly [code: string, line: number, text: string, suggestion: string | null])[] = [
  ['sql.unknown_column', 3, 'nam FROM', 'name'],
  ['sql.unknown_table', 4, 'userz', 'users'],
  ['config.unknown_transport', 9, 'name: file_inputt', 'file_input'],
  ['config.unknown_key', 10, 'header', 'headers'],
  ['connector.unknown_label', 13, 'start_after', 'dimension'],
  ['config.unknown_key', 14, 'pathh', 'path'],
  ['config.missing_key', 14, 'config', null],
  ['config.out_of_range', 19, 'limit', null],
  ['config.unknown_value', 23, 'mode', null],
  ['config.unknown_format', 24, 'name', 'csv'],
];

test('every problem at once: code, file:line:column, nearest valid name; exit 2', async () => {
  fixture.write('bad.yaml', `${badLines.join('\n')}\n`);
  const [{ code, out, err }, json] = await Promise.all([
    called(['check', 'bad.yaml'], { folder }),
    called(['check', '--json', 'bad.yaml'], { folder }),
  ]);
  assert.is(code, 2);
  assert.is(out, '');
  const found = err.split('\n').flatMap((line) => {
    const match = /^error (\S+): bad\.yaml:(\d+):(\d+)[: ].*?(?:\(did you mean "(.*)"\?\))?$/.exec(line);
    return match === null ? [] : [[match[1], Number(match[2]), Number(match[3]), match[4] ?? null].join(' ')];
  });
  const wanted = expected.map(([name, line, text, suggestion]) => {
    const source = badLines[line - 1] ?? '';
    const column = source.indexOf(text) + 1;
    return [name, line, column, suggestion].join(' ');
  });
  assert.equal(found.sort(), wanted.sort());
  assert.match(err, `bad.yaml has ${expected.length} problems:\n`);
  assert.is(json.code, 2);
  const [report] = jsonLines(json.out);
  assert.is(report?.['valid'], false);
  // SAFETY: what `check --json` prints.
  const problems = report?.['problems'] as readonly { readonly code: string; readonly help: string }[];
  assert.equal(problems.map((problem) => problem.code).sort(), expected.map(([name]) => name).sort());
  assert.ok(problems.every((problem) => problem.help !== ''));
});

test('a cycle is refused with its path, a label in an invalid connector still counts as one', async () => {
  const csv = 'transport: { name: file_input, config: { path: a.csv } }, format: { name: csv }';
  fixture.write(
    'cycle.yaml',
    `program: CREATE TABLE t (x INT);
inputs:
  a: { stream: t, labels: [first], start_after: second, ${csv} }
  b: { stream: t, labels: [second], start_after: first, ${csv} }
  c: { stream: t, labels: [third], nonsense: 1, ${csv} }
  d: { stream: t, start_after: third, ${csv} }
`,
  );
  const { code, err } = await called(['check', 'cycle.yaml'], { folder });
  assert.is(code, 2);
  assert.match(err, /^cycle\.yaml has 2 problems:$/m);
  assert.match(err, /^error config\.unknown_key: cycle\.yaml:5:36 /m);
  assert.match(
    err,
    /^error connector\.dependency_cycle: cycle\.yaml:[34]:\d+.*t\.a.*waits for.*t\.b.*waits for.*t\.a/m,
  );
});

test('broken YAML is told with its place', async () => {
  fixture.write('broken.yaml', 'program: |\n  CREATE TABLE t (x INT);\ninputs: { a: [\n');
  const { code, err } = await called(['check', 'broken.yaml'], { folder });
  assert.is(code, 2);
  assert.match(err, /^error config\.invalid_yaml: broken\.yaml:\d+:\d+: /m);
});

test('calls that are not understood: exit 2 and what was probably meant; help and version: exit 0', async () => {
  const call = async (...args: string[]): Promise<string> => {
    const { code, out, err } = await called(args, { folder });
    return `${code} ${out}${err}`;
  };
  assert.match(await call('chek', 'good.yaml'), /^2 error cli\.usage: .*did you mean "check"/);
  assert.match(await call('check', '--jsno', 'good.yaml'), /^2 error cli\.usage: .*did you mean "--json"/);
  assert.match(await call('check'), /^2 error cli\.usage: .*1 operand expected, 0 given/);
  assert.match(
    await call('check', 'nowhere.yaml'),
    /^2 error config\.unreadable_file: .*nowhere\.yaml: there is no such file/,
  );
  assert.match(await call('help', 'check'), /^0 usage: millrace check FILE\.yaml/);
  assert.match(await call('--help'), /^0 Millrace.*\n\nusage: millrace COMMAND/);
  // The process has its version from the package.
  const version = await millrace(['version'], { folder });
  assert.match(`${version.code} ${version.out}`, /^0 millrace \d+\.[1-9]\d*\.\d+, node v\d+/);
});

test('of a file that is no YAML the first places are shown, and how many more there are', async () => {
  fixture.write('prose.yaml', `${'- [a, "b": }\n'.repeat(40)}`);
  const [{ code, err, out }, json] = await Promise.all([
    millrace(['check', 'prose.yaml'], { folder }),
    millrace(['check', '--json', 'prose.yaml'], { folder }),
  ]);
  assert.is(code, 2);
  const text = out + err;
  const all = Number(/has (\d+) problems/.exec(text)?.[1]);
  assert.ok(all >= 40, text);
  assert.is(text.split('error config.invalid_yaml').length - 1, 5, text);
  assert.match(text, `and ${all - 5} more of YAML, which may follow from those above`);
  assert.ok((json.out + json.err).split('config.invalid_yaml').length > all, 'a program is told all of them');
});

test('what several workers cannot share is told with its place and its reason', async () => {
  const write = (file: string, views: string): string =>
    fixture.write(
      file,
      `workers: 2
program: |
  CREATE TABLE edges (a BIGINT, b BIGINT, weight DOUBLE);
${views.replace(/^/gm, '  ')}
`,
    );
  write(
    'part.yaml',
    `CREATE VIEW degrees AS SELECT a, COUNT(*) AS n FROM edges GROUP BY a;
CREATE VIEW busiest AS SELECT a, n FROM degrees ORDER BY n DESC LIMIT 3;
CREATE VIEW weights AS SELECT weight, SUM(a) AS total FROM edges GROUP BY weight;`,
  );
  write('all.yaml', 'CREATE VIEW greatest AS SELECT a FROM edges ORDER BY a DESC LIMIT 3;');
  write('none.yaml', 'CREATE VIEW degrees AS SELECT a, COUNT(*) AS n FROM edges GROUP BY a;');
  const [part, none, all] = await Promise.all([
    called(['check', 'part.yaml'], { folder }),
    called(['check', 'none.yaml'], { folder }),
    called(['check', '--json', 'all.yaml'], { folder }),
  ]);
  assert.match(part.out, /workers: 2\n {2}one alone: part\.yaml:5:\d+: busiest: LIMIT or OFFSET of all rows;/);
  assert.match(part.out, /one alone: part\.yaml:6:\d+: weights: aggregate by nothing but REAL or DOUBLE/);
  assert.not.match(part.out, /one alone: .*degrees/);
  assert.match(none.out, /workers: 2\n {2}share all views\n/);
  const { workers } = JSON.parse(all.out) as { workers: { asked: number; notShared: string[] } };
  assert.is(workers.asked, 2);
  assert.is(workers.notShared[0], 'nothing can be shared among workers: one computes all');
  assert.match(workers.notShared[1]!, /^all\.yaml:4:\d+: greatest: LIMIT/);
});

test.run();
