// Runs a parsed template over a value: Go's rules for fields, pipelines, scopes of variables, truth and loops.
//
// Failures name the place in the template. `and` and `or` evaluate no more than they need. Templates that call one another are bounded
// in depth, and the text that is made in length.

import { json } from './functions-encoding.ts';
import { versionMethod } from './functions-versions.ts';
import { printValue } from './go-print.ts';
import { durationText, formatTime } from './go-time.ts';
import {
  bytesOf,
  entryOf,
  GoDuration,
  GoOperation,
  GoTime,
  type GoValue,
  isList,
  isMap,
  isNil,
  isTextMap,
  isTrue,
  NamedBytes,
  Struct,
  sortedNames,
  textOfBytes,
  typeName,
} from './go-values.ts';
import { SemanticVersion } from './semantic-version.ts';
import { FunctionFailure, placeIn, TemplateFailed } from './template-errors.ts';
import { type FunctionHost, sizeMax, type TemplateFunction, textAt } from './template-function.ts';
import type { Command, Operand, ParsedTemplate, Pipe, TemplateNode } from './template-syntax.ts';

export interface Execution {
  readonly template: ParsedTemplate;
  readonly functions: ReadonlyMap<string, TemplateFunction>;
  readonly host: FunctionHost;
  /** A key that a map lacks is a failure (missingkey=error) instead of <no value>. */
  readonly missingKeyFails: boolean;
}

const depthMax = 500;

/** @throws TemplateFailed */
export function executeTemplate(execution: Execution, data: GoValue): string {
  const walk = new TemplateWalk(execution);
  walk.run(execution.template.body, data);
  return walk.printed();
}

interface Variable {
  readonly name: string;
  value: GoValue;
}

type Outcome = 'break' | 'continue' | null;

class TemplateWalk {
  readonly #execution: Execution;
  readonly #parts: string[] = [];
  #length = 0;
  #depth = 0;
  #variables: Variable[] = [];

  constructor(execution: Execution) {
    this.#execution = execution;
  }

  printed(): string {
    return this.#parts.join('');
  }

  run(nodes: readonly TemplateNode[], data: GoValue): void {
    const outer = this.#variables;
    this.#variables = [{ name: '$', value: data }];
    this.#walk(nodes, data);
    this.#variables = outer;
  }

  #walk(nodes: readonly TemplateNode[], dot: GoValue): Outcome {
    for (const node of nodes) {
      switch (node.kind) {
        case 'text':
          this.#print(node.text);
          break;
        case 'action': {
          const value = this.#pipe(node.pipe, dot);
          if (node.pipe.variables.length === 0) this.#print(printValue(value));
          break;
        }
        case 'template': {
          const body = this.#execution.template.definitions.get(node.name);
          if (body === undefined) throw this.#failure(node.offset, `template "${node.name}" is not defined`);
          if (++this.#depth > depthMax)
            throw this.#failure(node.offset, `more than ${depthMax} templates call one another`);
          this.run(body, node.pipe === null ? null : this.#pipe(node.pipe, dot));
          this.#depth--;
          break;
        }
        case 'break':
        case 'continue':
          return node.kind;
        default: {
          const outcome = this.#control(node, dot);
          if (outcome !== null) return outcome;
        }
      }
    }
    return null;
  }

  #control(node: Extract<TemplateNode, { kind: 'if' | 'with' | 'range' }>, dot: GoValue): Outcome {
    const scope = this.#variables.length;
    let outcome: Outcome = null;
    if (node.kind === 'range') outcome = this.#range(node, dot);
    else {
      const value = this.#pipe(node.pipe, dot);
      const inner = node.kind === 'with' ? value : dot;
      outcome = isTrue(value) ? this.#walk(node.body, inner) : this.#walk(node.otherwise, dot);
    }
    this.#variables.length = scope;
    return outcome;
  }

