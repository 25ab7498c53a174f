// What `/v0` says of one input or output: a connector of the pipeline, or one over HTTP. Both in one shape; what an HTTP endpoint does
// not have is nothing there.
import type { DecodeError } from '../../../connectors/sdk/format.ts';
import type { ErrorData } from '../../../runtime/errors.ts';
import type {
  ConnectorHealth,
  InputConnectorStats,
  OutputConnectorStats,
  PipelineStats,
} from '../../supervisor/messages.ts';
import type { ApiInput, ApiOutput } from '../hosting/deployment.ts';
import type { LiveDeployment } from '../hosting/live-deployment.ts';
import { timeText } from '../hosting/pipeline-record.ts';
import {
  anything,
  flag,
  list,
  moment,
  object,
  oneOf,
  orNull,
  type Shape,
  type Shaped,
  text,
  whole,
} from '../http/reply-shape.ts';

type JsonObject = Readonly<Record<string, unknown>>;

const errorShape = object({ timestamp: moment, index: whole, tag: orNull(text), message: text });
const healthShape = orNull(object({ status: oneOf('Healthy', 'Unhealthy'), description: text }));
const inputKeys = {
  endpoint_name: text,
  config: object({ stream: text }),
  metrics: object({
    total_bytes: whole,
    total_records: whole,
    buffered_records: whole,
    buffered_bytes: whole,
    num_transport_errors: whole,
    num_parse_errors: whole,
    end_of_input: flag,
  }),
  fatal_error: orNull(text),
  health: healthShape,
  paused: flag,
  barrier: flag,
  completed_frontier: orNull(
    object({ metadata: anything, ingested_at: moment, processed_at: moment, completed_at: moment }),
  ),
} as const;
const outputKeys = {
  endpoint_name: text,
  config: object({ stream: text }),
  metrics: object({
    buffered_records: whole,
    buffered_batches: whole,
    total_processed_input_records: whole,
    total_processed_steps: whole,
    memory: whole,
    queued_batches: whole,
    transmitted_records: whole,
    transmitted_bytes: whole,
    queued_records: whole,
    num_encode_errors: whole,
    num_transport_errors: whole,
  }),
  fatal_error: orNull(text),
  health: healthShape,
  paused: flag,
} as const;
const input = object(inputKeys, { parse_errors: list(errorShape), transport_errors: list(errorShape) });
const output = object(outputKeys, { encode_errors: list(errorShape), transport_errors: list(errorShape) });

type InputStatus = Shaped<typeof input>;
type OutputStatus = Shaped<typeof output>;

/** Lists of errors are there where they are asked for. */
export const inputShape: Shape<unknown> = input;
export const outputShape: Shape<unknown> = output;

interface ListedError {
  readonly time: number;
  readonly index: number;
  readonly message: string;
}

interface ShownInput {
  readonly endpoint: string;
  readonly relation: string;
  readonly totalBytes: number;
  readonly totalRecords: number;
  readonly bufferedRecords: number;
  readonly bufferedBytes: number;
  readonly numTransportErrors: number;
  readonly numParseErrors: number;
  readonly endOfInput: boolean;
  readonly error: ErrorData | null;
  /** null: of an HTTP endpoint nothing is known. */
  readonly stall: ConnectorHealth | null;
  readonly paused: boolean;
  /** null: they are not asked for. */
  readonly errors: { readonly parse: readonly ListedError[]; readonly transport: readonly ListedError[] } | null;
}

interface ShownOutput {
  readonly endpoint: string;
  readonly relation: string;
  readonly transmittedRecords: number;
  readonly transmittedBytes: number;
  readonly queuedRecords: number;
  readonly queuedBatches: number;
  readonly bufferedRecords: number;
  readonly bufferedBatches: number;
  /** Bytes of both. */
  readonly memory: number;
  readonly completedStep: number;
  readonly completedRecords: number;
  readonly numEncodeErrors: number;
  readonly numTransportErrors: number;
  readonly error: ErrorData | null;
  /** null: of an HTTP endpoint nothing is known. */
  readonly stall: ConnectorHealth | null;
  readonly paused: boolean;
  readonly errors: { readonly encode: readonly ListedError[]; readonly transport: readonly ListedError[] } | null;
}

export function inputStatus(input: InputConnectorStats, withErrors: boolean): JsonObject {
  return inputJson({
    ...input,
    stall: input.health,
    // A connector that waits for labels does not read either; there is no other word for it here.
    paused: input.paused || input.state === 'waiting',
    errors: withErrors
      ? {
          parse: listed(input.parseErrors, input.numParseErrors),
          transport: listed(input.transportErrors, input.numTransportErrors),
        }
      : null,
  });
}

export function apiInputStatus(input: ApiInput, withErrors: boolean): JsonObject {
  const { endpoint, relation, totalRecords, totalBytes, numParseErrors, parseErrors } = input;
  return inputJson({
    endpoint,
    relation,
    totalRecords,
    totalBytes,
    bufferedRecords: input.bufferedRecords(),
    bufferedBytes: input.bufferedBytes(),
    numTransportErrors: 0,
    numParseErrors,
    endOfInput: false,
    error: null,
    stall: null,
    paused: false,
    errors: withErrors ? { parse: parseErrors, transport: [] } : null,
  });
}

