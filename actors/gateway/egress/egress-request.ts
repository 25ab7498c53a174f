// What a request for an output asks for: query parameters, or the connector's configuration as the body of a POST.
//
// Parameters that mean nothing are ignored, as `/v0` does; values that cannot be read are refused. The key is the same for
// requests that can share what is printed.
import type { IncomingMessage } from 'node:http';
import { nearestName } from '../../../runtime/nearest-name.ts';
import { HttpProblem } from '../http/http-problem.ts';
import type { PrintOptions } from './chunk-printer.ts';

export interface EgressRequest {
  readonly print: PrintOptions;
  readonly header: boolean;
  readonly backpressure: boolean;
  readonly sendSnapshot: boolean;
  /** json: messages without rows have an empty list, for readers that take every message to have one. */
  readonly emptyData: boolean;
  /** Null: numbers of the connection. */
  readonly from: number | 'latest' | null;
  readonly incarnation: string | null;
}

const recordsMax = 10_000;
const bodyBytesMax = 1024 * 1024;

/** A hub prints for all requests with the same key. */
export function printKey(relation: string, print: PrintOptions): string {
  return JSON.stringify([relation, print.format, print.delimiter, print.weight, print.recordsMax, print.bytesMax]);
}

/** `configuration` is the body's object, null: there is none. @throws HttpProblem 400 */
export function readRequest(
  query: URLSearchParams,
  configuration: Readonly<Record<string, unknown>> | null,
  chunkBytesDefault: number | null,
): EgressRequest {
  const body = configuration === null ? null : readConfiguration(configuration, query);
  const format = readFormat(body?.format ?? query.get('format') ?? 'csv');
  const option = (name: string): string | null => {
    const value = body?.formatConfig[name];
    return value === undefined || value === null ? query.get(name) : String(value);
  };
  const updateFormat = option('update_format') ?? 'insert_delete';
  if (format === 'json' && updateFormat !== 'insert_delete') {
    throw invalid('update_format', updateFormat, 'insert_delete');
  }
  const flavor = option('json_flavor') ?? 'default';
  if (format === 'json' && flavor !== 'default') throw invalid('json_flavor', flavor, 'default');
  const weight = readBoolean('weight', option('weight'), true);
  const delimiter = option('delimiter') ?? ',';
  if (!/^[ -~\t]$/.test(delimiter) || delimiter === '"') throw invalid('delimiter', delimiter, 'one ASCII character');
  if (!weight && /[A-Za-z0-9 :.+-]/.test(delimiter)) {
    throw invalid('delimiter', delimiter, 'a character that no number holds, when weight=false');
  }
  const isJson = format === 'json';
  return {
    print: {
      format,
      delimiter: isJson ? ',' : delimiter,
      weight: isJson || weight,
      recordsMax: Math.min(
        recordsMax,
        readInteger('buffer_size_records', option('buffer_size_records'), 1) ?? recordsMax,
      ),
      bytesMax: readInteger('max_chunk_bytes', query.get('max_chunk_bytes'), 1) ?? chunkBytesDefault,
    },
    header: !isJson && readBoolean('header', option('header'), false),
    backpressure: body?.backpressure ?? readBoolean('backpressure', query.get('backpressure'), true),
    sendSnapshot: body?.sendSnapshot ?? readBoolean('send_snapshot', query.get('send_snapshot'), false),
    emptyData: isJson && query.get('array') !== 'false',
    from: readFrom(query.get('from')),
    incarnation: query.get('incarnation'),
  };
}

/** The body as an object; null when it is empty or `null`. @throws HttpProblem 400, 413 */
export async function readBody(request: IncomingMessage): Promise<Readonly<Record<string, unknown>> | null> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request) {
    // SAFETY: a request without an encoding is read as buffers.
    const buffer = part as Buffer;
    bytes += buffer.length;
    if (bytes > bodyBytesMax) {
      const message = `the configuration of an output has at most ${bodyBytesMax} bytes`;
      throw new HttpProblem({ status: 413, code: 'PayloadTooLarge', message });
    }
    parts.push(buffer);
  }
  const text = Buffer.concat(parts).toString('utf8').trim();
  if (text === '') return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const message = `the body is neither empty nor a connector's configuration in JSON: ${String(cause)}`;
    throw new HttpProblem({ status: 400, code: 'InvalidParam', message, cause });
  }
  if (value === null) return null;
  return objectAt('the body', value);
}

