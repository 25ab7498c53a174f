// Writing JavaScript source: statements in blocks, fresh local names, parameters of the factory, and what has been
// computed so far in the blocks that are open.
//
// No text of the user gets into the source: literals and functions become parameters (`p0`, `p1`, …) of the factory
// function, columns go by ordinal, locals are numbered. An `Operand` is a computed value: names of locals or
// parameters, so that it may be repeated freely. Used by the expression compiler's own files only.
import { assert } from '../../../runtime/assert.ts';
import { isNested, type SqlType } from '../../../runtime/batch/sql-type.ts';
import type { FailureSite } from './expression-library.ts';

/** How a value lies in locals: one, a slice of bytes, or the two words of a UUID. */
export type ValueCode =
  | { readonly form: 'plain'; readonly code: string }
  /** `plain` is set where the value is known as one local too (literals). */
  | {
      readonly form: 'slice';
      readonly bytes: string;
      readonly start: string;
      readonly end: string;
      readonly plain?: string;
    }
  | { readonly form: 'words'; readonly low: string; readonly high: string; readonly plain?: string };

/** A computed value. `isNull` is an atom or a disjunction of atoms; null: never NULL. A BOOLEAN that is NULL is `false`. */
export interface Operand {
  readonly type: SqlType;
  readonly isNull: string | null;
  readonly value: ValueCode;
}

export class CodeWriter {
  readonly parameters: unknown[] = [];
  readonly sites: FailureSite[] = [];
  /** Declarations of variables that keep their value from row to row of a batch. */
  readonly kept: string[] = [];
  readonly #parameterNames = new Map<unknown, string>();
  readonly #lines: string[] = [];
  readonly #scopes: Map<string, Operand>[] = [new Map()];
  #depth: number;
  #locals = 0;

  constructor(depth: number) {
    this.#depth = depth;
  }

  get text(): string {
    return this.#lines.join('\n');
  }

  line(text: string): void {
    this.#lines.push('  '.repeat(this.#depth) + text);
  }

  /** Opens a block; what is computed in it is forgotten at its end. */
  open(head: string): void {
    this.line(head === '' ? '{' : `${head} {`);
    this.#depth++;
    this.#scopes.push(new Map());
  }

