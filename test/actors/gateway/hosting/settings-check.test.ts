// Settings against a specification: the rules of plugins, every problem at once, the nearest names, no secret in a text.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { PluginParameter, PluginParameters } from '../../../../actors/gateway/hosting/plugin-specification.ts';
import { checkSettings } from '../../../../actors/gateway/hosting/settings-check.ts';

const parameter = (
  type: PluginParameter['type'],
  validations: PluginParameter['validations'] = [],
  fallback = '',
): PluginParameter => ({ default: fallback, description: '', type, validations });
const required = { type: 'required', value: '' } as const;

const parameters: PluginParameters = {
  path: parameter('string', [required]),
  count: parameter('int', [{ type: 'greater-than', value: '-1' }]),
  ratio: parameter('float', [{ type: 'less-than', value: '1' }]),
  flag: parameter('bool'),
  wait: parameter('duration'),
  mode: parameter('string', [{ type: 'inclusion', value: 'one,two' }], 'one'),
  other: parameter('string', [{ type: 'exclusion', value: 'a,b' }]),
  topic: parameter('string', [{ type: 'regex', value: '^[a-z]+$' }]),
  'tables.*.key': parameter('string', [required]),
  'tables.*.format': parameter('string'),
};
const problems = (settings: Readonly<Record<string, string>>): string[] =>
  checkSettings(parameters, settings, (name) => name === 'topic').map(({ setting, kind, suggestion = '' }) =>
    `${setting} ${kind} ${suggestion}`.trim(),
  );

test('what a plugin takes is taken', () => {
  assert.equal(problems({ path: 'x' }), []);
  assert.equal(
    problems({
      ' path ': ' x ',
      count: '0',
      ratio: '0.5',
      flag: 'T',
      wait: '1m2.5s',
      mode: '',
      other: 'c',
      topic: 'abc',
    }),
    [],
  );
  assert.equal(problems({ path: 'x', 'tables.users.key': 'id', 'tables.users.format': 'json' }), []);
});

test('everything that is wrong is told at once', () => {
  assert.equal(
    problems({ count: '-1', ratio: 'x', flag: 'yes', wait: '5', mode: 'tow', other: 'a', topic: 'ABC', pth: 'x' }),
    [
      'count value',
      'ratio type',
      'flag type',
      'wait type',
      'mode value two',
      'other value',
      'topic value',
      'pth unknown path',
      'path required',
    ],
  );
});

test('below a star a parameter is required in every group that is there', () => {
  assert.equal(problems({ path: 'x', 'tables.a.format': 'json', 'tables.b.key': 'id' }), ['tables.a.key required']);
});

test('a whole number has 64 bits, no more', () => {
  assert.equal(problems({ path: 'x', count: '9223372036854775807' }), []);
  assert.equal(problems({ path: 'x', count: '9223372036854775808' }), ['count type']);
});

test('the value of a secret stands in no message', () => {
  const [problem] = checkSettings(parameters, { path: 'x', topic: 'SECRET' }, (name) => name === 'topic');
  assert.is(problem?.message, 'the value must be something that matches ^[a-z]+$');
});

test('an expression that only Go can read is left to the plugin', () => {
  const only: PluginParameters = { x: parameter('string', [{ type: 'regex', value: '\\z\\Q(' }]) };
  assert.equal(
    checkSettings(only, { x: 'anything' }, () => false),
    [],
  );
});

test.run();
