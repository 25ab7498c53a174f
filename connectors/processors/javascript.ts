// custom.javascript: a function of the user's over one record at a time, `function process(rec) { … return rec; }`.
//
// The script runs in a context of its own (node:vm) that has no modules, no timers and no network; that keeps scripts apart, it is no
// wall against a hostile one. A record that takes longer than the time limit is refused. What the function sees and may return is
// Conduit's: rec.Position, .Operation, .Metadata, .Key, .Payload.Before, .Payload.After; RawData(text), StructuredData(), Record() and
// logger; null drops the record, a list makes several. Integers beyond 2^53 are bigint; integers stay integers on their way back.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { types } from 'node:util';
import { type Context, createContext, Script } from 'node:vm';
import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';
import { ConfigInvalidValue, ConfigMissingKey } from '../sdk/configuration-errors.ts';
import type { ParameterValues } from '../sdk/parameters.ts';
import { type ProcessorContext, type ProcessorDefinition, perRecord, type RecordResult } from '../sdk/processor.ts';
import { type ConnectorRecord, type RecordData, recordOperations, type StructuredValue } from '../sdk/record.ts';
import { formatTime, rfc3339Nano } from '../templates/go-time.ts';
import { GoTime } from '../templates/go-values.ts';
import { customJavascriptDeclaration, timeLimitMs } from './declarations.ts';
import { isObject, putValue } from './field-reference.ts';

export const ScriptInvalid: CodedErrorClass<{ readonly reason: string }> = defineError(
  'processor.script_invalid',
  { help: 'The script is JavaScript and declares function process(rec).' },
  (f) => f.reason,
);

export const ScriptFailed: CodedErrorClass<{ readonly reason: string }> = defineError(
  'processor.script_failed',
  { help: 'The function process of the script failed on this record; the reason is its own.' },
  (f) => f.reason,
);

export const customJavascript: ProcessorDefinition = {
  ...customJavascriptDeclaration,
  create: (configuration, context) => {
    const script = new RecordScript(sourceOf(configuration, context), context);
    return perRecord((record) => script.run(record));
  },
};