interface Configuration {
  readonly format: string;
  readonly formatConfig: Readonly<Record<string, unknown>>;
  readonly backpressure: boolean;
  readonly sendSnapshot: boolean;
}

function readConfiguration(body: Readonly<Record<string, unknown>>, query: URLSearchParams): Configuration {
  for (const name of ['format', 'backpressure']) {
    if (!query.has(name)) continue;
    const message = `'${name}' stands in the query, but the body has the connector's configuration: use one of them`;
    throw new HttpProblem({ status: 400, code: 'InvalidParam', message, details: { param: name } });
  }
  const known = ['transport', 'format', 'send_snapshot'];
  const unknown = Object.keys(body).find((key) => !known.includes(key));
  if (unknown !== undefined) throw invalid('the body', unknown, known.join(', '));
  const transport = body['transport'] === undefined ? {} : objectAt('transport', body['transport']);
  const name = transport['name'] ?? 'http_output';
  if (name !== 'http_output') throw invalid('transport.name', String(name), 'http_output');
  const transportConfig = objectAt('transport.config', transport['config'] ?? {});
  const format = objectAt('format', body['format'] ?? { name: 'csv' });
  const formatConfig = objectAt('format.config', format['config'] ?? {});
  const formatName = String(format['name']);
  if (formatName === 'json' && formatConfig['array'] !== true) {
    throw invalid('format.config.array', String(formatConfig['array'] ?? 'absent'), 'true');
  }
  return {
    format: formatName,
    formatConfig,
    backpressure: readFlag('transport.config.backpressure', transportConfig['backpressure'], true),
    sendSnapshot: readFlag('send_snapshot', body['send_snapshot'], false),
  };
}

function readFormat(text: string): 'json' | 'csv' {
  if (text === 'json' || text === 'csv') return text;
  const nearest = nearestName(text, ['json', 'csv']);
  throw new HttpProblem({
    status: 400,
    code: 'ConfigError.UnknownOutputFormat',
    message: `an HTTP output has no format '${text}'; there are json and csv${nearest === undefined ? '' : `; did you mean '${nearest}'?`}`,
    details: { format_name: text },
  });
}

function readFrom(text: string | null): number | 'latest' | null {
  if (text === null || text === 'latest') return text;
  // 0 stands for "before the first": a client that was sent nothing yet continues with 0 + 1, but may also say 0.
  return Math.max(1, readInteger('from', text, 0) ?? 1);
}

function readBoolean(name: string, text: string | null, otherwise: boolean): boolean {
  if (text === null) return otherwise;
  if (text !== 'true' && text !== 'false') throw invalid(name, text, 'true or false');
  return text === 'true';
}

function readFlag(name: string, value: unknown, otherwise: boolean): boolean {
  if (value === undefined || value === null) return otherwise;
  if (typeof value !== 'boolean') throw invalid(name, String(value), 'true or false');
  return value;
}

function readInteger(name: string, text: string | null, min: number): number | null {
  if (text === null) return null;
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < min) {
    throw invalid(name, text, `an integer of at least ${min}`);
  }
  return value;
}

function objectAt(name: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(name, Array.isArray(value) ? 'a list' : String(value), 'an object');
  }
  return value as Readonly<Record<string, unknown>>; // SAFETY: checked above; members are unknown.
}

function invalid(name: string, value: string, expected: string): HttpProblem {
  const message = `${name} must be ${expected}, not '${value.slice(0, 100)}'`;
  return new HttpProblem({ status: 400, code: 'InvalidParam', message, details: { param: name } });
}
