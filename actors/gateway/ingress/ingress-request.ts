// What a request asks for, read from its query string: the format with its options, and how to behave.
//
// Parameters that nobody knows are ignored: clients send some. A value that a known parameter cannot take is refused
// (400 InvalidParam), as is a combination that the format itself refuses. Pure: the same text gives the same request.
import type { InputFormat } from '../../../connectors/sdk/format.ts';
import { loaded, type RegisteredInputFormat } from '../../../connectors/sdk/load-on-use.ts';
import type { Parameter, ParameterValues } from '../../../connectors/sdk/parameters.ts';
import { validateParameters } from '../../../connectors/sdk/validate-parameters.ts';
import { formatVariant, parseVariant } from '../../../runtime/batch/variant-json.ts';
import { MillraceError } from '../../../runtime/errors.ts';
import { nearestName } from '../../../runtime/nearest-name.ts';
import { HttpProblem } from '../http/http-problem.ts';

export type WaitFor = 'accepted' | 'processed' | 'delivered';

export interface IngressRequest {
  readonly format: InputFormat;
  readonly configuration: ParameterValues;
  /** Equal for requests that can share a decoder. */
  readonly formatKey: string;
  /** Also into a paused pipeline. */
  /** JSON text of an object: what CONNECTOR_METADATA() is for the records of this request. */
  readonly metadata: string | null;
  readonly force: boolean;
  readonly onPaused: 'wait' | 'error';
  /** null: as long as the client stays. */
  readonly timeoutMs: number | null;
  readonly atomic: boolean;
  readonly wait: WaitFor;
}

const timeoutMsMax = 2 ** 31 - 1;

/** @throws HttpProblem */
export async function readIngressRequest(
  query: URLSearchParams,
  formats: readonly RegisteredInputFormat[],
): Promise<IngressRequest> {
  const name = query.get('format') ?? 'csv';
  const format = formats.find((candidate) => candidate.name === name && !needsMessages(candidate));
  if (format === undefined) throw unknownFormat(name, formats);
  const given: Record<string, unknown> = {};
  for (const parameter of format.parameters) {
    const text = query.get(parameter.name);
    if (text !== null) given[parameter.name] = fromText(parameter, text);
  }
  const { values, problems } = validateParameters(format.parameters, given, () => ({}), [], format.name);
  const [problem] = problems;
  if (problem !== undefined) throw invalidFormat(problem);
  return {
    format: await loaded(format),
    configuration: values,
    formatKey: JSON.stringify([format.name, Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1))]),
    metadata: readMetadata(query),
    force: readBoolean(query, 'force'),
    onPaused: readChoice(query, 'on_paused', ['wait', 'error']),
    timeoutMs: readTimeout(query),
    atomic: readBoolean(query, 'atomic'),
    wait: readChoice(query, 'wait', ['accepted', 'processed', 'delivered']),
  };
}

/** A coded error of the format as the reply that a client understands. */
export function invalidFormat(thrown: unknown): unknown {
  if (!(thrown instanceof MillraceError)) return thrown;
  const details = { code: thrown.code, help: thrown.help };
  return new HttpProblem({ status: 400, code: 'InvalidParam', message: thrown.message, details, cause: thrown });
}

/** A body is a stream of bytes. */
function needsMessages(format: RegisteredInputFormat): boolean {
  return 'needsMessages' in format && format.needsMessages === true;
}

function unknownFormat(name: string, formats: readonly RegisteredInputFormat[]): HttpProblem {
  const names = formats.filter((format) => !needsMessages(format)).map((format) => format.name);
  const nearest = nearestName(name, names);
  const hint = nearest === undefined || nearest === null ? '' : `; did you mean '${nearest}'?`;
  return new HttpProblem({
    status: 400,
    code: 'ConfigError.UnknownInputFormat',
    message: `there is no input format '${name.slice(0, 100)}'${hint} Known formats: ${names.join(', ')}.`,
    details: { format_name: name.slice(0, 100) },
  });
}

/** A text that is no value of its kind stays a text, and validation refuses it. */
function fromText(parameter: Parameter, text: string): unknown {
  switch (parameter.type.kind) {
    case 'boolean':
      return booleanOf(text) ?? text;
    case 'integer':
    case 'number':
      return text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text);
    default:
      return text;
  }
}

/** Clients of several languages spell their own booleans. */
function booleanOf(text: string): boolean | undefined {
  const lower = text.toLowerCase();
  return lower === 'true' ? true : lower === 'false' ? false : undefined;
}

function readBoolean(query: URLSearchParams, name: string): boolean {
  const text = query.get(name);
  if (text === null) return false;
  return booleanOf(text) ?? refuse(name, text, 'true or false');
}

function readMetadata(query: URLSearchParams): string | null {
  const text = query.get('connector_metadata');
  if (text === null) return null;
  try {
    const value = parseVariant(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return formatVariant(value) ?? null;
  } catch {
    // What is no JSON is refused below.
  }
  return refuse('connector_metadata', text, 'a JSON object');
}

function readChoice<T extends string>(query: URLSearchParams, name: string, choices: readonly [T, ...T[]]): T {
  const text = query.get(name);
  if (text === null) return choices[0];
  return choices.find((choice) => choice === text) ?? refuse(name, text, `one of ${choices.join(', ')}`);
}

function readTimeout(query: URLSearchParams): number | null {
  const text = query.get('timeout_ms');
  if (text === null) return null;
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  return value <= timeoutMsMax ? value : refuse('timeout_ms', text, `an integer from 0 to ${timeoutMsMax}`);
}

function refuse(name: string, text: string, expected: string): never {
  const message = `'${name}' is '${text.slice(0, 100)}', but must be ${expected}`;
  throw new HttpProblem({ status: 400, code: 'InvalidParam', message, details: { parameter: name } });
}
