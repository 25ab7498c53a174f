// The runtime configuration of a pipeline: every key with its default and what it takes. Newer spellings (durations and
// sizes as text) are read into the older keys, so that each setting is kept once. Unknown keys are refused with the nearest name.
import { nearestName } from '../../../runtime/nearest-name.ts';
import { HttpProblem } from '../http/http-problem.ts';
import { durationMicros, sizeMegabytes } from './quantity-text.ts';
import { isZoneOffset } from './zone-offset.ts';

type JsonObject = Readonly<Record<string, unknown>>;
/** What a value may be, and how that is said to who sent another. */
interface Check {
  readonly accepts: (value: unknown) => boolean;
  readonly wanted: string;
}

const isBoolean: Check = { accepts: (value) => typeof value === 'boolean', wanted: 'true or false' };
const isText: Check = { accepts: (value) => typeof value === 'string', wanted: 'a text' };
const isNumber: Check = {
  accepts: (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0,
  wanted: 'a number that is not negative',
};
const isList: Check = { accepts: (value) => Array.isArray(value), wanted: 'a list' };
const isObject: Check = { accepts: isJsonObject, wanted: 'an object' };
const isAnything: Check = { accepts: () => true, wanted: 'anything' };
const isOffset: Check = { accepts: isZoneOffset, wanted: 'an offset such as "+05:30"' };
const isModel: Check = {
  accepts: (value) => value === 'none' || value === 'at_least_once' || value === 'exactly_once' || value === null,
  wanted: '"none", "at_least_once", "exactly_once" or null',
};
const isCount = whole(0, Number.MAX_SAFE_INTEGER);

function whole(least: number, most: number): Check {
  const accepts = (value: unknown): boolean =>
    typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;
  return { accepts, wanted: `a whole number from ${least} to ${most}` };
}

function orNull({ accepts, wanted }: Check): Check {
  return { accepts: (value) => value === null || accepts(value), wanted: `${wanted}, or null` };
}

interface Setting {
  readonly fallback: unknown;
  readonly takes: Check;
  /** The newer key, and how its text is read. */
  readonly text?: { readonly key: string; readonly read: (text: string) => number | null };
}

const micros = (key: string) => ({ key, read: durationMicros });
const seconds = (key: string) => ({ key, read: (text: string) => scale(durationMicros(text), 1e6) });
const megabytes = (key: string) => ({ key, read: sizeMegabytes });

const resourceSettings: Readonly<Record<string, Setting>> = {
  cpu_cores_min: { fallback: null, takes: orNull(isNumber) },
  cpu_cores_max: { fallback: null, takes: orNull(isNumber) },
  memory_mb_min: { fallback: null, takes: orNull(isCount), text: megabytes('memory_min') },
  memory_mb_max: { fallback: null, takes: orNull(isCount), text: megabytes('memory_max') },
  storage_mb_max: { fallback: null, takes: orNull(isCount), text: megabytes('storage_max') },
  storage_class: { fallback: null, takes: orNull(isText) },
  service_account_name: { fallback: null, takes: orNull(isText) },
  namespace: { fallback: null, takes: orNull(isText) },
};

const storageSettings: Readonly<Record<string, Setting>> = {
  backend: { fallback: { name: 'default' }, takes: isObject },
  min_storage_bytes: {
    fallback: null,
    takes: orNull(isCount),
    text: { key: 'min_spill_size', read: (text) => scale(sizeMegabytes(text), 1e-6) },
  },
  min_step_storage_bytes: { fallback: null, takes: orNull(isCount) },
  compression: { fallback: 'default', takes: isText },
  cache_mib: { fallback: null, takes: orNull(isCount) },
};

const faultToleranceSettings: Readonly<Record<string, Setting>> = {
  model: {
    fallback: 'none',
    takes: isModel,
  },
  checkpoint_interval_secs: { fallback: 60, takes: orNull(isCount), text: seconds('checkpoint_interval') },
};

/** What Feldera's own type for it holds. More than the machine has cores are none the quicker: it gets as many as there are cores. */
const workersMax = 65_535;

const settings: Readonly<Record<string, Setting>> = {
  workers: { fallback: 8, takes: whole(1, workersMax) },
  max_rss_mb: { fallback: null, takes: orNull(isCount), text: megabytes('max_rss') },
  datafusion_memory_mb: { fallback: null, takes: orNull(isCount), text: megabytes('datafusion_memory') },
  hosts: { fallback: 1, takes: isCount },
  cpu_profiler: { fallback: true, takes: isBoolean },
  tracing: { fallback: false, takes: isBoolean },
  tracing_endpoint_jaeger: { fallback: '127.0.0.1:6831', takes: isText },
  min_batch_size_records: { fallback: 0, takes: isCount },
  max_buffering_delay_usecs: { fallback: 0, takes: isCount, text: micros('max_buffering_delay') },
  clock_resolution_usecs: { fallback: 1_000_000, takes: orNull(isCount), text: micros('clock_resolution') },
  clock_timezone_offset: { fallback: null, takes: orNull(isOffset) },
  pin_cpus: { fallback: [], takes: isList },
  provisioning_timeout_secs: { fallback: null, takes: orNull(isCount), text: seconds('provisioning_timeout') },
  max_parallel_connector_init: { fallback: null, takes: orNull(isCount) },
  init_containers: { fallback: null, takes: isAnything },
  checkpoint_during_suspend: { fallback: true, takes: isBoolean },
  http_workers: { fallback: null, takes: orNull(isCount) },
  io_workers: { fallback: null, takes: orNull(isCount) },
  env: { fallback: {}, takes: isObject },
  dev_tweaks: { fallback: {}, takes: isObject },
  logging: { fallback: null, takes: orNull(isText) },
  pipeline_template_configmap: { fallback: null, takes: isAnything },
};

/** With every default filled in. @throws HttpProblem InvalidRuntimeConfig */
export function readRuntimeConfiguration(value: unknown): JsonObject {
  const given = value ?? {};
  const problems: string[] = [];
  if (!isJsonObject(given)) throw invalid(value, ['runtime_config is no object']);
  const object = given;
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
  for (const [name, text] of Object.entries(isJsonObject(object['env']) ? Object(object['env']) : {})) {
    if (typeof text !== 'string') problems.push(`env.${name} is no text`);
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
  if (value !== undefined && value !== null && !isJsonObject(value))
    problems.push(`${prefix.slice(0, -1)} is no object`);
  // Everything else has been refused.
  const object = isJsonObject(value) ? value : {};
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
    } else if (setting.takes.accepts(plain)) {
      result[key] = plain;
    } else {
      problems.push(`${prefix}${key} must be ${setting.takes.wanted}, not ${shown(plain)}`);
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

function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value as JSON, cut where it is long. */
function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length <= 40 ? text : `${text.slice(0, 40)}…`;
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
