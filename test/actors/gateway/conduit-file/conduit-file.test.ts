// Pipeline files of Conduit: every field and default, the environment, several documents, and problems with their places.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseConduitText } from '../../../../actors/gateway/conduit-file/conduit-file.ts';
import { isConduitText } from '../../../../actors/gateway/conduit-file/conduit-text.ts';
import { formatPlace } from '../../../../runtime/errors.ts';

const environment = { HOME_PATH: '/data', LEVEL: 'info' };
const read = (text: string) => parseConduitText(text, 'p.yaml', environment);
const problems = (text: string): string[] => read(text).problems.map(({ code, message }) => `${code} ${message}`);

const whole = `version: "2.2"
pipelines:
  - id: orders
    status: stopped
    name: Orders
    description: All orders
    connectors:
      - id: in
        type: source
        plugin: builtin:file@v0.10.8
        name: Input
        settings:
          path: \${HOME_PATH}/in.txt
          retries: 0x10
          rate: 1.50
          flag: true
          nothing:
        processors:
          - id: decode
            plugin: json.decode
            condition: '{{ $x := 1 }}{{ eq .Metadata.a "b" }}'
            settings: { field: .Payload.After }
            workers: 2
      - { id: out, type: destination, plugin: log, settings: { level: $LEVEL } }
    processors:
      - { id: all, plugin: filter }
    dead-letter-queue:
      plugin: builtin:file
      settings: { path: dead.txt }
      window-size: 10
      window-nack-threshold: 3
`;

test('every field is read, ids become those of the whole server, scalars stay as they are written', () => {
  const { pipelines, problems, warnings } = read(whole);
  assert.equal(problems, []);
  assert.equal(warnings, []);
  assert.is(pipelines.length, 1);
  assert.is(pipelines[0]?.status, 'stopped');
  assert.equal(pipelines[0]?.definition, {
    id: 'orders',
    name: 'Orders',
    description: 'All orders',
    connectors: [
      {
        id: 'orders:in',
        type: 'source',
        plugin: 'builtin:file@v0.10.8',
        name: 'Input',
        settings: { path: '/data/in.txt', retries: '0x10', rate: '1.50', flag: 'true', nothing: '' },
        processors: [
          {
            id: 'orders:in:decode',
            plugin: 'json.decode',
            settings: { field: '.Payload.After' },
            condition: '{{ $x := 1 }}{{ eq .Metadata.a "b" }}',
            workers: 2,
          },
        ],
      },
      {
        id: 'orders:out',
        type: 'destination',
        plugin: 'log',
        name: 'out',
        settings: { level: 'info' },
        processors: [],
      },
    ],
    processors: [{ id: 'orders:all', plugin: 'filter', settings: {}, condition: '', workers: 1 }],
    deadLetterQueue: {
      plugin: 'builtin:file',
      settings: { path: 'dead.txt' },
      windowSize: 10,
      windowNackThreshold: 3,
    },
  });
});

test('what is left out has its default, a file without a version is told of', () => {
  const { pipelines, problems, warnings } = read('pipelines:\n  - id: a\n');
  assert.equal(problems, []);
  assert.is(warnings.length, 1);
  assert.equal(pipelines[0]?.definition, {
    id: 'a',
    name: 'a',
    description: '',
    connectors: [],
    processors: [],
    deadLetterQueue: {
      plugin: 'builtin:log',
      settings: { level: 'warn', message: 'record delivery failed' },
      windowSize: 1,
      windowNackThreshold: 0,
    },
  });
  assert.is(pipelines[0]?.status, 'running');
});

test('the keyed form of version 1 says the same', () => {
  const { pipelines, problems } = read(`version: "1.1"
pipelines:
  a:
    connectors:
      in: { type: source, plugin: builtin:file, settings: { path: x }, processors: { p: { type: filter } } }
`);
  assert.equal(problems, []);
  const [connector] = pipelines[0]?.definition.connectors ?? [];
  assert.is(connector?.id, 'a:in');
  assert.is(connector?.processors[0]?.id, 'a:in:p');
  assert.is(connector?.processors[0]?.plugin, 'filter');
});

test('documents that are no YAML are told of and do not hinder the others', () => {
  const { pipelines, problems } = read(
    'version: 2.2\npipelines: [{id: a}]\n---\npipelines: [\n---\npipelines: [{id: b}]\n',
  );
  assert.equal(
    pipelines.map(({ definition }) => definition.id),
    ['a', 'b'],
  );
  assert.ok(problems.length > 0);
  assert.ok(problems.every(({ code }) => code === 'config.invalid_yaml'));
});

test('anchors and merge keys are resolved', () => {
  const { pipelines, problems } = read(`version: 2.2
pipelines:
  - id: a
    connectors:
      - &first { id: one, type: source, plugin: file, settings: &s { path: x } }
      - { <<: *first, id: two, settings: { <<: *s, more: y } }
`);
  assert.equal(problems, []);
  assert.equal(
    pipelines[0]?.definition.connectors.map(({ id, plugin, settings }) => [id, plugin, settings]),
    [
      ['a:one', 'file', { path: 'x' }],
      ['a:two', 'file', { more: 'y', path: 'x' }],
    ],
  );
});

test('everything that is wrong is told at once, with its place and the nearest name', () => {
  const found = read(`version: "2.2"
pipelines:
  - id: a b
    statuss: running
    status: runing
    connectors:
      - id: in
        type: sorce
        plugin: file
        settings:
          nested: { x: 1 }
          password: \${NOT_SET}
      - id: in
        type: source
      - type: destination
        plugin: log
    dead-letter-queue: { window-size: 2, window-nack-threshold: 2 }
  - id: a b
`).problems;
  assert.equal(
    found.map((problem) => [problem.code, formatPlace(problem.place).split(' ')[0], problem.suggestion ?? '']),
    [
      ['config.unknown_key', 'p.yaml:4:5', 'status'],
      ['config.invalid_value', 'p.yaml:3:5', ''],
      ['config.unknown_value', 'p.yaml:5:5', 'running'],
      ['config.id_duplicate', 'p.yaml:13:9', ''],
      ['config.unknown_value', 'p.yaml:8:9', 'source'],
      ['config.invalid_value', 'p.yaml:11:11', ''],
      ['config.file_variable_unset', 'p.yaml:12:11', ''],
      ['config.missing_key', 'p.yaml:13:9', ''],
      ['config.missing_key', 'p.yaml:15:9', ''],
      ['config.invalid_value', 'p.yaml:17:42', ''],
      ['config.invalid_value', 'p.yaml:18:5', ''],
      ['config.id_duplicate', 'p.yaml:18:5', ''],
    ],
  );
});

test('unknown fields of a later version are warnings, another major version is refused', () => {
  const later = read('version: "2.7"\npipelines: [{ id: a, novelty: 1 }]\n');
  assert.equal(later.problems, []);
  assert.is(later.warnings.length, 1);
  assert.equal(problems('version: "3.0"\npipelines: []\n'), [
    'config.file_version p.yaml:1:1 version: version 3.0 of pipeline files is not known',
  ]);
});

test('a file of Conduit is told from one of our own', async () => {
  assert.ok(await isConduitText(whole));
  assert.ok(await isConduitText('---\nversion: 2.2\n---\npipelines: []\n'));
  assert.not.ok(await isConduitText('name: x\nprogram: |\n  CREATE TABLE pipelines (x INT);\n'));
  assert.not.ok(await isConduitText('program: |\n  --\n\npipelines'));
});

test.run();