  #range(node: Extract<TemplateNode, { kind: 'if' | 'with' | 'range' }>, dot: GoValue): Outcome {
    const { pipe } = node;
    const value = this.#evaluate(pipe, dot);
    const entries = this.#entriesOf(value, pipe.offset);
    if (entries.length === 0) return this.#walk(node.otherwise, dot);
    const isCount = typeof value === 'bigint';
    const scope = this.#variables.length;
    const [first, second] = pipe.variables;
    for (const [key, item] of entries) {
      this.#variables.length = scope;
      if (first !== undefined) {
        const values = second === undefined ? [isCount ? key : item] : [key, item];
        for (const [i, one] of values.entries()) {
          if (pipe.assigns) this.#assign(pipe.variables[i] ?? '', one);
          else this.#variables.push({ name: pipe.variables[i] ?? '', value: one });
        }
      }
      const outcome = this.#walk(node.body, isCount ? key : item);
      if (outcome === 'break') break;
    }
    return null;
  }

  #entriesOf(value: GoValue, offset: number): readonly (readonly [GoValue, GoValue])[] {
    if (isNil(value)) return [];
    if (isList(value)) return value.map((item, i) => [BigInt(i), item]);
    if (isMap(value)) return sortedNames(value).map((name) => [name, value[name]]);
    if (typeof value === 'bigint') {
      if (value > BigInt(sizeMax)) throw this.#failure(offset, `range over ${value} is too long`);
      return Array.from({ length: Math.max(0, Number(value)) }, (_, i) => [BigInt(i), BigInt(i)]);
    }
    const bytes = bytesOf(value);
    if (bytes !== null) return Array.from(bytes, (byte, i) => [BigInt(i), BigInt(byte)]);
    throw this.#failure(offset, `range can't iterate over ${printValue(value)}`);
  }

  /** The value, with the variables declared or assigned. */
  #pipe(pipe: Pipe, dot: GoValue): GoValue {
    const value = this.#evaluate(pipe, dot);
    for (const name of pipe.variables) {
      if (pipe.assigns) this.#assign(name, value);
      else this.#variables.push({ name, value });
    }
    return value;
  }

  #evaluate(pipe: Pipe, dot: GoValue): GoValue {
    let value: GoValue;
    for (const [i, command] of pipe.commands.entries()) {
      value = this.#command(command, dot, i > 0, value);
    }
    return value;
  }

  #command(command: Command, dot: GoValue, hasFinal: boolean, final: GoValue): GoValue {
    const [head, ...rest] = command.operands;
    if (head === undefined) return undefined;
    if (head.kind === 'function') return this.#call(head, rest, dot, hasFinal, final);
    const isCall = rest.length > 0 || hasFinal;
    if (head.kind === 'nil') throw this.#failure(head.offset, 'nil is not a command');
    if (!isCall || head.kind === 'constant' || head.fields.length === 0) {
      if (isCall) throw this.#failure(head.offset, `can't give argument to non-function ${this.#textOf(head)}`);
      return this.#operand(head, dot);
    }
    const operands = rest.map((operand) => this.#operand(operand, dot));
    if (hasFinal) operands.push(final);
    const receiver = this.#operand({ ...head, fields: head.fields.slice(0, -1) }, dot);
    return this.#method(receiver, head.fields.at(-1) ?? '', operands, head.offset);
  }

  #call(
    head: Extract<Operand, { kind: 'function' }>,
    rest: readonly Operand[],
    dot: GoValue,
    hasFinal: boolean,
    final: GoValue,
  ): GoValue {
    const definition = this.#execution.functions.get(head.name);
    if (definition === undefined) throw this.#failure(head.offset, `there is no function "${head.name}"`);
    const count = rest.length + (hasFinal ? 1 : 0);
    if (count < definition.min || count > definition.max) {
      const want = definition.max === definition.min ? `${definition.min}` : `at least ${definition.min}`;
      throw this.#failure(head.offset, `wrong number of args for ${head.name}: want ${want} got ${count}`);
    }
    if (head.name === 'and' || head.name === 'or') {
      let value: GoValue;
      for (const operand of rest) {
        value = this.#operand(operand, dot);
        if (isTrue(value) === (head.name === 'or')) return value;
      }
      return hasFinal ? final : value;
    }
    const operands = rest.map((operand) => this.#operand(operand, dot));
    if (hasFinal) operands.push(final);
    try {
      return definition.call(operands, this.#execution.host);
    } catch (thrown) {
      if (!(thrown instanceof FunctionFailure)) throw thrown;
      throw this.#failure(head.offset, `error calling ${head.name}: ${thrown.message}`);
    }
  }

  #operand(operand: Operand, dot: GoValue): GoValue {
    switch (operand.kind) {
      case 'constant':
        return operand.value;
      case 'nil':
        return null;
      case 'dot':
        return this.#fields(dot, operand.fields, operand.offset);
      case 'variable': {
        const found = this.#variables.findLast(({ name }) => name === operand.name);
        return this.#fields(found?.value, operand.fields, operand.offset);
      }
      case 'pipe':
        return this.#fields(this.#pipe(operand.pipe, dot), operand.fields, operand.offset);
      case 'function':
        return this.#call(operand, [], dot, false, undefined);
    }
  }

  #fields(start: GoValue, names: readonly string[], offset: number): GoValue {
    let value = start;
    for (const name of names) value = this.#field(value, name, offset);
    return value;
  }

  #field(receiver: GoValue, name: string, offset: number): GoValue {
    if (isMap(receiver)) {
      if (Object.hasOwn(receiver, name)) return entryOf(receiver, name);
      const method = methodOf(receiver, name);
      if (method !== null) return method([]);
      if (this.#execution.missingKeyFails) throw this.#failure(offset, `map has no entry for key "${name}"`);
      return undefined;
    }
    if (receiver instanceof Struct && receiver.fieldNames.includes(name)) return receiver.field(name);
    if (receiver === undefined && !this.#execution.missingKeyFails) return undefined;
    return this.#method(receiver, name, [], offset);
  }

  #method(receiver: GoValue, name: string, operands: readonly GoValue[], offset: number): GoValue {
    if (isNil(receiver)) throw this.#failure(offset, `nil data; no entry for key "${name}"`);
    const method = methodOf(receiver, name);
    if (method === null) {
      const what =
        operands.length > 0
          ? `${name} is not a method but has arguments`
          : `can't evaluate field ${name} in type ${typeName(receiver)}`;
      throw this.#failure(offset, what);
    }
    try {
      return method(operands);
    } catch (thrown) {
      if (!(thrown instanceof FunctionFailure)) throw thrown;
      throw this.#failure(offset, `error calling ${name}: ${thrown.message}`);
    }
  }

  #assign(name: string, value: GoValue): void {
    const found = this.#variables.findLast((variable) => variable.name === name);
    if (found !== undefined) found.value = value;
  }

  #print(text: string): void {
    this.#length += text.length;
    if (this.#length > sizeMax) throw this.#failure(0, `the template makes more than ${sizeMax} characters`);
    this.#parts.push(text);
  }

  #textOf(operand: Operand): string {
    const { text } = this.#execution.template;
    return /^\S+/.exec(text.slice(operand.offset))?.[0] ?? '';
  }

  #failure(offset: number, detail: string): Error {
    return new TemplateFailed({ detail }, { place: placeIn(this.#execution.template.text, offset) });
  }
}

type Method = (operands: readonly GoValue[]) => GoValue;

const metadataGetters: Readonly<Record<string, string>> = {
  GetOpenCDCVersion: 'opencdc.version',
  GetCollection: 'opencdc.collection',
  GetKeySchemaSubject: 'opencdc.key.schema.subject',
  GetPayloadSchemaSubject: 'opencdc.payload.schema.subject',
  GetConduitSourcePluginName: 'conduit.source.plugin.name',
  GetConduitSourceConnectorID: 'conduit.source.connector.id',
};

/** The methods that values of a record have in Go. */
function methodOf(receiver: GoValue, name: string): Method | null {
  if (receiver instanceof NamedBytes) {
    if (name === 'Bytes' && receiver.type === 'opencdc.RawData') return () => receiver.bytes;
    return name === 'String' && receiver.type === 'opencdc.Position' ? () => textOfBytes(receiver.bytes) : null;
  }
  if (receiver instanceof GoOperation) return name === 'String' ? () => receiver.name : null;
  if (receiver instanceof GoDuration) {
    if (name === 'String') return () => durationText(receiver);
    if (name === 'Seconds') return () => Number(receiver.nanoseconds) / 1e9;
    return name === 'Milliseconds' ? () => receiver.nanoseconds / 1_000_000n : null;
  }
  if (receiver instanceof GoTime) return timeMethod(receiver, name);
  if (receiver instanceof SemanticVersion) return versionMethod(receiver, name);
  if (receiver instanceof Struct) return name === 'Bytes' ? () => Buffer.from(json(receiver)) : null;
  if (!isMap(receiver)) return null;
  if (!isTextMap(receiver)) return name === 'Bytes' ? () => Buffer.from(json(receiver)) : null;
  const times = /^Get(ReadAt|CreatedAt)$/.exec(name);
  const key = times === null ? metadataGetters[name] : `opencdc.${times[1] === 'ReadAt' ? 'readAt' : 'createdAt'}`;
  if (key === undefined) return null;
  return () => {
    const value = entryOf(receiver, key);
    if (typeof value !== 'string' || value === '')
      throw new FunctionFailure(`failed to get value for "${key}": metadata field not found`);
    if (times === null) return value;
    if (!/^-?\d+$/.test(value)) throw new FunctionFailure(`failed to parse "${key}"`);
    return new GoTime(BigInt(value));
  };
}

function timeMethod(time: GoTime, name: string): Method | null {
  const inZone = new GoTime(time.nanoseconds, 'UTC');
  switch (name) {
    case 'Format':
      return (operands) => formatTime(time, textAt(operands, 0));
    case 'String':
      return () => printValue(time);
    case 'UTC':
      return () => inZone;
    case 'Unix':
      return () => time.nanoseconds / 1_000_000_000n;
    case 'UnixMilli':
      return () => time.nanoseconds / 1_000_000n;
    case 'UnixMicro':
      return () => time.nanoseconds / 1000n;
    case 'UnixNano':
      return () => time.nanoseconds;
    case 'Year':
      return () => BigInt(formatTime(time, '2006'));
    case 'Day':
      return () => BigInt(formatTime(time, '2'));
    case 'Hour':
      return () => BigInt(formatTime(time, '15'));
    default:
      return null;
  }
}
