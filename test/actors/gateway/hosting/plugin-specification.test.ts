// References to plugins, which version is the latest, and built-in connectors in the terms of plugins.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  compareVersions,
  findPlugin,
  fullName,
  nearestPlugin,
  type PluginSpecification,
} from '../../../../actors/gateway/hosting/plugin-specification.ts';
import { checkSettings } from '../../../../actors/gateway/hosting/settings-check.ts';
import { pluginParameters } from '../../../../connectors/standalone/definition-parameters.ts';

const plugin = (kind: PluginSpecification['kind'], name: string, version: string): PluginSpecification => ({
  kind,
  name,
  version,
  summary: '',
  description: '',
  author: '',
  sourceParameters: {},
  destinationParameters: {},
  path: null,
});
const plugins = [
  plugin('builtin', 'file', 'v1.0.0'),
  plugin('standalone', 'file', 'v0.9.0'),
  plugin('standalone', 'file', 'v0.10.0'),
  plugin('standalone', 'file', '(devel)'),
  plugin('builtin', 'log', 'v1.0.0'),
];
const found = (reference: string): string | null => {
  const one = findPlugin(plugins, reference);
  return one === undefined ? null : fullName(one);
};

test('a plugin process goes before what is built in, the latest version before others', () => {
  assert.is(found('file'), 'standalone:file@v0.10.0');
  assert.is(found('any:file@latest'), 'standalone:file@v0.10.0');
  assert.is(found('builtin:file'), 'builtin:file@v1.0.0');
  assert.is(found('file@v1.0.0'), 'builtin:file@v1.0.0');
  assert.is(found('standalone:file@0.9.0'), 'standalone:file@v0.9.0');
  assert.is(found('standalone:file@(devel)'), 'standalone:file@(devel)');
  assert.is(found('log'), 'builtin:log@v1.0.0');
  assert.is(found('standalone:log'), null);
});

test("a version of Conduit's own means what is built in, unless a plugin process has the name", () => {
  assert.is(found('builtin:file@v0.10.8'), 'builtin:file@v1.0.0');
  assert.is(found('log@v0.7.5'), 'builtin:log@v1.0.0');
  assert.is(found('file@v0.10.8'), null);
  assert.is(found('standalone:log@v1.0.0'), null);
});

test('what Conduit has built in and Millrace has not is the plugin process of that name', () => {
  const processes = [plugin('standalone', 'postgres', 'v0.14.2'), plugin('standalone', 'mysql', 'v1.0.0')];
  const path = (reference: string): string | undefined => findPlugin(processes, reference)?.name;
  assert.equal([path('builtin:postgres'), path('builtin:postgres@v0.14.2')], ['postgres', 'postgres']);
  assert.equal(
    [path('builtin:postgres@v9.0.0'), path('builtin:mysql'), path('builtin:kafka')],
    [undefined, undefined, undefined],
  );
});

test('the nearest plugin is suggested in the form that was written', () => {
  assert.is(nearestPlugin(plugins, 'fiel'), 'file');
  assert.is(nearestPlugin(plugins, 'builtin:lug'), 'builtin:log');
  assert.is(nearestPlugin(plugins, 'standalone:log'), 'builtin:log');
  assert.is(nearestPlugin(plugins, 'something'), undefined);
});

test('versions are compared as semver says, and what is none comes before all', () => {
  const sorted = ['v1.0.0', '(devel)', 'v1.0.0-rc.2', 'v1.0.0-rc.10', 'v0.9.9', 'v1.0.0-rc.1', 'v10.0.0'].sort(
    compareVersions,
  );
  assert.equal(sorted, ['(devel)', 'v0.9.9', 'v1.0.0-rc.1', 'v1.0.0-rc.2', 'v1.0.0-rc.10', 'v1.0.0', 'v10.0.0']);
});

test('the bounds of a number are allowed, also where it may have a fraction', () => {
  const type = { kind: 'number', min: 0, max: 1 } as const;
  const flat = pluginParameters([{ name: 'share', type, required: false, default: 0, description: 's' }]);
  const problems = (share: string): number => checkSettings(flat, { share }, () => false).length;
  assert.equal(['0', '0.5', '1', '-1', '2'].map(problems), [0, 0, 0, 1, 1]);
});

test('parameters as data become flat names and rules', () => {
  const flat = pluginParameters([
    { name: 'path', type: { kind: 'string' }, required: true, description: 'p' },
    { name: 'n', type: { kind: 'integer', min: 0 }, required: false, default: 3, description: 'n' },
    { name: 'level', type: { kind: 'enum', values: ['a', 'b'] }, required: false, default: 'a', description: 'l' },
    {
      name: 'headers',
      type: { kind: 'map', value: { kind: 'string' } },
      required: false,
      secret: true,
      description: 'h',
    },
  ]);
  assert.equal(Object.keys(flat), ['path', 'n', 'level', 'headers.*']);
  assert.equal(flat['path']?.validations, [{ type: 'required', value: '' }]);
  assert.equal(flat['n'], {
    default: '3',
    description: 'n',
    type: 'int',
    validations: [{ type: 'greater-than', value: '-1' }],
  });
  assert.equal(flat['level']?.validations, [{ type: 'inclusion', value: 'a,b' }]);
  assert.is(flat['headers.*']?.secret, true);
});

test.run();