export function outputStatus(
  output: OutputConnectorStats,
  { deployment, withErrors }: { readonly deployment: LiveDeployment; readonly withErrors: boolean },
): JsonObject {
  const before = deployment.sentBefore[output.endpoint] ?? { records: 0, bytes: 0 };
  return outputJson({
    ...output,
    stall: output.health,
    memory: output.queuedBytes + output.bufferedBytes,
    transmittedRecords: before.records + output.transmittedRecords,
    transmittedBytes: before.bytes + output.transmittedBytes,
    errors: withErrors
      ? {
          encode: listed(output.encodeErrors, output.numEncodeErrors),
          transport: listed(output.transportErrors, output.numTransportErrors),
        }
      : null,
  });
}

export function apiOutputStatus(output: ApiOutput, stats: PipelineStats): JsonObject {
  const queue = stats.gatewayOutputs.find(({ endpoint }) => endpoint === output.endpoint);
  return outputJson({
    ...output,
    // What the listeners hold back waits here, what the engine has sent beyond that in front of it.
    queuedRecords: Math.max(output.queuedRecords, queue?.queuedRecords ?? 0),
    queuedBatches: queue?.queuedBatches ?? 0,
    bufferedRecords: 0,
    bufferedBatches: 0,
    memory: Math.max(output.queuedBytes, queue?.queuedBytes ?? 0),
    completedStep: queue?.completedStep ?? 0,
    completedRecords: queue?.completedRecords ?? 0,
    numEncodeErrors: 0,
    numTransportErrors: 0,
    error: null,
    stall: null,
    paused: false,
    errors: null,
  });
}

function inputJson(input: ShownInput): InputStatus {
  const { errors } = input;
  return {
    endpoint_name: input.endpoint,
    config: { stream: input.relation },
    metrics: {
      total_bytes: input.totalBytes,
      total_records: input.totalRecords,
      buffered_records: input.bufferedRecords,
      buffered_bytes: input.bufferedBytes,
      num_transport_errors: input.numTransportErrors,
      num_parse_errors: input.numParseErrors,
      end_of_input: input.endOfInput,
    },
    fatal_error: input.error === null ? null : told(input.error),
    health: health(input),
    paused: input.paused,
    barrier: false,
    completed_frontier: null,
    ...(errors === null
      ? {}
      : { parse_errors: errors.parse.map(errorJson), transport_errors: errors.transport.map(errorJson) }),
  };
}

function outputJson(output: ShownOutput): OutputStatus {
  const { errors } = output;
  return {
    endpoint_name: output.endpoint,
    config: { stream: output.relation },
    metrics: {
      buffered_records: output.bufferedRecords,
      buffered_batches: output.bufferedBatches,
      total_processed_input_records: output.completedRecords,
      total_processed_steps: output.completedStep,
      memory: output.memory,
      queued_batches: output.queuedBatches,
      transmitted_records: output.transmittedRecords,
      transmitted_bytes: output.transmittedBytes,
      queued_records: output.queuedRecords,
      num_encode_errors: output.numEncodeErrors,
      num_transport_errors: output.numTransportErrors,
    },
    fatal_error: output.error === null ? null : told(output.error),
    health: health(output),
    paused: output.paused,
    ...(errors === null
      ? {}
      : { encode_errors: errors.encode.map(errorJson), transport_errors: errors.transport.map(errorJson) }),
  };
}

/** All that a client shows of it is a text: with the code, and what to do. */
function told({ message, code, help }: ErrorData): string {
  return `${message} (${code}: ${help})`;
}

/** A source that is quiet may just have nothing to say: it is not unhealthy. */
function health({ error, stall }: Pick<ShownInput, 'error' | 'stall'>): Shaped<typeof healthShape> {
  if (error !== null) return { status: 'Unhealthy', description: told(error) };
  if (stall?.status !== 'stalled' || stall.since === null) return null;
  return { status: 'Unhealthy', description: `stalled since ${new Date(stall.since).toISOString()}: ${stall.reason}` };
}

/** The latest of `count`: their numbers show how many of those before them are not kept. */
function listed(
  errors: readonly {
    readonly time: number;
    readonly record: number | null;
    readonly error: ErrorData | DecodeError;
  }[],
  count: number,
): readonly ListedError[] {
  const first = Math.max(0, count - errors.length);
  return errors.map(({ time, record, error }, i) => {
    if ('help' in error) return { time, index: first + i, message: told(error) };
    const place = record === null ? '' : `record ${record}: `;
    return { time, index: first + i, message: place + error.message };
  });
}

function errorJson({ time, index, message }: ListedError): Shaped<typeof errorShape> {
  return { timestamp: timeText(time), index, tag: null, message };
}