  close(tail = ''): void {
    this.#depth--;
    this.#scopes.pop();
    assert(this.#scopes.length > 0, 'blocks of generated code are balanced');
    this.line(`}${tail}`);
  }

  local(prefix: string): string {
    // With an underscore, locals never collide with hoisted arrays (x3) or parameters (p3).
    return `${prefix}_${this.#locals++}`;
  }

  /** Declares a constant with the value of `expression` and returns its name. */
  define(prefix: string, expression: string): string {
    const name = this.local(prefix);
    this.line(`const ${name} = ${expression};`);
    return name;
  }

  /** Declares a variable and returns its name. */
  declare(prefix: string, initial: string): string {
    const name = this.local(prefix);
    this.line(`let ${name} = ${initial};`);
    return name;
  }

  /** Declares a variable that keeps its value from row to row of a batch and returns its name. */
  keep(prefix: string, initial: string): string {
    const name = this.local(prefix);
    this.kept.push(`let ${name} = ${initial};`);
    return name;
  }

  /** The name under which generated code sees `value`. */
  parameter(value: unknown): string {
    // 0 and -0 are one key of a Map but two values.
    const key = Object.is(value, -0) ? minusZero : value;
    const known = this.#parameterNames.get(key);
    if (known !== undefined) return known;
    const name = `p${this.parameters.length}`;
    this.parameters.push(value);
    this.#parameterNames.set(key, name);
    return name;
  }

  /** The number of an expression that can fail. */
  site(site: FailureSite): number {
    this.sites.push(site);
    return this.sites.length - 1;
  }

  remember(key: string, operand: Operand): void {
    this.#scopes.at(-1)?.set(key, operand);
  }

  recall(key: string): Operand | undefined {
    for (let i = this.#scopes.length - 1; i >= 0; i--) {
      const operand = this.#scopes[i]?.get(key);
      if (operand !== undefined) return operand;
    }
    return undefined;
  }
}

const minusZero: object = {};

/** Whether any of the operands is NULL: an atom, or null when none can be. */
export function anyNull(writer: CodeWriter, operands: readonly Operand[]): string | null {
  const atoms = [...new Set(operands.map((operand) => operand.isNull).filter((code) => code !== null))];
  if (atoms.length === 0) return null;
  if (atoms.includes('true')) return 'true';
  return atoms.length === 1 ? (atoms[0] ?? null) : writer.define('n', atoms.join(' || '));
}

/** The initial value of a local of this type. */
export function zeroOf(type: SqlType): string {
  switch (type.kind) {
    case 'BOOLEAN':
    case 'NULL':
      return 'false';
    case 'TINYINT':
    case 'SMALLINT':
    case 'INTEGER':
    case 'DATE':
    case 'INTERVAL_MONTHS':
    case 'REAL':
    case 'DOUBLE':
      return '0';
    case 'BIGINT':
    case 'TIME':
    case 'TIMESTAMP':
    case 'INTERVAL_MICROS':
    case 'DECIMAL':
      return '0n';
    case 'BINARY':
    case 'VARBINARY':
      return 'noBytes';
    default:
      return "''";
  }
}

/** What the locals of a NULL hold. */
export function nullValue(type: SqlType): ValueCode {
  if (isText(type)) return { form: 'slice', bytes: 'noBytes', start: '0', end: '0', plain: "''" };
  if (isBinary(type)) return { form: 'slice', bytes: 'noBytes', start: '0', end: '0', plain: 'noBytes' };
  if (type.kind === 'UUID') return { form: 'words', low: '0n', high: '0n', plain: "''" };
  return { form: 'plain', code: zeroOf(type) };
}

/** Computes a value from operands that are not NULL; NULL where any of them is. */
export function guarded(
  writer: CodeWriter,
  type: SqlType,
  operands: readonly Operand[],
  compute: () => string,
): Operand {
  const isNull = anyNull(writer, operands);
  if (isNull === null) return { type, isNull, value: { form: 'plain', code: writer.define('v', compute()) } };
  const name = writer.declare('v', zeroOf(type));
  if (isNull !== 'true') {
    writer.open(`if (!${isNull})`);
    writer.line(`${name} = ${compute()};`);
    writer.close();
  }
  return { type, isNull, value: { form: 'plain', code: name } };
}

/** The value as one JavaScript value (a string for text), made where it is not at hand. */
export function plainCode(writer: CodeWriter, operand: Operand): string {
  const value = operand.value;
  if (value.form === 'plain') return value.code;
  if (value.plain !== undefined) return value.plain;
  const made =
    value.form === 'words'
      ? `uuidText(${value.low}, ${value.high})`
      : isBinary(operand.type)
        ? `${value.bytes}.slice(${value.start}, ${value.end})`
        : `decodeText(${value.bytes}, ${value.start}, ${value.end})`;
  const key = `plain ${JSON.stringify(value)}`;
  const known = writer.recall(key);
  if (known !== undefined && known.value.form === 'plain') return known.value.code;
  const code = writer.define(
    't',
    operand.isNull === null ? made : `${operand.isNull} ? ${zeroOf(operand.type)} : ${made}`,
  );
  writer.remember(key, { type: operand.type, isNull: operand.isNull, value: { form: 'plain', code } });
  return code;
}

export function isText(type: SqlType): boolean {
  return type.kind === 'CHAR' || type.kind === 'VARCHAR' || type.kind === 'VARIANT' || isNested(type);
}

export function isBinary(type: SqlType): boolean {
  return type.kind === 'BINARY' || type.kind === 'VARBINARY';
}
