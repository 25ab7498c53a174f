// docs/feldera-options.md holds: every row is tried, and is accepted or refused as it says.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compileProgram } from '../../../actors/engine/sql/compile-program.ts';
import { type ValidatedPipeline, validatePipeline } from '../../../actors/supervisor/validate-pipeline.ts';
import { registry } from '../../../connectors/registry.ts';

const page = readFileSync(new URL('../../../../docs/feldera-options.md', import.meta.url), 'utf8');
const program = `CREATE TABLE t (x BIGINT) WITH ('materialized' = 'true');
  CREATE MATERIALIZED VIEW v AS SELECT x FROM t; CREATE INDEX by_x ON v(x);`;

function validate(definition: object, environment: Record<string, string> = {}): ValidatedPipeline {
  const options = { compile: compileProgram, registry, environment, baseFolder: '/tmp', decodeWorkersDefault: 1 };
  return validatePipeline({ program, ...definition }, options);
}

const uri = 'postgres://localhost/db';
const kafka = { 'bootstrap.servers': 'localhost:9092', topic: 't' };
/** What a connector needs besides the option that is tried. */
const configurations: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  file_input: { path: '/tmp/x' },
  file_output: { path: '/tmp/y' },
  url_input: { path: 'http://localhost/x' },
  s3_input: { bucket_name: 'b', key: 'k' },
  kafka_input: kafka,
  kafka_output: kafka,
  postgres_input: { uri, query: 'SELECT 1 AS x' },
  postgres_cdc_input: { uri, source_table: 't' },
  postgres_output: { uri, table: 't' },
  datagen: {},
  nexmark: { table: 'bid' },
};
/** Options that take the place of another one. */
const instead: Readonly<Record<string, string>> = { prefix: 'key', topics: 'topic' };
const formats: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  avro: { registry_urls: ['http://localhost:8081'] },
};

function connectorFor(section: string, option: string, value: unknown): object {
  const [name = '', direction = ''] = /^(\w+)(?: \((\w+)\))?$/.exec(section)?.slice(1) ?? [];
  const file = { name: 'file_input', config: { path: '/tmp/x' } };
  const input = (connector: object): object => ({
    inputs: {
      a: { stream: 't', labels: ['a'], transport: { name: 'empty_input' }, format: { name: 'csv' } },
      c: { stream: 't', transport: file, format: { name: 'json' }, ...connector },
    },
  });
  const output = (connector: object): object => {
    const transport = { name: 'file_output', config: { path: '/tmp/y' } };
    return { outputs: { c: { stream: 'v', transport, format: { name: 'json' }, ...connector } } };
  };
  if (section === 'Inputs') return input({ [option]: value });
  if (section === 'Outputs') return output({ [option]: value });
  if (direction !== '') {
    const isDebezium = direction === 'output' && (value === 'debezium' || option === 'key_fields');
    const messages = name === 'avro' || isDebezium;
    const hasSchema = option === 'schema' || option === 'skip_schema_id';
    const config = {
      ...(hasSchema ? { schema: '{}' } : formats[name]),
      ...(option === 'registry_password' ? { registry_username: 'u' } : {}),
      ...(isDebezium ? { update_format: 'debezium' } : {}),
      [option]: value,
    };
    const isInput = direction === 'input';
    const given = {
      format: { name, config },
      ...(messages ? { transport: { name: `kafka_${direction}`, config: kafka } } : {}),
      ...(option === 'update_format' && value === 'confluent_jdbc' ? { index: 'by_x' } : {}),
    };
    return isInput ? input(given) : output(given);
  }
  const config: Record<string, unknown> = { ...configurations[name], [option]: value };
  delete config[instead[option] ?? ''];
  const connector = { transport: { name, config } };
  return name.endsWith('_output') ? output(connector) : input(connector);
}

for (const part of page.split('\n## ').slice(1)) {
  const section = part.slice(0, part.indexOf('\n')).trim();
  const rows = [...part.matchAll(/^\| `([^`]+)` \| `((?:[^`])*)` \| ([^|]+) \|/gm)];
  if (rows.length === 0) continue;
  test(`${section}: each option is accepted or refused as the page says`, () => {
    for (const [, option = '', example = '', here = ''] of rows) {
      const value: unknown = JSON.parse(example.replaceAll('\\|', '|'));
      const { problems } = validate(connectorFor(section, option, value));
      const told = problems.map(({ code, message }) => `${code} ${message}`);
      const refused = /^refused: `([^`]+)`/.exec(here.trim());
      if (refused === null) assert.equal(told, [], `${option} ${example}`);
      else {
        assert.is(problems[0]?.code, refused[1], `${option} ${example}: ${told}`);
        const named = here.includes('missing_key') ? 'sasl.username' : option;
        assert.ok(told.join('\n').includes(named), told.join('\n'));
      }
    }
  });
}

test('transports of Feldera that there are not are refused with what to use instead', () => {
  const [, list = ''] = page.split('## Transports that there are not');
  const names = [...list.matchAll(/`(\w+_(?:input|output))`/g)].map(([, name = '']) => name);
  assert.is(names.length, 11);
  for (const name of names) {
    const connector = { transport: { name, config: { uri: 's3://x' } } };
    const definition = name.endsWith('_input')
      ? { inputs: { c: { stream: 't', ...connector } } }
      : { outputs: { c: { stream: 'v', ...connector } } };
    const { problems } = validate(definition);
    assert.equal(
      problems.map(({ code }) => code),
      ['config.unsupported'],
    );
    assert.match(problems[0]?.message ?? '', new RegExp(`transport ${name} is not supported; .{20}`));
  }
});

test('a batch is as large for each worker as max_worker_batch_size says', () => {
  const input = { stream: 't', transport: { name: 'empty_input' }, max_worker_batch_size: 100 };
  const rows = (definition: object): unknown => validate(definition).inputs[0]?.maxBatchSize;
  assert.is(rows({ inputs: { c: input } }), 100);
  assert.is(rows({ workers: 4, inputs: { c: input } }), 400);
  assert.is(rows({ workers: 4, inputs: { c: { ...input, max_batch_size: 7 } } }), 7);
});

test('a secret is what its file holds, and one that is not there is named with the file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-secrets-'));
  try {
    mkdirSync(join(folder, 'kubernetes', 'shop'), { recursive: true });
    writeFileSync(join(folder, 'kubernetes', 'shop', 'password'), 'sesame');
    const of = (reference: string): ValidatedPipeline => {
      const config = { uri: `postgres://ann:\${${reference}}@localhost/db`, query: 'SELECT 1 AS x' };
      const inputs = { c: { stream: 't', transport: { name: 'postgres_input', config } } };
      return validate({ inputs }, { MILLRACE_SECRETS_FOLDER: folder });
    };
    const good = of('secret:kubernetes:shop/password');
    assert.is(good.inputs[0]?.transport.config['uri'], 'postgres://ann:sesame@localhost/db');
    for (const wrong of [
      'kubernetes:shop/other',
      'kubernetes:../shop/password',
      'vault:a/b',
      'kubernetes:Shop/password',
    ]) {
      const { problems } = of(`secret:${wrong}`);
      assert.is(problems[0]?.code, 'config.secret_missing', wrong);
      assert.not.match(problems[0]?.message ?? '', 'sesame');
    }
    assert.match(of('secret:kubernetes:shop/other').problems[0]?.message ?? '', join(folder, 'kubernetes/shop/other'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test.run();
