// Configurations against parameters: every problem at once, none of them with a secret in it.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Parameter } from '../../../connectors/sdk/parameters.ts';
import { validateParameters } from '../../../connectors/sdk/validate-parameters.ts';

const parameters: readonly Parameter[] = [
  { name: 'path', type: { kind: 'string' }, required: true, description: '' },
  {
    name: 'mode',
    type: { kind: 'enum', values: ['replace', 'append'] },
    required: false,
    default: 'replace',
    description: '',
  },
  { name: 'size', type: { kind: 'integer', min: 1, max: 10 }, required: false, description: '' },
  { name: 'delimiter', type: { kind: 'character' }, required: false, description: '' },
  { name: 'token', type: { kind: 'map', value: { kind: 'string' } }, required: false, secret: true, description: '' },
  {
    name: 'plan',
    type: {
      kind: 'list',
      item: {
        kind: 'object',
        parameters: [{ name: 'limit', type: { kind: 'integer' }, required: true, description: '' }],
      },
    },
    required: false,
    description: '',
  },
];

const validate = (value: unknown): ReturnType<typeof validateParameters> =>
  validateParameters(parameters, value, (path) => ({ path: path.join('.') }), ['transport', 'config'], 'file_input');

test('a valid configuration comes back with its defaults', () => {
  const { values, problems } = validate({ path: 'a', size: null, plan: [{ limit: 3 }] });
  assert.equal(problems, []);
  assert.equal(values, { path: 'a', mode: 'replace', plan: [{ limit: 3 }] });
});

test('every problem is found at once, with its place and the nearest name', () => {
  const { problems } = validate({ pth: 'a', mode: 'apend', size: 11, delimiter: ';;', plan: [{}, 3] });
  assert.equal(
    problems.map(({ code, place, suggestion }) => [code, place?.path, suggestion]),
    [
      ['config.unknown_key', 'transport.config.pth', 'path'],
      ['config.missing_key', 'transport.config', undefined],
      ['config.unknown_value', 'transport.config.mode', 'append'],
      ['config.out_of_range', 'transport.config.size', undefined],
      ['config.wrong_type', 'transport.config.delimiter', undefined],
      ['config.missing_key', 'transport.config.plan.0', undefined],
      ['config.wrong_type', 'transport.config.plan.1', undefined],
    ],
  );
});

test('a wrong type is named with what was expected and what was given', () => {
  const [problem] = validate({ path: 7 }).problems;
  assert.match(problem?.message ?? '', '"path" must be a text, not 7');
});

test('the value of a secret never enters an error', () => {
  const [problem] = validate({ path: 'a', token: { Authorization: 12345678 } }).problems;
  assert.is(problem?.code, 'config.wrong_type');
  assert.not.match(JSON.stringify([problem?.message, problem?.fields]), '12345678');
});

test('a configuration that is no object is refused', () => {
  assert.is(validate([]).problems[0]?.code, 'config.wrong_type');
});

test.run();
