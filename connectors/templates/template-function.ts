// A function that templates may call, and how its operands are read. What it throws is a FunctionFailure; the caller adds the place.
import type { Clock } from '../../runtime/clock.ts';
import { type GoList, type GoMap, type GoValue, isList, isMap, isNil, NamedBytes, typeName } from './go-values.ts';
import { FunctionFailure } from './template-errors.ts';

export interface FunctionHost {
  readonly clock: Clock;
}

export interface TemplateFunction {
  readonly min: number;
  readonly max: number;
  readonly call: (operands: readonly GoValue[], host: FunctionHost) => GoValue;
}

export type FunctionTable = Readonly<Record<string, TemplateFunction>>;

/** With `min` operands, or up to `max`. */
export function fn(min: number, call: TemplateFunction['call'], max: number = min): TemplateFunction {
  return { min, max, call };
}

export const many: number = Number.POSITIVE_INFINITY;

/** Bound of what a function may make, in characters or in elements. */
export const sizeMax: number = 16 * 1024 * 1024;

/** A parameter of the type string. */
export function textAt(operands: readonly GoValue[], i: number): string {
  const value = operands[i];
  if (typeof value === 'string') return value;
  throw wrongType('string', value);
}

/** A parameter of the type int. */
export function integerAt(operands: readonly GoValue[], i: number): number {
  const value = operands[i];
  if (typeof value === 'bigint' && BigInt(Number(value)) === value) return Number(value);
  throw wrongType('int', value);
}

export function listAt(operands: readonly GoValue[], i: number): GoList {
  const value = operands[i];
  if (isList(value)) return value;
  if (value instanceof Uint8Array) return [...value].map(BigInt);
  if (value instanceof NamedBytes) return [...value.bytes].map(BigInt);
  throw new FunctionFailure(isNil(value) ? 'the list is nil' : `no list but ${typeName(value)}`);
}

export function mapAt(operands: readonly GoValue[], i: number): GoMap {
  const value = operands[i];
  if (isMap(value)) return value;
  throw wrongType('map[string]interface {}', value);
}

function wrongType(expected: string, value: GoValue): FunctionFailure {
  if (isNil(value)) return new FunctionFailure(`invalid value; expected ${expected}`);
  return new FunctionFailure(`wrong type for value; expected ${expected}; got ${typeName(value)}`);
}
