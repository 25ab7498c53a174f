// Validation of a pipeline as a whole: every problem at once, each with code and place.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compileProgram } from '../../../actors/engine/sql/compile-program.ts';
import { type ValidatedPipeline, validatePipeline } from '../../../actors/supervisor/validate-pipeline.ts';
import { registry } from '../../../connectors/registry.ts';

const program = `
  CREATE TABLE users (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR);
  CREATE TABLE orders (id BIGINT, user_id BIGINT);
  CREATE VIEW joined AS SELECT u.name, o.id FROM orders o JOIN users u ON o.user_id = u.id;
  CREATE LOCAL VIEW hidden AS SELECT id FROM orders;
`;
const csv = { name: 'csv' };
const file = (path: string): object => ({ name: 'file_input', config: { path } });

function validate(definition: unknown, environment: Record<string, string> = {}): ValidatedPipeline {
  return validatePipeline(definition, {
    compile: compileProgram,
    registry,
    environment,
    baseFolder: '/tmp',
    decodeWorkersDefault: 2,
  });
}

const codes = (validated: ValidatedPipeline): string[] => validated.problems.map((problem) => problem.code).sort();

test('accepts connector fields flat and under connector_config', () => {
  const validated = validate({
    program,
    inputs: {
      flat: { stream: 'users', transport: file('a.csv'), format: csv, labels: ['dimension'] },
      'orders.nested': {
        stream: 'orders',
        connector_config: { transport: file('b.csv'), format: csv, start_after: 'dimension' },
      },
    },
    outputs: {
      out: { stream: 'joined', transport: { name: 'file_output', config: { path: 'x' } }, format: { name: 'json' } },
    },
  });
  assert.equal(codes(validated), []);
  assert.equal(
    validated.inputs.map((input) => input.endpoint),
    ['users.flat', 'orders.nested'],
  );
  assert.equal(validated.inputs[1]?.startAfter, ['dimension']);
  assert.is(validated.inputs[0]?.maxQueuedRecords, 1_000_000);
  assert.equal(validated.startOrder, [['users.flat'], ['orders.nested']]);
  assert.is(validated.configuration?.outputs[0]?.endpoint, 'joined.out');
});

test('reads connectors declared in SQL and numbers the unnamed ones by position', () => {
  const validated = validate({
    program: `CREATE TABLE t (a INT) WITH ('connectors' = '[
      {"name": "first", "transport": {"name": "file_input", "config": {"path": "a.csv"}}, "format": {"name": "csv"}},
      {"transport": {"name": "datagen", "config": {"plan": [{"limit": 1}]}}}
    ]');`,
  });
  assert.equal(codes(validated), []);
  assert.equal(
    validated.inputs.map((input) => input.endpoint),
    ['t.first', 't.unnamed-1'],
  );
});

test('collects every problem, each with its path and the nearest valid name', () => {
  const validated = validate({
    program,
    on_eror: 'stop',
    inputs: {
      a: { stream: 'user', transport: file('a.csv'), format: csv },
      b: { stream: 'users', transport: { name: 'file_inptu', config: {} }, format: { name: 'cvs' } },
      c: { stream: 'users', transport: file('c.csv') },
      d: { stream: 'joined', transport: file('d.csv'), format: csv },
      e: { stream: 'users', transport: { name: 'file_input', config: { pth: 'x' } }, format: csv, startafter: 'x' },
      f: { stream: 'users', transport: file('f.csv'), format: csv, start_after: [] },
      g: { stream: 'users', transport: file('g.csv'), format: csv, start_after: 'nobody' },
    },
    outputs: { h: { stream: 'hidden', transport: { name: 'null_output' } } },
  });
  assert.equal(codes(validated), [
    'config.bad_start_after',
    'config.format_mismatch',
    'config.local_view',
    'config.missing_key',
    'config.not_a_table',
    'config.unknown_format',
    'config.unknown_key',
    'config.unknown_key',
    'config.unknown_key',
    'config.unknown_relation',
    'config.unknown_transport',
    'connector.unknown_label',
  ]);
  const find = (code: string): string => validated.problems.find((problem) => problem.code === code)?.message ?? '';
  assert.match(find('config.unknown_relation'), /inputs\.a.*did you mean "users"/);
  assert.match(find('config.unknown_transport'), /did you mean "file_input"/);
  assert.match(find('config.unknown_format'), /did you mean "csv"/);
  assert.is(validated.configuration, null);
});

test('refuses a cycle of labels and names the whole way', () => {
  const connector = (label: string, after: string): object => ({
    stream: 'users',
    labels: [label],
    start_after: after,
    transport: file('a.csv'),
    format: csv,
  });
  const validated = validate({ program, inputs: { a: connector('x', 'y'), b: connector('y', 'x') } });
  assert.equal(codes(validated), ['connector.dependency_cycle']);
  assert.match(validated.problems[0]?.message ?? '', /users\.a.*users\.b.*users\.a/);
});

test('a format of messages goes only with a transport of messages', () => {
  const avro = { name: 'avro', config: { schema: '{}' } };
  const kafka = { 'bootstrap.servers': 'localhost:9092', topic: 't' };
  const validated = validate({
    program,
    inputs: {
      a: { stream: 'users', transport: file('a'), format: avro },
      b: { stream: 'users', transport: { name: 'kafka_input', config: kafka }, format: avro },
    },
    outputs: {
      a: { stream: 'joined', transport: { name: 'file_output', config: { path: 'x' } }, format: avro },
      b: { stream: 'joined', transport: { name: 'kafka_output', config: kafka }, format: avro },
    },
  });
  assert.equal(codes(validated), ['config.format_needs_messages', 'config.format_needs_messages']);
  assert.equal(
    validated.problems.map((problem) => problem.place?.path),
    ['inputs.a.format.name', 'outputs.a.format.name'],
  );
});

