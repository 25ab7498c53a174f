// The package as a user gets it: packed, installed into an empty project, run, type-checked.
//
// Packing takes what lies in dist/, so this runs from there only; from another build folder it says that it is skipped.
// The empty project has the tarball's files and, of this checkout, the packages that it says it depends on, and no other. `MILLRACE_LONG=1`
// has npm install all of that from the registry, 140 MB in ten thousand files.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Fixture } from '../embedded/pipeline-fixture.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const build = basename(fileURLToPath(new URL('../../', import.meta.url)));

const fixture = new Fixture();
test.after(() => fixture.cleanUp());
const folder = fixture.folder;
/** Where npm links it. */
const binary = join(folder, 'node_modules', '.bin', 'millrace');

/** Without what `npm test` has put there: it would make the npm of the empty project look at this one. */
const environment = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^npm_/i.test(name) || /^npm_config_(cache|registry|userconfig)$/i.test(name),
  ),
);

function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    env: environment,
    encoding: 'utf8',
    timeout: 200_000,
    maxBuffer: 64 * 1024 * 1024,
  });
  assert.is(status, 0, `${command} ${args.join(' ')}: ${error ?? ''}\n${stdout}\n${stderr}`);
  return stdout;
}

function npm(args: readonly string[], cwd: string): string {
  const path = process.env['npm_execpath'];
  return path?.endsWith('npm-cli.js') === true ? run(process.execPath, [path, ...args], cwd) : run('npm', args, cwd);
}

function install(tarball: string): void {
  if (process.env['MILLRACE_LONG'] === '1') {
    npm(['install', '--no-audit', '--no-fund', '--prefer-offline', tarball], folder);
    return;
  }
  const place = join(folder, 'node_modules', 'millrace');
  mkdirSync(place, { recursive: true });
  run('tar', ['-xzf', tarball, '--strip-components=1', '-C', place], folder);
  const { dependencies } = JSON.parse(readFileSync(join(place, 'package.json'), 'utf8'));
  for (const name of Object.keys(dependencies)) {
    const link = join(folder, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), link);
  }
  // npm puts the binary where it is found.
  npm(['rebuild', '--ignore-scripts', 'millrace'], folder);
}

const example = `
const program = \`
  CREATE TABLE users (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR, age INT);
  CREATE MATERIALIZED VIEW user_stats AS SELECT COUNT(*) AS n, AVG(age) AS average FROM users;
\`;
const inputs = {
  users: { stream: 'users', transport: { name: 'file_input', config: { path: 'users.csv' } }, format: { name: 'csv' } },
};
const outputs = {
  stats: { stream: 'user_stats', transport: { name: 'file_output', config: { path: 'stats.ndjson' } }, format: { name: 'json' } },
};
const pipeline = await Pipeline.open/*<Tables>*/({ program, inputs, outputs });
await pipeline.startPaused();
const changes = pipeline.listen('user_stats');
await pipeline.resume();
await pipeline.connectorEnded('users', 'users');
const token = await pipeline.inputJson('users', [{ id: 1, name: 'Alice', age: 30 }]);
await pipeline.completed(token);
const rows = await pipeline.query('SELECT * FROM user_stats');
await pipeline.pauseConnector('users', 'users');
await pipeline.resumeConnector('users', 'users');
const { endOfInput, totalRecords } = await pipeline.inputConnectorStats('users', 'users');
for await (const { sequenceNumber, rows, weights } of changes) {
  if (rows.some((row, i) => row.n === 3 && weights[i] === 1)) {
    console.log('heard', sequenceNumber > 0);
    break;
  }
}
await pipeline.stop();
console.log(JSON.stringify({ rows, endOfInput, totalRecords }));
`;

