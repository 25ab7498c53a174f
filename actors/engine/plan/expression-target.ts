// The locals of a value that several branches of generated code assign to, as CASE does.
//
// `raw` targets hold bytes or words, so that choosing between columns and literals makes no strings.
import { assert } from '../../../runtime/assert.ts';
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import { type CodeWriter, type Operand, plainCode, type ValueCode, zeroOf } from './expression-code.ts';

/** Locals that several branches assign to. */
export class Target {
  readonly #writer: CodeWriter;
  readonly #type: SqlType;
  readonly #value: ValueCode;
  readonly #isNull: string;
  #sawNull = false;

  constructor(writer: CodeWriter, type: SqlType, raw: boolean) {
    this.#writer = writer;
    this.#type = type;
    this.#isNull = writer.declare('n', 'false');
    if (!raw) {
      this.#value = { form: 'plain', code: writer.declare('v', zeroOf(type)) };
    } else if (type.kind === 'UUID') {
      this.#value = { form: 'words', low: writer.declare('l', '0n'), high: writer.declare('h', '0n') };
    } else {
      const bytes = writer.declare('b', 'noBytes');
      this.#value = { form: 'slice', bytes, start: writer.declare('s', '0'), end: writer.declare('e', '0') };
    }
  }

  assign(operand: Operand): void {
    const writer = this.#writer;
    const target = this.#value;
    if (operand.isNull !== null) {
      this.#sawNull = true;
      writer.line(`${this.#isNull} = ${operand.isNull};`);
      if (operand.isNull === 'true') return;
    }
    const value = operand.value;
    if (target.form === 'slice') {
      assert(value.form === 'slice', 'every branch is at hand as bytes');
      writer.line(`${target.bytes} = ${value.bytes}; ${target.start} = ${value.start}; ${target.end} = ${value.end};`);
    } else if (target.form === 'words') {
      assert(value.form === 'words', 'every branch is at hand as words');
      writer.line(`${target.low} = ${value.low}; ${target.high} = ${value.high};`);
    } else {
      writer.line(`${target.code} = ${plainCode(writer, operand)};`);
    }
  }

  operand(): Operand {
    return { type: this.#type, isNull: this.#sawNull ? this.#isNull : null, value: this.#value };
  }
}