test('an output has the key of the index that it names, and the index is one of its relation', () => {
  const kafka = { 'bootstrap.servers': 'localhost:9092', topic: 't' };
  const output = (index: string, format: string): object => ({
    stream: 'joined',
    index,
    transport: { name: 'kafka_output', config: kafka },
    format: { name: format, config: format === 'avro' ? { schema: '{}' } : {} },
  });
  const indexed = `${program} CREATE INDEX by_id ON joined(id); CREATE INDEX of_users ON users(id);`;
  const good = validate({ program: indexed, outputs: { a: output('by_id', 'avro') } });
  assert.equal(good.outputs[0]?.key, { name: 'by_id', columns: [1] });
  const wrong = validate({ program: indexed, outputs: { a: output('of_users', 'avro'), b: output('by_i', 'avro') } });
  assert.equal(codes(wrong), ['config.unknown_index', 'config.unknown_index']);
  assert.is(wrong.problems[1]?.suggestion, 'by_id');
  assert.equal(codes(validate({ program: indexed, outputs: { a: output('by_id', 'json') } })), ['config.unsupported']);
});

test('an output cannot be paused, and says so instead of running', () => {
  const out = { stream: 'joined', transport: { name: 'null_output' } };
  assert.equal(codes(validate({ program, outputs: { out: { ...out, paused: true } } })), ['config.unsupported']);
  assert.equal(codes(validate({ program, outputs: { out: { ...out, paused: false, labels: ['x'] } } })), []);
});

test('two connectors of one name on one stream are refused', () => {
  const connector = { stream: 'users', name: 'same', transport: file('a.csv'), format: csv };
  assert.equal(codes(validate({ program, inputs: { a: connector, b: connector } })), ['config.duplicate_endpoint']);
});

test('a program that does not compile does not make its connectors look wrong', () => {
  const validated = validate({
    program: 'CREATE TABLE users (id BIGINT',
    inputs: { a: { stream: 'users', transport: file('a.csv'), format: csv } },
  });
  assert.ok(codes(validated).every((code) => code.startsWith('sql.')));
  assert.ok(codes(validated).length > 0);
});

test('replaces a reference to the environment in connectors and refuses a variable that is not set', () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the reference is Millrace's, not JavaScript's.
  const path = '${env:FOLDER}/a.csv';
  const inputs = { a: { stream: 'users', transport: file(path), format: csv } };
  const validated = validate({ program, inputs }, { FOLDER: '/data' });
  assert.is(validated.inputs[0]?.transport.config['path'], '/data/a.csv');
  assert.equal(codes(validate({ program, inputs })), ['config.unset_variable']);
});

test('a definition that is no object at all is one problem, not a crash', () => {
  for (const definition of [null, 3, 'text', []]) assert.ok(validate(definition).problems.length > 0);
});

test('options of one connector hold for all of its transport, and two that differ are refused', () => {
  const tables = (bid: object, auction: object): object => ({
    program: 'CREATE TABLE bid (price BIGINT); CREATE TABLE auction (id BIGINT); CREATE TABLE t (a BIGINT);',
    inputs: {
      b: { stream: 'bid', transport: { name: 'nexmark', config: { table: 'bid', ...bid } } },
      a: { stream: 'auction', transport: { name: 'nexmark', config: { table: 'auction', ...auction } } },
      t: { stream: 't', transport: { name: 'datagen', config: {} } },
    },
  });
  const optionsOf = ({ inputs }: ValidatedPipeline): unknown[] =>
    // SAFETY: configurations are objects.
    inputs.map(({ transport }) => (transport.config as { options?: { events: number; seed: number } }).options);
  const shared = validate(tables({}, { options: { events: 100, seed: 3 } }));
  assert.equal(codes(shared), []);
  const [bid, auction, other] = optionsOf(shared);
  assert.equal(bid, auction);
  assert.is(Object(bid).events, 100);
  assert.is(other, undefined);
  assert.equal(codes(validate(tables({ options: { events: 100 } }, { options: { events: 100 } }))), []);
  const differing = validate(tables({ options: { events: 1 } }, { options: { events: 100 } }));
  assert.equal(codes(differing), ['config.invalid_value']);
  assert.is(differing.problems[0]?.place?.path, 'inputs.a.transport.config.options');
});

test('an output that would empty what another connector reads or writes is refused; appending to one file is not', () => {
  const inputs = { i: { stream: 'users', transport: file('a.csv'), format: csv } };
  const out = (path: string, mode?: string): object => ({
    stream: 'joined',
    transport: { name: 'file_output', config: { path, ...(mode === undefined ? {} : { mode }) } },
    format: csv,
  });
  const ownInput = validate({ program, inputs, outputs: { o: out('/tmp/./a.csv') } });
  assert.equal(codes(ownInput), ['config.overwritten']);
  assert.match(ownInput.problems[0]?.message ?? '', /\/tmp\/a\.csv is read by input "users\.i", too/);
  assert.is(ownInput.problems[0]?.place?.path, 'outputs.o.transport.config');
  const twice = validate({ program, inputs, outputs: { o: out('b.csv', 'append'), p: out('file:///tmp/b.csv') } });
  assert.equal(codes(twice), ['config.overwritten']);
  const apart = { o: out('b.csv', 'append'), p: out('b.csv', 'append'), q: out('/dev/null'), r: out('/dev/null') };
  assert.equal(codes(validate({ program, inputs, outputs: apart })), []);
});

test('a definition that is no object is told as such', () => {
  assert.match(validate([]).problems[0]?.message ?? '', /"the pipeline" must be an object, not a list/);
});

test.run();
