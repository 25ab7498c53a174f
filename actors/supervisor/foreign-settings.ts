// What configurations written for Feldera may name that Millrace has not, and what to use instead; and the keys that mean something on a
// connector of the other direction alone. Pure. Refused is what would change what is read or written: a key that asks for nothing (null,
// false, what is its default there) is passed over, so that a configuration that was printed with all its defaults runs as it stands.
import type { PlaceOf } from '../../connectors/sdk/parameters.ts';
import type { MillraceError } from '../../runtime/errors.ts';
import { ConfigUnsupported } from './configuration-errors.ts';

type Direction = 'input' | 'output';

const lakeInput =
  'have its files as Parquet and read them with s3_input or file_input, or follow its source with kafka_input or postgres_cdc_input';
const lakeOutput = 's3_output writes changes as Parquet, JSON or CSV';
const pluginInput = 'run a connector of Conduit for it (plugin_input), or push rows over HTTP (POST …/ingress/TABLE)';
const pluginOutput = 'run a connector of Conduit for it (plugin_output), or write to a topic with kafka_output';

const transports: Readonly<Record<Direction, Readonly<Record<string, string>>>> = {
  input: {
    delta_table_input: lakeInput,
    iceberg_input: lakeInput,
    pub_sub_input: pluginInput,
    nats_input: pluginInput,
    http_input: 'rows come by POST …/ingress/TABLE without a connector',
    ad_hoc_input: 'INSERT statements go to …/query without a connector',
    clock_input: 'a program that says NOW() has its clock by itself; transport_defaults: {clock: …} sets it',
  },
  output: {
    delta_table_output: lakeOutput,
    dynamodb_output: pluginOutput,
    redis_output: pluginOutput,
    http_output: 'listeners ask for changes by …/egress/VIEW without a connector',
  },
};

/** What to use instead of a transport of Feldera; undefined: nobody knows it. */
export function insteadOfTransport(name: string, direction: Direction): string | undefined {
  const known = transports[direction];
  return Object.hasOwn(known, name) ? known[name] : undefined;
}

const processing = 'compute it in the program, or write a connector of your own (docs/own-connectors.md)';
const ofOutputs = 'it is a setting of outputs';
const ofInputs = 'it is a setting of inputs';

/** By direction, keys of Feldera's connectors that mean nothing here, and why. */
const keys: Readonly<Record<Direction, Readonly<Record<string, string>>>> = {
  input: {
    preprocessor: processing,
    postprocessor: ofOutputs,
    soft_delete:
      'read the events as they are (json with `update_format: raw` into a VARIANT or into columns) and rank them in a view',
    send_snapshot: ofOutputs,
    index: ofOutputs,
    enable_output_buffer: ofOutputs,
    max_output_buffer_time_millis: ofOutputs,
    max_output_buffer_size_records: ofOutputs,
  },
  output: {
    preprocessor: ofInputs,
    postprocessor: processing,
    soft_delete: ofInputs,
    max_batch_size: ofInputs,
    max_worker_batch_size: ofInputs,
  },
};

/** The keys of a connector that are known here; those that ask for what is not done become problems. */
export function withoutForeignKeys(
  value: Readonly<Record<string, unknown>>,
  direction: Direction,
  placeOf: PlaceOf,
  path: readonly (string | number)[],
  problems: MillraceError[],
): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return value;
  const known: Record<string, unknown> = {};
  for (const [key, given] of Object.entries(value)) {
    const instead = Object.hasOwn(keys[direction], key) ? keys[direction][key] : undefined;
    if (instead === undefined) {
      // More milliseconds than there are: Feldera's word for never.
      const isNever = key === 'max_output_buffer_time_millis' && Number(given) > Number.MAX_SAFE_INTEGER;
      if (!isNever) known[key] = given;
    } else if (!asksForNothing(key, given)) {
      const what = `${key} on an ${direction}`;
      problems.push(new ConfigUnsupported({ what, instead }, { place: placeOf([...path, key]) }));
    }
  }
  return known;
}

function asksForNothing(key: string, given: unknown): boolean {
  if (given === null || given === undefined || given === false) return true;
  if (key.startsWith('max_output_buffer')) return true;
  return Array.isArray(given) && given.length === 0;
}