function sourceOf(configuration: ParameterValues, context: ProcessorContext): { text: string; name: string } {
  const [text, path] = [configuration['script'], configuration['script.path']];
  if (text !== undefined && path !== undefined) {
    throw new ConfigInvalidValue({ key: 'script.path', reason: 'and "script" are both given' });
  }
  if (text !== undefined) return { text: String(text), name: 'script' };
  if (path === undefined) throw new ConfigMissingKey({ key: 'script', owner: 'custom.javascript' });
  const file = resolve(context.baseFolder, String(path));
  try {
    return { text: readFileSync(file, 'utf8'), name: file };
  } catch (cause) {
    const reason = `cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw new ConfigInvalidValue({ key: 'script.path', reason }, { cause });
  }
}

/** What a script has besides the language. Evaluated inside its context, so that everything it touches is of that context. */
const helpers = new Script(`
  const __raw = (bytes) => Object.defineProperties(bytes, {
    Bytes: { value: function () { return Array.from(this); } },
    String: { value: function () { return String.fromCharCode.apply(null, this); } },
  });
  function RawData(value) {
    if (value === undefined || value === null) return __raw(new Uint8Array(0));
    if (typeof value !== 'string') return __raw(Uint8Array.from(value));
    return __raw(Uint8Array.from(__encode(value)));
  }
  function StructuredData() { return {}; }
  function Record() {
    return { Position: __raw(new Uint8Array(0)), Operation: '', Metadata: {}, Key: null, Payload: { Before: null, After: null } };
  }
  function __event(level, fields) {
    const event = new Proxy(function () {}, { get: (_, name) => (...values) => {
      if (name === 'Msg' || name === 'Msgf' || name === 'Send') { __log(level, values.map(String).join(' '), JSON.stringify(fields)); return; }
      if (values.length > 1) fields[String(values[0])] = values[1];
      else if (name === 'Err') fields.error = String(values[0]);
      return event;
    } });
    return event;
  }
  const logger = new Proxy({}, { get: (_, level) => () => __event(String(level).toLowerCase(), {}) });
`);

const call = new Script('__result = process(__record)');

class RecordScript {
  readonly #context: Context;
  readonly #raw: (bytes: Uint8Array) => unknown;

  constructor(source: { readonly text: string; readonly name: string }, { log }: ProcessorContext) {
    this.#context = createContext({
      __encode: (text: string) => new TextEncoder().encode(text),
      __log: (level: string, message: string, fields: string) => log(message, { ...JSON.parse(fields), level }),
      __record: undefined,
      __result: undefined,
    });
    helpers.runInContext(this.#context);
    try {
      new Script(source.text, { filename: source.name }).runInContext(this.#context, { timeout: timeLimitMs });
    } catch (cause) {
      throw new ScriptInvalid({ reason: describe(cause, source.name) }, { cause });
    }
    if (new Script('typeof process').runInContext(this.#context) !== 'function') {
      throw new ScriptInvalid({ reason: 'the script declares no function process(rec)' });
    }
    // SAFETY: the helpers above define it.
    this.#raw = new Script('(bytes) => RawData(bytes)').runInContext(this.#context) as (bytes: Uint8Array) => unknown;
  }

  run(record: ConnectorRecord): RecordResult {
    this.#context['__record'] = {
      Position: this.#raw(record.position),
      Operation: record.operation,
      Metadata: { ...record.metadata },
      Key: this.#dataIn(record.key),
      Payload: { Before: this.#dataIn(record.before), After: this.#dataIn(record.after) },
    };
    let result: unknown;
    try {
      call.runInContext(this.#context, { timeout: timeLimitMs });
      result = this.#context['__result'];
    } catch (cause) {
      throw new ScriptFailed({ reason: describe(cause, 'process') }, { cause });
    }
    if (result === null || result === undefined) return null;
    return Array.isArray(result) ? result.map((one) => recordFrom(one, record)) : recordFrom(result, record);
  }

  #dataIn(data: RecordData): unknown {
    return data instanceof Uint8Array ? this.#raw(data) : this.#valueIn(data);
  }

  #valueIn(value: StructuredValue): unknown {
    if (typeof value === 'bigint')
      return BigInt(Number(value)) === value && Number.isSafeInteger(Number(value)) ? Number(value) : value;
    if (value instanceof Uint8Array) return this.#raw(value);
    if (Array.isArray(value)) return value.map((item) => this.#valueIn(item));
    if (!isObject(value)) return value;
    const object: Record<string, unknown> = {};
    for (const [name, item] of Object.entries(value)) putValue(object, name, this.#valueIn(item));
    return object;
  }
}

function recordFrom(value: unknown, original: ConnectorRecord): ConnectorRecord {
  if (!isPlain(value))
    throw new ScriptFailed({ reason: 'process(rec) must return a record, a list of records or null' });
  const { Operation: named, Payload: given, Metadata: metadata } = value;
  // A new Record() has none; a record of this runtime has one always.
  const operation = named === '' ? original.operation : recordOperations.find((name) => name === named);
  if (operation === undefined) throw new ScriptFailed({ reason: `a record has the operation "${String(named)}"` });
  const payload = given === null ? {} : given;
  if (!isPlain(payload)) throw new ScriptFailed({ reason: 'a record has no Payload' });
  const texts = Object.entries(isPlain(metadata) ? metadata : {}).map(([name, text]) => [name, String(text)] as const);
  return {
    position: original.position,
    operation,
    metadata: Object.fromEntries(texts),
    key: dataOut(value['Key'], original.key, 'Key'),
    before: dataOut(payload['Before'], original.before, 'Payload.Before'),
    after: dataOut(payload['After'], original.after, 'Payload.After'),
  };
}

function dataOut(value: unknown, original: RecordData, where: string): RecordData {
  const data = valueOut(value, original, where);
  if (data === null || data instanceof Uint8Array) return data;
  if (typeof data === 'string') return new Uint8Array(Buffer.from(data));
  if (isObject(data)) return data;
  throw new ScriptFailed({ reason: `${where} must be RawData, StructuredData or null` });
}

/** `original` says which numbers were integers. */
function valueOut(value: unknown, original: StructuredValue | undefined, where: string): StructuredValue {
  switch (typeof value) {
    case 'undefined':
      return null;
    case 'string':
    case 'boolean':
    case 'bigint':
      return value;
    case 'number':
      return typeof original === 'bigint' && Number.isSafeInteger(value) ? BigInt(value) : value;
    case 'object':
      break;
    default:
      throw new ScriptFailed({ reason: `${where} is a ${typeof value}, which no record can hold` });
  }
  if (value === null) return null;
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice();
  if (Array.isArray(value)) {
    const list: readonly unknown[] = value;
    return list.map((item, i) => valueOut(item, Array.isArray(original) ? original[i] : undefined, `${where}[${i}]`));
  }
  // Dates are of the class of the script's context.
  if (types.isDate(value)) return timeTextOf(value);
  const object: Record<string, StructuredValue> = {};
  for (const [name, item] of Object.entries(value)) {
    const before = isObject(original) && Object.hasOwn(original, name) ? original[name] : undefined;
    putValue(object, name, valueOut(item, before, `${where}.${name}`));
  }
  return object;
}

function timeTextOf(date: Date): string {
  const nanoseconds = BigInt(date.getTime()) * 1_000_000n;
  return formatTime(new GoTime(nanoseconds), rfc3339Nano);
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Errors of the context are of its own classes. The line of the script is in the stack. */
function describe(thrown: unknown, name: string): string {
  if (!isPlain(thrown) || typeof thrown['message'] !== 'string') return String(thrown);
  if (thrown['code'] === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return `${name} took longer than ${timeLimitMs} ms`;
  const line = /(?:^|[\s(])(?:script|[^\s():]+\.js):(\d+)(?::(\d+))?/m.exec(String(thrown['stack']));
  return `${line === null ? '' : `line ${line[1]}: `}${thrown['message']}`;
}
