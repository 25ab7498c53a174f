// The files of a new connector: a package of its own with the connector, tests and a pipeline that uses it. Pure: name and
// direction in, file texts out. What is written here compiles, passes its tests and runs as it stands (held by a test).

export interface ScaffoldOptions {
  /** Of the transport and of the folder: lower case letters, digits, - and _. */
  readonly name: string;
  readonly direction: 'source' | 'destination';
  /** Of the package on Millrace, see own-package.ts. */
  readonly dependency: string;
}

/** Text by path inside the new folder. */
export function connectorScaffold(options: ScaffoldOptions): ReadonlyMap<string, string> {
  const isSource = options.direction === 'source';
  return new Map([
    ['package.json', packageJson(options)],
    ['tsconfig.json', tsconfig],
    ['.gitignore', 'node_modules/\ndist/\n'],
    ['src/connector.ts', isSource ? source(options.name) : destination(options.name)],
    ['src/connector.test.ts', isSource ? sourceTest : destinationTest],
    ['pipeline.yaml', isSource ? sourcePipeline(options.name) : destinationPipeline(options.name)],
    ['README.md', readme(options)],
  ]);
}

function packageJson({ name, dependency }: ScaffoldOptions): string {
  const content = {
    name: `millrace-connector-${name.replaceAll('_', '-')}`,
    version: '0.1.0',
    private: true,
    type: 'module',
    exports: './dist/connector.js',
    scripts: {
      build: 'tsc',
      test: 'tsc && node --test dist/',
      start: 'tsc && millrace run pipeline.yaml',
      serve: 'tsc && millrace connector serve dist/connector.js',
    },
    dependencies: { millrace: dependency },
    devDependencies: { '@types/node': '^20.19.0', typescript: '>=5.5.0' },
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

const tsconfig = `{
  "compilerOptions": {
    "target": "es2022",
    "module": "nodenext",
    "strict": true,
    "types": ["node"],
    "skipLibCheck": true,
    "rootDir": "src",
    "outDir": "dist"
  },
  "include": ["src"]
}
`;

function source(name: string): string {
  return `import { defineSource, parseDuration, recordsPayload, wait } from 'millrace/connector';

/** Counts from 1. Replace \`read\` by what reads from your system. */
export const connector = defineSource({
  name: '${name}',
  version: 'v0.1.0',
  author: 'You',
  summary: 'Counts from 1.',
  format: 'none',
  produces: 'records',
  parameters: [
    { name: 'count', type: { kind: 'integer', min: 1 }, required: true, description: 'Records in all.' },
    { name: 'interval', type: { kind: 'duration' }, required: false, default: '0s', description: 'Pause between two records.' },
  ],
  create: ({ count, interval }, { clock, signal }) => {
    let next = 1;
    const pauseMs = parseDuration(interval) ?? 0;
    return {
      // The position is what \`read\` gave with the last record that was acknowledged.
      open: async (position) => {
        if (position !== null) next = Number(Buffer.from(String(position.record), 'base64').toString()) + 1;
      },
      async *read() {
        for (; next <= count && !signal.aborted; next++) {
          yield recordsPayload([
            {
              position: Buffer.from(String(next)),
              operation: 'create',
              metadata: { 'opencdc.collection': '${name}' },
              key: Buffer.from(String(next)),
              before: null,
              after: { n: BigInt(next), text: \`number \${next}\` },
            },
          ]);
          if (pauseMs > 0) await wait(clock, pauseMs, signal);
        }
      },
    };
  },
});
`;
}

function destination(name: string): string {
  return `import { appendFile } from 'node:fs/promises';
import { defineDestination, recordsOf } from 'millrace/connector';

/** Writes a line for each record. Replace \`write\` by what writes to your system. */
export const connector = defineDestination({
  name: '${name}',
  version: 'v0.1.0',
  author: 'You',
  summary: 'Writes a line for each record.',
  format: 'none',
  accepts: 'records',
  parameters: [{ name: 'path', type: { kind: 'string' }, required: true, description: 'File to append to.' }],
  create: ({ path }) => ({
    open: async () => {},
    // What is written is safe when \`flush\` has resolved; a destination that buffers writes out there.
    write: async (data) => {
      if (data.kind !== 'batch') return;
      const lines = recordsOf(data.batch).map(({ operation, after }) => \`\${operation} \${show(after)}\\n\`);
      await appendFile(path, lines.join(''));
    },
  }),
});

function show(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  return JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? String(item) : item));
}
`;
}

const sourceTest = `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conformance, recordRelation, recordsOf, systemClock } from 'millrace/connector';
import { connector } from './connector.js';

for (const { title, run } of conformance(connector, { configuration: { count: 5 }, relation: recordRelation })) {
  test(title, run);
}

test('it counts', async () => {
  const source = connector.create(
    { count: 3, interval: '0s' },
    {
      endpoint: 'test',
      relation: recordRelation,
      signal: new AbortController().signal,
      baseFolder: '.',
      clock: systemClock,
      reportError: (error) => assert.fail(String(error)),
    },
  );
  await source.open(null);
  const seen: unknown[] = [];
  for await (const payload of source.read()) {
    if (payload.kind === 'batch') seen.push(...recordsOf(payload.batch).map(({ after }) => after));
  }
  assert.deepEqual(seen.length, 3);
  assert.deepEqual(seen[2], { n: 3n, text: 'number 3' });
});
`;

const destinationTest = `import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { recordBatchOf, recordRelation, systemClock } from 'millrace/connector';
import { connector } from './connector.js';

test('it writes a line for each record', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'connector-'));
  const path = join(folder, 'out.txt');
  const destination = connector.create(
    { path },
    {
      endpoint: 'test',
      relation: recordRelation,
      signal: new AbortController().signal,
      baseFolder: folder,
      clock: systemClock,
      reportError: (error) => assert.fail(String(error)),
      acknowledged: () => {},
      refused: (error) => assert.fail(error),
      log: () => {},
    },
  );
  await destination.open();
  const record = { operation: 'create', metadata: {}, key: null, before: null } as const;
  const batch = recordBatchOf([
    { ...record, position: Buffer.from('1'), after: { n: 1n } },
    { ...record, position: Buffer.from('2'), after: Buffer.from('raw') },
  ]);
  await destination.write({ kind: 'batch', batch });
  await destination.flush?.();
  await destination.teardown?.();
  assert.equal(await readFile(path, 'utf8'), 'create {"n":"1"}\\ncreate raw\\n');
  await rm(folder, { recursive: true });
});
`;

function sourcePipeline(name: string): string {
  return `name: ${name}
connector_modules: [./dist/connector.js]
program: |
  CREATE TABLE numbers (n BIGINT, text VARCHAR);
  CREATE MATERIALIZED VIEW total AS SELECT COUNT(*) AS numbers, MAX(n) AS latest FROM numbers;
inputs:
  ${name}:
    stream: numbers
    transport: { name: ${name}, config: { count: 1000 } }
outputs:
  total:
    stream: total
    transport: { name: file_output, config: { path: total.csv } }
    format: { name: csv }
`;
}

function destinationPipeline(name: string): string {
  return `name: ${name}
connector_modules: [./dist/connector.js]
program: |
  CREATE TABLE numbers (n BIGINT);
  CREATE VIEW even AS SELECT n FROM numbers WHERE n % 2 = 0;
inputs:
  numbers:
    stream: numbers
    transport: { name: datagen, config: { plan: [{ limit: 10 }] } }
outputs:
  ${name}:
    stream: even
    transport: { name: ${name}, config: { path: out.txt } }
`;
}

function readme({ name, direction }: ScaffoldOptions): string {
  return `# ${name}

A ${direction} for Millrace.

    npm install
    npm test          # compiles, runs the tests
    npm start         # runs pipeline.yaml with it
    npm run serve     # a plugin process that speaks Conduit's connector protocol

\`src/connector.ts\` is the connector. Its parameters are data: validation, documentation and forms come from them.
`;
}
