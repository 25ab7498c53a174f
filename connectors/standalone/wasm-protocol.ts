// The messages that a host and a WebAssembly processor exchange (processor.v1), between bytes and data. One command, one answer.
//
//   CommandRequest   specify 1 · configure 2 { map parameters 1 } · open 3 · process 4 { repeated Record records 1 } · teardown 5
//   CommandResponse  error 1 { code 1, message 2 } · specify 2 · configure 3 · open 4 · process 5 { repeated result 1 } · teardown 6
//   result           single record 1 · filtered 2 · error 3 { error 1 } · several 4 { repeated Record records 1 }
// https://github.com/ConduitIO/conduit-processor-sdk (proto/processor/v1)
import { ByteReader, ByteWriter } from '../sdk/protobuf-wire.ts';
import type { PluginParameters } from './plugin-specification.ts';
import { readSpecification } from './specification-reader.ts';

export type WasmCall = 'specify' | 'configure' | 'open' | 'process' | 'teardown';

const requestTags = { specify: 0x0a, configure: 0x12, open: 0x1a, process: 0x22, teardown: 0x2a } as const;
const answerTags = { specify: 0x12, configure: 0x1a, open: 0x22, process: 0x2a, teardown: 0x32 } as const;
const errorTag = 0x0a;

export interface WasmSpecification {
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  readonly version: string;
  readonly author: string;
  readonly parameters: PluginParameters;
}

/** `body`: the bytes of the message inside. */
export function writeCommand(call: WasmCall, body: Uint8Array = new Uint8Array(0)): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(body.length + 16);
  writer.tag(requestTags[call]);
  writer.view(body);
  return writer.finish();
}

export function writeSettings(settings: Readonly<Record<string, string>>): Uint8Array {
  const writer = new ByteWriter();
  for (const [name, value] of Object.entries(settings)) {
    writer.tag(0x0a);
    writer.nested((entry) => {
      entry.tag(0x0a);
      entry.text(name);
      entry.tag(0x12);
      entry.text(value);
    });
  }
  return writer.finish();
}

export type WasmAnswer =
  | { readonly kind: 'done'; readonly body: Uint8Array }
  | { readonly kind: 'error'; readonly message: string }
  /** An answer to another command. */
  | { readonly kind: 'other' };

/** @throws ProtobufMalformed */
export function readAnswer(call: WasmCall, bytes: Uint8Array): WasmAnswer {
  const reader = new ByteReader(bytes);
  let answer: WasmAnswer = { kind: 'other' };
  while (!reader.isDone) {
    const tag = reader.tag();
    if (tag === errorTag) answer = { kind: 'error', message: readError(reader.nested()) };
    else if (tag === answerTags[call]) answer = { kind: 'done', body: reader.view() };
    else reader.skipLast();
  }
  return answer;
}

/** @throws ProtobufMalformed */
export function readWasmSpecification(body: Uint8Array): WasmSpecification {
  const fields = { default: 1, required: null, description: 2, type: 3, validations: 4 } as const;
  const { name, summary, description, version, author, destinationParameters } = readSpecification(
    new ByteReader(body),
    fields,
  );
  return { name, summary, description, version, author, parameters: destinationParameters ?? {} };
}

export type WasmResult =
  /** Bytes of opencdc.v1.Record, none of them: it was filtered. */
  | { readonly kind: 'records'; readonly records: readonly Uint8Array[] }
  | { readonly kind: 'refused'; readonly message: string };

/** One for each record of the command. @throws ProtobufMalformed */
export function readResults(body: Uint8Array): readonly WasmResult[] {
  const results: WasmResult[] = [];
  const reader = new ByteReader(body);
  while (!reader.isDone) {
    if (reader.tag() === 0x0a) results.push(readResult(reader.nested()));
    else reader.skipLast();
  }
  return results;
}

function readResult(reader: ByteReader): WasmResult {
  let result: WasmResult = { kind: 'refused', message: 'the processor said nothing of the record' };
  while (!reader.isDone) {
    const tag = reader.tag();
    if (tag === 0x0a) result = { kind: 'records', records: [reader.view()] };
    else if (tag === 0x12) {
      reader.skipLast();
      result = { kind: 'records', records: [] };
    } else if (tag === 0x1a) result = { kind: 'refused', message: readRefusal(reader.nested()) };
    else if (tag === 0x22) result = { kind: 'records', records: recordsOfMessage(reader.view()) };
    else reader.skipLast();
  }
  return result;
}

/** Of { repeated Record records = 1 }. @throws ProtobufMalformed */
export function recordsOfMessage(message: Uint8Array): readonly Uint8Array[] {
  const records: Uint8Array[] = [];
  const reader = new ByteReader(message);
  while (!reader.isDone) {
    if (reader.tag() === 0x0a) records.push(reader.view());
    else reader.skipLast();
  }
  return records;
}

function readRefusal(reader: ByteReader): string {
  let message = '';
  while (!reader.isDone) {
    if (reader.tag() === 0x0a) message = readError(reader.nested());
    else reader.skipLast();
  }
  return message;
}

function readError(reader: ByteReader): string {
  let message = '';
  while (!reader.isDone) {
    if (reader.tag() === 0x12) message = reader.text();
    else reader.skipLast();
  }
  return message;
}
