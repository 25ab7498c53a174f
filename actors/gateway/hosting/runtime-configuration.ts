// The runtime configuration of a pipeline: every key with its default and what it takes. Newer spellings (durations and
// sizes as text) are read into the older keys, so that each setting is kept once. Unknown keys are refused with the nearest name.
import { nearestName } from '../../../runtime/nearest-name.ts';
import { HttpProblem } from '../http/http-problem.ts';
import { durationMicros, sizeMegabytes } from './quantity-text.ts';
import { isZoneOffset } from './zone-offset.ts';

type JsonObject = Readonly<Record<string, unknown>>;
type Check = (value: unknown) => boolean;

const isBoolean: Check = (value) => typeof value === 'boolean';
const isText: Check = (value) => typeof value === 'string';
const isCount: Check = (value) => typeof value === 'number' && Number.isInteger(value) && value >= 0;
const isNumber: Check = (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0;
const isList: Check = (value) => Array.isArray(value);
const isObject: Check = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);

interface Setting {
  readonly fallback: unknown;
  readonly accepts: Check;
  /** The newer key, and how its text is read. */
  readonly text?: { readonly key: string; readonly read: (text: string) => number | null };
}

const micros = (key: string) => ({ key, read: durationMicros });
const seconds = (key: string) => ({ key, read: (text: string) => scale(durationMicros(text), 1e6) });
const megabytes = (key: string) => ({ key, read: sizeMegabytes });

const resourceSettings: Readonly<Record<string, Setting>> = {
  cpu_cores_min: { fallback: null, accepts: orNull(isNumber) },
  cpu_cores_max: { fallback: null, accepts: orNull(isNumber) },
  memory_mb_min: { fallback: null, accepts: orNull(isCount), text: megabytes('memory_min') },
  memory_mb_max: { fallback: null, accepts: orNull(isCount), text: megabytes('memory_max') },
  storage_mb_max: { fallback: null, accepts: orNull(isCount), text: megabytes('storage_max') },
  storage_class: { fallback: null, accepts: orNull(isText) },
  service_account_name: { fallback: null, accepts: orNull(isText) },
  namespace: { fallback: null, accepts: orNull(isText) },
};

const storageSettings: Readonly<Record<string, Setting>> = {
  backend: { fallback: { name: 'default' }, accepts: isObject },
  min_storage_bytes: {
    fallback: null,
    accepts: orNull(isCount),
    text: { key: 'min_spill_size', read: (text) => scale(sizeMegabytes(text), 1e-6) },
  },
  min_step_storage_bytes: { fallback: null, accepts: orNull(isCount) },
  compression: { fallback: 'default', accepts: isText },
  cache_mib: { fallback: null, accepts: orNull(isCount) },
};

const faultToleranceSettings: Readonly<Record<string, Setting>> = {
  model: {
    fallback: 'none',
    accepts: (value) => value === 'none' || value === 'at_least_once' || value === 'exactly_once' || value === null,
  },
  checkpoint_interval_secs: { fallback: 60, accepts: orNull(isCount), text: seconds('checkpoint_interval') },
};

const settings: Readonly<Record<string, Setting>> = {
  workers: { fallback: 8, accepts: (value) => isCount(value) && value !== 0 },
  max_rss_mb: { fallback: null, accepts: orNull(isCount), text: megabytes('max_rss') },
  datafusion_memory_mb: { fallback: null, accepts: orNull(isCount), text: megabytes('datafusion_memory') },
  hosts: { fallback: 1, accepts: isCount },
  cpu_profiler: { fallback: true, accepts: isBoolean },
  tracing: { fallback: false, accepts: isBoolean },
  tracing_endpoint_jaeger: { fallback: '127.0.0.1:6831', accepts: isText },
  min_batch_size_records: { fallback: 0, accepts: isCount },
  max_buffering_delay_usecs: { fallback: 0, accepts: isCount, text: micros('max_buffering_delay') },
  clock_resolution_usecs: { fallback: 1_000_000, accepts: orNull(isCount), text: micros('clock_resolution') },
  clock_timezone_offset: { fallback: null, accepts: orNull(isZoneOffset) },
  pin_cpus: { fallback: [], accepts: isList },
  provisioning_timeout_secs: { fallback: null, accepts: orNull(isCount), text: seconds('provisioning_timeout') },
  max_parallel_connector_init: { fallback: null, accepts: orNull(isCount) },
  init_containers: { fallback: null, accepts: () => true },
  checkpoint_during_suspend: { fallback: true, accepts: isBoolean },
  http_workers: { fallback: null, accepts: orNull(isCount) },
  io_workers: { fallback: null, accepts: orNull(isCount) },
  env: { fallback: {}, accepts: isObject },
  dev_tweaks: { fallback: {}, accepts: isObject },
  logging: { fallback: null, accepts: orNull(isText) },
  pipeline_template_configmap: { fallback: null, accepts: () => true },
};

