// Settings that are all text, as typed values.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Parameter } from '../../../connectors/sdk/parameters.ts';
import { typedSettings } from '../../../connectors/sdk/text-settings.ts';
import { validateParameters } from '../../../connectors/sdk/validate-parameters.ts';

const described = { required: false, description: 'What it means.' };
const format: readonly Parameter[] = [
  { name: 'format.type', type: { kind: 'string' }, ...described },
  { name: 'format.options', type: { kind: 'map', value: { kind: 'string' } }, ...described },
  { name: 'format.options.path', type: { kind: 'string' }, ...described },
];
const parameters: readonly Parameter[] = [
  { name: 'count', type: { kind: 'integer', min: 0 }, ...described },
  { name: 'rate', type: { kind: 'number' }, ...described },
  { name: 'enabled', type: { kind: 'boolean' }, ...described },
  { name: 'wait', type: { kind: 'duration' }, ...described },
  { name: 'operations', type: { kind: 'list', item: { kind: 'string' } }, ...described },
  { name: 'headers', type: { kind: 'map', value: { kind: 'string' } }, ...described },
  ...format,
  { name: 'collections', type: { kind: 'map', value: { kind: 'object', parameters: format } }, ...described },
];

test('texts become the values of their parameters, trimmed, empty ones left out', () => {
  const settings = {
    ' count ': ' 12 ',
    rate: '1.5e3',
    enabled: 'T',
    wait: '1s',
    operations: 'create, delete',
    empty: ' ',
  };
  const values = typedSettings(parameters, settings);
  assert.equal(values, { count: 12, rate: 1500, enabled: true, wait: '1s', operations: ['create', 'delete'] });
  assert.equal(validateParameters(parameters, values, () => ({}), []).problems, []);
});

test('dotted names are entries of maps; a name of its own comes first', () => {
  const values = typedSettings(parameters, {
    'headers.X-Key.Part': '1',
    'headers.__proto__': 'x',
    'format.options.id': 'int',
    'format.options.path': '/a',
    'collections.users.format.type': 'raw',
    'collections.users.format.options.name': 'string',
    'collections.orders.format.options.path': '/b',
  });
  assert.is(JSON.stringify(values['headers']), '{"X-Key.Part":"1","__proto__":"x"}');
  assert.equal(values['format.options'], { id: 'int' });
  assert.is(values['format.options.path'], '/a');
  assert.equal(values['collections'], {
    users: { 'format.type': 'raw', 'format.options': { name: 'string' } },
    orders: { 'format.options.path': '/b' },
  });
  assert.equal(validateParameters(parameters, values, () => ({}), []).problems, []);
});

test('what cannot be converted is left for validation to complain about, all at once', () => {
  const values = typedSettings(parameters, { count: 'many', enabled: 'yes', wait: 'soon', cuont: '1' });
  const { problems } = validateParameters(parameters, values, () => ({}), []);
  assert.equal(problems.map(({ code, suggestion }) => `${code} ${suggestion ?? ''}`).sort(), [
    'config.unknown_key count',
    'config.wrong_type ',
    'config.wrong_type ',
    'config.wrong_type ',
  ]);
});

test.run();