if (build !== 'dist') {
  console.log(`skipped: the package is made from dist, this is ${build}`);
  test('the package is tested where it is made', () => {});
} else {
  test('the tarball holds what a user needs, and no test or benchmark', () => {
    // SAFETY: what npm documents for `npm pack --json`.
    const [packed] = JSON.parse(npm(['pack', '--ignore-scripts', '--json', '--pack-destination', folder], root)) as [
      { readonly filename: string; readonly files: readonly { readonly path: string }[] },
    ];
    const paths = packed.files.map((file) => file.path);
    for (const path of [
      'LICENSE',
      'README.md',
      'package.json',
      'docs/embedded.md',
      'docs/connectors/file_input.md',
      'dist/index.js',
      'dist/index.d.ts',
      'dist/connector.js',
      'dist/connector.d.ts',
      'dist/client.js',
      'dist/client.d.ts',
      'dist/main.js',
      'dist/actors/gateway/embedded/pipeline.d.ts',
      'dist/runtime/actor/worker-entry.js',
    ]) {
      assert.ok(paths.includes(path), path);
    }
    const foreign = paths.filter(
      (path) =>
        !/^(LICENSE|README\.md|package\.json|docs\/|dist\/(index|connector|client|main)\.|dist\/(runtime|actors|connectors)\/)/.test(
          path,
        ),
    );
    assert.equal(foreign, []);
    assert.equal(
      paths.filter((path) => /(^|\/)(test|tests|examples)\/|^(dist\/)?bench\/|\.test\.|tsbuildinfo|\.map$/.test(path)),
      [],
    );
    fixture.write('package.json', '{ "private": true, "type": "module" }');
    install(join(folder, packed.filename));
  });

  test('the embedded example runs in the empty project', () => {
    fixture.write('users.csv', '2,Bob,20\n3,Carol,40\n');
    fixture.write('example.mjs', `import { Pipeline } from 'millrace';\n${example}`);
    assert.equal(run(process.execPath, ['example.mjs'], folder).trim().split('\n'), [
      'heard true',
      '{"rows":[{"n":3,"average":30}],"endOfInput":true,"totalRecords":2}',
    ]);
    assert.ok(fixture.lines('stats.ndjson').includes('{"insert":{"n":3,"average":30}}'));
  });

  test('it compiles as TypeScript with the types of the package', () => {
    const types = `import { type Changes, MillraceError, Pipeline, PipelineFailed } from 'millrace';
import { defineSource } from 'millrace/connector';
interface Tables {
  users: { id: number | bigint; name: string | null; age: number | null };
  user_stats: { n: number | bigint; average: number | null };
}
export type Heard = Changes<Tables['user_stats']>;
export const isOurs = (error: unknown): boolean => error instanceof MillraceError || error instanceof PipelineFailed;
export const define: typeof defineSource = defineSource;
`;
    fixture.write('example.ts', types + example.replace('/*<Tables>*/', '<Tables>'));
    fixture.write(
      'page.ts',
      "import { connect } from 'millrace/client';\nexport const client = connect({ url: '/', pipeline: 'p' });\n",
    );
    const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    // Without `types`, of which newer compilers take none by themselves: what the package needs it names.
    const program = { target: 'es2023', strict: true, noEmit: true, types: [] };
    for (const [files, options] of [
      [['example.ts'], { lib: ['es2023'], module: 'nodenext' }],
      [['example.ts'], { lib: ['es2023'], module: 'esnext', moduleResolution: 'bundler' }],
      [['page.ts'], { lib: ['es2023', 'dom'], module: 'esnext', moduleResolution: 'bundler' }],
    ] as const) {
      fixture.write('tsconfig.json', JSON.stringify({ compilerOptions: { ...program, ...options }, files }));
      run(process.execPath, [compiler, '-p', '.'], folder);
    }
  });

  test('npx finds the binary', () => {
    assert.match(npm(['exec', '--no', '--', 'millrace', 'version'], folder), /^millrace \d+\.\d+\.\d+, node v/m);
    fixture.write('pipeline.yaml', 'program: CREATE TABLE t (x INT);\n');
    assert.match(run(binary, ['check', 'pipeline.yaml'], folder), 'pipeline.yaml is valid');
  });

  test('the binary runs a pipeline file, and makes a connector that the next one uses', () => {
    const file = (program: string, source: string, view: string): string => `program: ${program}
inputs:
  in: { stream: t, transport: ${source} }
outputs:
  out: { stream: ${view}, transport: { name: file_output, config: { path: ${view}.ndjson } }, format: { name: json } }
`;
    fixture.write('rows.ndjson', '{"x":1}\n{"x":2}\n');
    const rows =
      '{ name: file_input, config: { path: rows.ndjson } }, format: { name: json, config: { update_format: raw } }';
    const sum = 'CREATE TABLE t (x BIGINT); CREATE VIEW total AS SELECT SUM(x) AS s FROM t;';
    fixture.write('total.yaml', file(sum, rows, 'total'));
    run(binary, ['run', 'total.yaml'], folder);
    assert.is(fixture.lines('total.ndjson').at(-1), '{"insert":{"s":3}}');
    run(binary, ['connector', 'new', 'ticker'], folder);
    // What `npm install` in its folder would bring is one folder up.
    const typescript = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    run(process.execPath, [typescript, '--typeRoots', join(root, 'node_modules', '@types')], join(folder, 'ticker'));
    run(binary, ['check', 'ticker/pipeline.yaml'], folder);
  });
}

test.run();
