// `millrace types`: what it prints compiles, and makes `Pipeline.open<Tables>` know tables, columns and their types.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Fixture } from '../embedded/pipeline-fixture.ts';
import { called } from './called-command.ts';
import { millrace } from './cli-process.ts';

const fixture = new Fixture();
test.after(() => fixture.cleanUp());
const folder = fixture.folder;

const declarations = fileURLToPath(new URL('../../index.d.ts', import.meta.url));
const packages = fileURLToPath(new URL('../../../node_modules', import.meta.url));

fixture.write(
  'pipeline.yaml',
  `program: |
  CREATE TABLE users (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR NOT NULL, age INT, "Full Name" VARCHAR);
  CREATE TABLE everything (a BOOLEAN, b TINYINT, c REAL, d DOUBLE, e DECIMAL(5,2), f CHAR(3), g VARBINARY, h DATE, i TIME, j TIMESTAMP, k UUID, l VARIANT);
  CREATE MATERIALIZED VIEW user_stats AS SELECT age, COUNT(*) AS n FROM users GROUP BY age;
`,
);
fixture.write(
  'tsconfig.json',
  JSON.stringify({
    compilerOptions: {
      target: 'es2023',
      lib: ['es2023', 'esnext.disposable'],
      module: 'nodenext',
      moduleResolution: 'nodenext',
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      skipLibCheck: false,
      types: ['node'],
      typeRoots: [`${packages}/@types`],
      paths: { millrace: [declarations] },
    },
    files: ['program.ts'],
  }),
);
fixture.write('package.json', '{ "type": "module" }');

/** What the compiler says of a program beside the printed types; each line without the place. */
function compile(program: string): string[] {
  fixture.write('program.ts', program);
  const compiler = `${packages}/typescript/bin/tsc`;
  const { stdout } = spawnSync(process.execPath, [compiler, '-p', folder], { encoding: 'utf8', timeout: 100_000 });
  return stdout.split('\n').filter((line) => line !== '');
}

const head = `import { Pipeline } from 'millrace';
import type { Tables } from './tables.js';
const pipeline = await Pipeline.open<Tables>({ file: 'pipeline.yaml' });
`;

test('what it prints compiles with a program that uses it', async () => {
  const { code, out, err } = await millrace(['types', 'pipeline.yaml'], { folder });
  assert.is(code, 0, err);
  assert.match(out, 'export interface UserStatsRow {\n  age: number | null;\n  n: number | bigint;\n}\n');
  assert.match(out, '  "Full Name": string | null;\n');
  fixture.write('tables.ts', out);
  const program = `${head}
await pipeline.startPaused();
const changes = pipeline.listen('user_stats');
await pipeline.resume();
const token: string = await pipeline.inputJson('users', [{ id: 1, name: 'Alice', age: 30 }, { id: 2n, name: 'Bob' }]);
await pipeline.inputJson('users', [{ insert: { id: 1 } }, { delete: { id: 1 } }], { updateFormat: 'insert_delete', force: true });
await pipeline.inputJson('everything', [{ a: true, b: 1, e: '1.50', g: new Uint8Array(2), j: '2024-01-02 03:04:05', l: { any: [1] } }]);
await pipeline.completed(token);
for await (const { sequenceNumber, rows, weights } of changes) {
  const age: number | null | undefined = rows[0]?.age;
  const total: number = sequenceNumber + (weights[0] ?? 0) + (age ?? 0);
  console.log(total);
  break;
}
pipeline.changes$('user_stats').subscribe(({ rows }) => rows.map((row): number | bigint => row.n));
const rows = await pipeline.query<{ age: number }>('SELECT age FROM user_stats');
const first: number | undefined = rows[0]?.age;
console.log(first);
const { endOfInput, totalRecords }: { endOfInput: boolean; totalRecords: number } = await pipeline.inputConnectorStats('users', 'users');
console.log(endOfInput, totalRecords);
await pipeline.stop();
`;
  assert.equal(compile(program), []);
});

test('a wrong table, column or value is an error of the compiler', () => {
  const errors = compile(`${head}
pipeline.listen('nowhere');
await pipeline.inputJson('users', [{ nam: 'x' }]);
await pipeline.inputJson('users', [{ age: 'old' }]);
await pipeline.inputJson('users', [{ id: 1 }], { updateFormat: 'insert_delete' });
`).filter((line) => line.includes('error TS'));
  assert.equal(
    errors.map((line) => Number(/program\.ts\((\d+),/.exec(line)?.[1])),
    [5, 6, 7, 8],
    errors.join('\n'),
  );
});

test('a pipeline file with problems has no types: exit 2', async () => {
  fixture.write('bad.yaml', 'program: CREATE TABLE t (x INTT);\n');
  const { code, out, err } = await called(['types', 'bad.yaml'], { folder });
  assert.is(code, 2);
  assert.is(out, '');
  assert.match(err, /^error sql\.unknown_type: bad\.yaml:1:\d+: /m);
});

test.run();
