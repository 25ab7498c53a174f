// The runtime configuration: defaults, both spellings, refusals.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { durationMicros, sizeMegabytes } from '../../../../actors/gateway/hosting/quantity-text.ts';
import { readRuntimeConfiguration } from '../../../../actors/gateway/hosting/runtime-configuration.ts';
import { HttpProblem } from '../../../../actors/gateway/http/http-problem.ts';

test('nothing means all defaults', () => {
  const read = readRuntimeConfiguration(null);
  assert.is(read['workers'], 8);
  assert.is(Object.keys(Object(read['resources'])).length, 8);
});

test('the newer spelling ends in the older key', () => {
  const read = readRuntimeConfiguration({ max_buffering_delay: '1.5ms', resources: { memory_max: '2 GB' } });
  assert.is(read['max_buffering_delay_usecs'], 1_500);
  assert.is(Object(read['resources'])['memory_mb_max'], 2_000);
});

test('wrong types, reserved variables and both spellings at once are refused together', () => {
  try {
    readRuntimeConfiguration({
      workers: 'many',
      env: { HOSTNAME: 'x' },
      clock_resolution: '1s',
      clock_resolution_usecs: 1,
    });
    assert.unreachable();
  } catch (error) {
    assert.instance(error, HttpProblem);
    assert.match((error as HttpProblem).message, /workers.*env\.HOSTNAME|clock_resolution/);
  }
});

test('a number of workers is a whole one from 1 to 65535, and who sends another is told so', () => {
  for (const workers of [1e9, 65_536, 0, -1, 1.5, '2', true, []]) {
    assert.throws(
      () => readRuntimeConfiguration({ workers }),
      (error: Error) =>
        error.message.includes(`workers must be a whole number from 1 to 65535, not ${JSON.stringify(workers)}`),
    );
  }
  assert.is(readRuntimeConfiguration({ workers: 65_535 })['workers'], 65_535);
});

test('a value of another type is told with what the setting takes', () => {
  const wrong = {
    cpu_profiler: 'yes',
    clock_timezone_offset: 'CET',
    fault_tolerance: { model: 'twice' },
    hosts: 1e300,
  };
  assert.throws(
    () => readRuntimeConfiguration(wrong),
    (error: Error) =>
      error.message.includes('cpu_profiler must be true or false, not "yes"') &&
      error.message.includes('clock_timezone_offset must be an offset such as "+05:30", or null, not "CET"') &&
      error.message.includes('fault_tolerance.model must be "none", "at_least_once", "exactly_once" or null') &&
      error.message.includes('hosts must be a whole number'),
  );
});

test('unknown keys are refused with the nearest name, on every level', () => {
  const message = (value: unknown): string => {
    try {
      readRuntimeConfiguration(value);
    } catch (error) {
      return String((error as HttpProblem).message);
    }
    return '';
  };
  assert.match(message({ wrokers: 2 }), /wrokers is no setting \(did you mean 'workers'\?\)/);
  assert.match(message({ resources: { memory_mx: '1 GB' } }), /resources\.memory_mx .*'resources\.memory_max'/);
  assert.match(message({ storage: { compresion: 'x' } }), /storage\.compression/);
  assert.match(message({ fault_tolerance: { modle: 'none' } }), /fault_tolerance\.model/);
});

test('what the clients send by themselves is accepted', () => {
  readRuntimeConfiguration({
    tracing: false,
    tracing_endpoint_jaeger: '',
    cpu_profiler: true,
    min_batch_size_records: 0,
    max_buffering_delay_usecs: 0,
    resources: { cpu_cores_max: null, cpu_cores_min: null, storage_class: null, volume_attributes_class: null },
    storage: { min_spill_size: '1 MiB' },
    fault_tolerance: { model: 'at_least_once', checkpoint_interval: null },
    provisioning_timeout: '5m',
    datafusion_memory: '1 GB',
  });
});

test('fault tolerance needs storage', () => {
  const model = 'at_least_once';
  assert.throws(() => readRuntimeConfiguration({ storage: null, fault_tolerance: { model } }), /needs storage/);
  assert.is(Object(readRuntimeConfiguration({ fault_tolerance: { model } })['fault_tolerance'])['model'], model);
});

test('durations and sizes are read as their grammar says', () => {
  assert.is(durationMicros('1h30m'), 5_400e6);
  assert.is(durationMicros('+0'), 0);
  assert.is(durationMicros('5'), null);
  assert.is(sizeMegabytes('1MiB'), 1.048576);
  assert.is(sizeMegabytes('2x'), null);
});

test.run();