/** With every default filled in. @throws HttpProblem InvalidRuntimeConfig */
export function readRuntimeConfiguration(value: unknown): JsonObject {
  const given = value ?? {};
  const problems: string[] = [];
  if (!isObject(given)) throw invalid(value, ['runtime_config is no object']);
  // SAFETY: checked above.
  const object = given as JsonObject;
  const { storage, fault_tolerance: faultTolerance, resources } = object;
  // Booleans are an older spelling: all defaults, or no storage at all.
  const storageRead =
    storage === null || storage === false
      ? null
      : readSettings(storageSettings, storage === true ? {} : storage, 'storage.', problems);
  const result = {
    ...readSettings(settings, object, '', problems),
    storage: storageRead,
    fault_tolerance: readSettings(faultToleranceSettings, withModel(faultTolerance), 'fault_tolerance.', problems),
    resources: readSettings(resourceSettings, resources, 'resources.', problems),
  };
  for (const [name, text] of Object.entries(isObject(object['env']) ? Object(object['env']) : {})) {
    if (!isText(text)) problems.push(`env.${name} is no text`);
    if (/^(HOSTNAME|RUST_LOG|TOKIO_WORKER_THREADS)$|^(FELDERA|KUBERNETES|TOKIO)_/.test(name)) {
      problems.push(`env.${name} is reserved`);
    }
  }
  const { model } = result.fault_tolerance;
  if (storageRead === null && model !== 'none' && model !== null) problems.push('fault_tolerance needs storage');
  if (problems.length > 0) throw invalid(value, problems);
  return result;
}

/** The number of workers where a configuration that has been read says one: the default is no wish. */
export function workersGiven(value: unknown): number | null {
  // SAFETY: a configuration that has been read is an object or null, and `workers` in it a count.
  return ((value as JsonObject | null)?.['workers'] as number | undefined) ?? null;
}

/** An older spelling names what a start goes on from; both words stood for what is now `exactly_once`. */
function withModel(value: unknown): unknown {
  return value === 'latest_checkpoint' || value === 'initial_state' ? { model: 'exactly_once' } : value;
}

function readSettings(
  known: Readonly<Record<string, Setting>>,
  value: unknown,
  prefix: string,
  problems: string[],
): Record<string, unknown> {
  if (value !== undefined && value !== null && !isObject(value)) problems.push(`${prefix.slice(0, -1)} is no object`);
  // SAFETY: everything else has been refused and is not read further than by its keys.
  const object = (isObject(value) ? value : {}) as JsonObject;
  const result: Record<string, unknown> = {};
  refuseUnknown(known, object, prefix, problems);
  for (const [key, setting] of Object.entries(known)) {
    const { text } = setting;
    const asText = text === undefined ? undefined : object[text.key];
    const plain = object[key];
    if (asText !== undefined && asText !== null && text !== undefined) {
      const read =
        typeof asText === 'string' ? text.read(asText) : typeof asText === 'number' ? text.read(`${asText}`) : null;
      if (plain !== undefined && plain !== null)
        problems.push(`${prefix}${key} and ${prefix}${text.key} are the same setting`);
      if (read === null) problems.push(`${prefix}${text.key} is not understood`);
      result[key] = read;
    } else if (plain === undefined) {
      result[key] = setting.fallback;
    } else if (setting.accepts(plain)) {
      result[key] = plain;
    } else {
      problems.push(`${prefix}${key} is not of the right type`);
    }
  }
  return result;
}

/** Keys that clients send and that mean nothing here, because another key holds the part or nothing depends on them. */
const alsoAccepted: Readonly<Record<string, readonly string[]>> = {
  '': ['storage', 'fault_tolerance', 'resources', 'pipeline_template_configmap'],
  'resources.': ['volume_attributes_class'],
};

function refuseUnknown(
  known: Readonly<Record<string, Setting>>,
  given: JsonObject,
  prefix: string,
  problems: string[],
): void {
  const texts = Object.values(known).flatMap(({ text }) => (text === undefined ? [] : [text.key]));
  const names = [...Object.keys(known), ...texts, ...(alsoAccepted[prefix] ?? [])];
  for (const key of Object.keys(given)) {
    if (names.includes(key)) continue;
    const nearest = nearestName(key, names);
    problems.push(`${prefix}${key} is no setting${nearest ? ` (did you mean '${prefix}${nearest}'?)` : ''}`);
  }
}

function scale(value: number | null, divisor: number): number | null {
  return value === null ? null : Math.round(value / divisor);
}

function invalid(value: unknown, problems: readonly string[]): HttpProblem {
  return new HttpProblem({
    status: 400,
    code: 'InvalidRuntimeConfig',
    message: `the runtime configuration is not valid: ${problems.join('; ')}`,
    details: { value: value ?? null, error: problems.join('; ') },
  });
}
