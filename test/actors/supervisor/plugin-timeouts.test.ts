// The time-outs that plugin processes are run with.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { defaultDeadlines } from '../../../actors/supervisor/connector-deadlines.ts';
import { pluginTimeouts } from '../../../actors/supervisor/plugin-timeouts.ts';
import { validateParameters } from '../../../connectors/sdk/validate-parameters.ts';
import { pluginConfiguration, pluginParameters } from '../../../connectors/standalone/plugin-parameters.ts';

test('the time-outs of a plugin are never shorter than the deadlines of its pipeline', () => {
  const deadlines = { ...defaultDeadlines, openMs: 300_000, stopMs: 400_000, teardownMs: 1_000 };
  const given = { plugin: 'p', path: '/p', ...pluginTimeouts(deadlines) };
  const { values, problems } = validateParameters(pluginParameters, given, () => ({}), []);
  assert.equal(problems, []);
  const { callTimeoutMs, stopTimeoutMs, teardownTimeoutMs } = pluginConfiguration(values, 'c');
  assert.equal([callTimeoutMs, stopTimeoutMs, teardownTimeoutMs], [300_000, 400_000, 65_000]);
});

test.run();
