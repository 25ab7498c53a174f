// The registry: every name once, every parameter documented, defaults that pass their own checks.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { textStrategies } from '../../connectors/generator/text-strategies.ts';
import { textStrategyNames } from '../../connectors/generator/text-strategy-names.ts';
import { registry } from '../../connectors/registry.ts';
import { loaded } from '../../connectors/sdk/load-on-use.ts';
import { validateParameters } from '../../connectors/sdk/validate-parameters.ts';
import { bigint, contextFor, relationOf } from './connector-context.ts';

const kinds = [
  registry.sources,
  registry.destinations,
  registry.inputFormats,
  registry.outputFormats,
  registry.processors,
];

test('every name stands once in its list', () => {
  for (const list of kinds) {
    const names = list.map(({ name }) => name);
    assert.equal([...new Set(names)], names);
  }
});

test('every parameter says what it means, and its default is valid', () => {
  for (const { name, summary, parameters } of kinds.flat()) {
    assert.ok(summary.endsWith('.'), name);
    for (const parameter of parameters) {
      assert.ok(parameter.description.length > 5, `${name} ${parameter.name}`);
      if (parameter.default === undefined) continue;
      const given = { [parameter.name]: parameter.default };
      assert.equal(validateParameters([parameter], given, () => ({}), []).problems, [], `${name} ${parameter.name}`);
    }
  }
});

test('what is loaded when it is used is what the registry declares', async () => {
  const { sources, destinations, processors } = registry;
  for (const registered of [...sources, ...destinations, ...processors]) {
    const { create, ...definition } = await loaded(registered);
    assert.type(create, 'function', registered.name);
    const { name, summary, parameters } = registered;
    assert.equal([definition.name, definition.summary], [name, summary]);
    assert.is(definition.parameters, parameters, name);
  }
  assert.equal([...textStrategies.keys()], [...textStrategyNames]);
});

test('null_output takes batches and bytes and keeps nothing', async () => {
  const definition = registry.destinations.find(({ name }) => name === 'null_output');
  assert.is(definition?.format, 'optional');
  const destination = definition && (await loaded(definition)).create({}, contextFor(relationOf({ id: bigint }), '.'));
  await destination?.open();
  await destination?.write({ kind: 'bytes', bytes: new Uint8Array(3), records: 1 });
  await destination?.teardown?.();
});

test.run();
