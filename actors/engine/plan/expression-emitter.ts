// From a bound scalar to source: one method per kind of node.
//
// NULL is static: an operand whose `isNull` is null can never be NULL and costs nothing. Operands of strict operators are
// computed first, the operator itself only where none of them is NULL, so values under a NULL are never computed with.
// AND, OR and CASE are evaluated from left to right and stop early: what stands behind the deciding operand cannot fail.
// Equal subexpressions are computed once within a block and the blocks inside it.
//
// Column layouts decide the source: a program is emitted once for each combination that occurs (`ColumnShape`). For a
// `memo` column, whatever depends on that column alone is computed once for each entry of its dictionary, on demand; slot
// 0 of a memo stands for NULL, slot code + 1 for an entry.
import { assert, unreachable } from '../../../runtime/assert.ts';
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import type {
  CaseExpression,
  CastExpression,
  ColumnReference,
  FunctionCall,
  InList,
  Literal,
  OperatorCall,
  Scalar,
} from '../sql/bound.ts';
import { resolveFunction } from '../sql/functions.ts';
import type { ScalarValue } from '../sql/scalar-value.ts';
import { makeCaster } from './cast-table.ts';
import { arithmeticChain } from './expression-arithmetic.ts';
import { castCode } from './expression-cast.ts';
import {
  anyNull,
  type CodeWriter,
  guarded,
  isBinary,
  isText,
  type Operand,
  plainCode,
  zeroOf,
} from './expression-code.ts';
import { type Comparison, comparisonCode } from './expression-comparison.ts';
import { type ColumnShape, columnOperand, literalOperand } from './expression-leaf.ts';
import { arrayText, BytesSet, elementCells } from './expression-library.ts';
import { conjunction, disjunction, type OperandSource } from './expression-logic.ts';
import { columnsOf, isRaw, scalarKey } from './expression-shape.ts';
import { Target } from './expression-target.ts';
import { temporalCode } from './expression-temporal.ts';
import { textCode } from './expression-text.ts';

/** Where results of one subexpression are kept for each entry of a dictionary. */
export interface MemoPlan {
  readonly ordinal: number;
  readonly type: SqlType;
}

/** The most members of an IN list that are compared one by one. */
const inListChainMax = 4;

export class ExpressionEmitter {
  readonly writer: CodeWriter;
  readonly memos: MemoPlan[] = [];
  /** Ordinals of the columns that the code reads. */
  readonly used: Set<number> = new Set();
  readonly #shapes: readonly ColumnShape[];
  readonly #fold: (scalar: Scalar) => Literal | null;
  readonly #source: OperandSource;
  #insideMemo = false;
  /** Inside of a lambda: what its columns stand for, and what tells its expressions from those of the row. */
  #lambda: { readonly columns: readonly Operand[]; readonly name: string } | null = null;

  constructor(
    writer: CodeWriter,
    shapes: readonly ColumnShape[],
    /** The value of a scalar that reads no column, or null when computing it fails. */
    fold: (scalar: Scalar) => Literal | null,
  ) {
    this.writer = writer;
    this.#shapes = shapes;
    this.#fold = fold;
    this.#source = {
      writer,
      emit: (scalar) => this.emit(scalar),
      mayBeNull: (scalar) => this.#mayBeNull(scalar),
    };
  }

  /** Writes the statements that compute `scalar` for the current row. */
  emit(scalar: Scalar): Operand {
    const key = (this.#lambda?.name ?? '') + scalarKey(scalar);
    const known = this.writer.recall(key);
    if (known !== undefined) return known;
    const operand = this.#emitNew(scalar);
    this.writer.remember(key, operand);
    return operand;
  }

  #emitNew(scalar: Scalar): Operand {
    if (scalar.kind === 'literal') return literalOperand(this.writer, scalar);
    if (scalar.kind === 'column' && this.#lambda !== null) {
      const operand = this.#lambda.columns[scalar.ordinal];
      assert(operand !== undefined, 'a lambda reads its element and what it has captured');
      return operand;
    }
    if (scalar.kind === 'column') {
      this.used.add(scalar.ordinal);
      return columnOperand(this.writer, this.#shapes, scalar);
    }
    const columns = columnsOf(scalar);
    if (columns.length === 0) {
      const literal = this.#fold(scalar);
      if (literal !== null) return literalOperand(this.writer, literal);
    }
    const only = columns.length === 1 ? columns[0] : undefined;
    if (
      only !== undefined &&
      !this.#insideMemo &&
      this.#lambda === null &&
      this.#shapes[only]?.layout === 'memo' &&
      isWorthMemo(scalar)
    ) {
      return this.#memo(scalar, only);
    }
    return this.#compute(scalar);
  }

  #compute(scalar: Exclude<Scalar, Literal | ColumnReference>): Operand {
    switch (scalar.kind) {
      case 'operator':
        return this.#operator(scalar);
      case 'function':
        return this.#function(scalar);
      case 'case':
        return this.#case(scalar);
      case 'cast':
        return this.#cast(scalar);
      case 'in list':
        return this.#inList(scalar);
      default:
        return unreachable(scalar);
    }
  }

  #operator(call: OperatorCall): Operand {
    const type = call.type;
    switch (call.operator) {
      case '+':
      case '-':
      case '*':
      case '/':
      case '%':
      case 'negate': {
        const operands = call.operands.map((operand) => this.emit(operand));
        return guarded(this.writer, type, operands, () =>
          arithmeticChain(
            this.writer,
            call,
            operands.map((operand) => plainCode(this.writer, operand)),
          ),
        );
      }
      case '=':
      case '<>':
      case '<':
      case '<=':
      case '>':
      case '>=':
        return this.#comparison(call.operator, call);
      case 'is distinct from':
      case 'is not distinct from':
        return this.#distinction(call);
      case 'and':
        return conjunction(this.#source, call);
      case 'or':
        return disjunction(this.#source, call);
      case 'not': {
        const { isNull, value } = this.#one(call);
        const code = plainCode(this.writer, { type, isNull, value });
        return this.#boolean(isNull === null ? `!${code}` : `!${code} && !${isNull}`, isNull);
      }
      case 'is null':
        return this.#boolean(this.#one(call).isNull ?? 'false', null);
      case 'is not null': {
        const isNull = this.#one(call).isNull;
        return this.#boolean(isNull === null ? 'true' : `!${isNull}`, null);
      }
      case 'is true':
        return this.#boolean(plainCode(this.writer, this.#one(call)), null);
      case 'is not true':
        return this.#boolean(`!${plainCode(this.writer, this.#one(call))}`, null);
      case 'is false':
      case 'is not false': {
        const operand = this.#one(call);
        const code = plainCode(this.writer, operand);
        const isFalse = operand.isNull === null ? `!${code}` : `!${code} && !${operand.isNull}`;
        return this.#boolean(call.operator === 'is false' ? isFalse : `!(${isFalse})`, null);
      }
      default:
        return unreachable(call.operator);
    }
  }

  #one(call: OperatorCall): Operand {
    const operand = call.operands[0];
    assert(operand !== undefined && call.operands.length === 1, `${call.operator} takes one operand`);
    return this.emit(operand);
  }

  #two(call: OperatorCall): readonly [Operand, Operand] {
    const [left, right] = call.operands;
    assert(
      left !== undefined && right !== undefined && call.operands.length === 2,
      `${call.operator} takes two operands`,
    );
    return [this.emit(left), this.emit(right)];
  }

  #boolean(code: string, isNull: string | null): Operand {
    return { type: { kind: 'BOOLEAN' }, isNull, value: { form: 'plain', code: this.writer.define('v', code) } };
  }

  #comparison(comparison: Comparison, call: OperatorCall): Operand {
    const [left, right] = this.#two(call);
    return guarded(this.writer, call.type, [left, right], () => comparisonCode(this.writer, comparison, left, right));
  }

  #distinction(call: OperatorCall): Operand {
    const [left, right] = this.#two(call);
    const distinct = call.operator === 'is distinct from';
    const equal = guarded(this.writer, call.type, [left, right], () => comparisonCode(this.writer, '=', left, right));
    const code = plainCode(this.writer, equal);
    // Where both are NULL they are the same; `equal` is false where any is NULL.
    const bothNull = left.isNull === null || right.isNull === null ? null : `${left.isNull} && ${right.isNull}`;
    const same = bothNull === null ? code : `${code} || (${bothNull})`;
    return this.#boolean(distinct ? `!(${same})` : same, null);
  }

  /** Whether the value can be NULL on the batches of this variant. Errs on the side of yes. */
  #mayBeNull(scalar: Scalar): boolean {
    if (scalar.kind === 'column') return this.#lambda !== null || (this.#shapes[scalar.ordinal]?.nullable ?? true);
    if (scalar.kind === 'literal') return scalar.value === null;
    if (scalar.kind === 'operator') {
      if (scalar.operator.startsWith('is ')) return false;
      return scalar.operands.some((operand) => this.#mayBeNull(operand));
    }
    // Cast, CASE, functions and IN: what decides is found only while emitting them.
    return true;
  }

  #case(scalar: CaseExpression): Operand {
    const writer = this.writer;
    const target = new Target(writer, scalar.type, isRaw(scalar) && this.#lambda === null);
    const label = writer.local('L');
    if (scalar.branches[0] !== undefined) this.emit(scalar.branches[0].when);
    writer.open(`${label}:`);
    for (const branch of scalar.branches) {
      const when = this.emit(branch.when);
      writer.open(`if (${plainCode(writer, when)})`);
      target.assign(this.emit(branch.then));
      writer.line(`break ${label};`);
      writer.close();
    }
    target.assign(this.emit(scalar.otherwise));
    writer.close();
    return target.operand();
  }

  #cast(scalar: CastExpression): Operand {
    const operand = this.emit(scalar.operand);
    const inlined = castCode(this.writer, scalar, operand);
    if (inlined !== null) return inlined;
    const caster = this.writer.parameter(makeCaster(scalar.operand.type, scalar.type, scalar.safe));
    const mayGiveNull = scalar.safe || scalar.operand.type.kind === 'VARIANT';
    return this.#call(scalar, [operand], mayGiveNull, (codes) => `${caster}(${codes.join(', ')})`);
  }

  #function(scalar: FunctionCall): Operand {
    if (scalar.lambda !== undefined) return this.#lambdaCall(scalar, scalar.lambda);
    // Operands that amount to literals are made literals, for the patterns and units that a function prepares once.
    const folded = scalar.operands.map(
      (operand) => (columnsOf(operand).length === 0 ? this.#fold(operand) : null) ?? operand,
    );
    const call = { ...scalar, operands: folded };
    const temporal = temporalCode(call);
    const argument = temporal === null ? undefined : folded[temporal.operand];
    if (temporal !== null && argument !== undefined) {
      const operand = this.emit(argument);
      return guarded(this.writer, scalar.type, [operand], () =>
        temporal.code(this.writer, plainCode(this.writer, operand)),
      );
    }
    const operands = folded.map((operand) => this.emit(operand));
    const edited = textCode(this.writer, call, operands);
    if (edited !== null) return edited;
    const resolved = resolveFunction(call);
    const evaluate = this.writer.parameter(resolved.evaluate);
    if (resolved.strict) {
      return this.#call(scalar, operands, resolved.nullable, (codes) => `${evaluate}(${codes.join(', ')})`);
    }
    const writer = this.writer;
    const given = operands.map((operand) => {
      const code = plainCode(writer, operand);
      return operand.isNull === null ? code : `${operand.isNull} ? null : ${code}`;
    });
    const site = writer.site(scalar);
    writer.line(`site = ${site};`);
    const result = writer.define('r', `${evaluate}(${given.join(', ')})`);
    return this.#fromScalarValue(scalar.type, result);
  }

  /** A loop over the elements of an array, in which the body is computed. */
  #lambdaCall(call: FunctionCall, body: Scalar): Operand {
    const writer = this.writer;
    const [array, ...captured] = call.operands.map((operand) => this.emit(operand));
    const element = call.operands[0]?.type;
    assert(array !== undefined && element?.kind === 'ARRAY', 'a lambda goes over an array');
    const isExists = call.type.kind === 'BOOLEAN';
    const isNull = writer.declare('n', array.isNull ?? 'false');
    const value = writer.declare('v', zeroOf(call.type));
    writer.open(`if (!${isNull})`);
    const parts = writer.declare('a', '[]');
    const cells = writer.parameter((text: string) => elementCells(text, element.element));
    const cell = writer.local('c');
    writer.open(`for (const ${cell} of ${cells}(${plainCode(writer, array)}))`);
    const elementNull = writer.define('n', `${cell} === null`);
    const code = writer.define('v', `${elementNull} ? ${zeroOf(element.element)} : ${cell}`);
    const item: Operand = { type: element.element, isNull: elementNull, value: { form: 'plain', code } };
    const outside = this.#lambda;
    this.#lambda = { columns: [item, ...captured], name: `${outside?.name ?? ''}${cell}:` };
    const result = this.emit(body);
    this.#lambda = outside;
    const plain = plainCode(writer, result);
    if (isExists) {
      if (result.isNull !== null) writer.line(`if (${result.isNull}) { ${isNull} = true; continue; }`);
      writer.line(`if (${plain}) { ${value} = true; break; }`);
    } else {
      writer.line(`${parts}.push(${result.isNull === null ? plain : `${result.isNull} ? null : ${plain}`});`);
    }
    writer.close();
    if (isExists) writer.line(`if (${value}) ${isNull} = false;`);
    else {
      const spelled = writer.parameter((values: readonly ScalarValue[]) => arrayText(values, body.type));
      writer.line(`${value} = ${spelled}(${parts});`);
    }
    writer.close();
    return { type: call.type, isNull, value: { form: 'plain', code: value } };
  }

  #fromScalarValue(type: SqlType, result: string): Operand {
    const isNull = this.writer.define('n', `${result} === null`);
    const code = this.writer.define('v', `${isNull} ? ${zeroOf(type)} : ${result}`);
    return { type, isNull, value: { form: 'plain', code } };
  }

  /** A strict call that may fail, and may give NULL by itself when `nullable`. */
  #call(
    scalar: FunctionCall | CastExpression,
    operands: readonly Operand[],
    nullable: boolean,
    call: (codes: readonly string[]) => string,
  ): Operand {
    const writer = this.writer;
    const site = writer.site(scalar);
    const anyOperandNull = anyNull(writer, operands);
    const isNull = nullable ? writer.declare('n', anyOperandNull ?? 'false') : anyOperandNull;
    const value = writer.declare('v', zeroOf(scalar.type));
    if (anyOperandNull !== null) writer.open(`if (!${anyOperandNull})`);
    else writer.open('');
    const codes = operands.map((operand) => plainCode(writer, operand));
    writer.line(`site = ${site};`);
    if (nullable) {
      const result = writer.define('r', call(codes));
      writer.line(`if (${result} === null) ${isNull} = true; else ${value} = ${result};`);
    } else {
      writer.line(`${value} = ${call(codes)};`);
    }
    writer.close();
    return { type: scalar.type, isNull, value: { form: 'plain', code: value } };
  }

  #inList(scalar: InList): Operand {
    const writer = this.writer;
    const operand = this.emit(scalar.operand);
    const members = scalar.values.filter((value) => value !== null);
    const found = guarded(writer, scalar.type, [operand], () => this.#membership(operand, members));
    if (members.length === scalar.values.length) return found;
    // A NULL in the list leaves it open whether a value that was not found is in it.
    const code = plainCode(writer, found);
    return { ...found, isNull: writer.define('n', `!${code}`) };
  }

  #membership(operand: Operand, members: readonly ScalarValue[]): string {
    const writer = this.writer;
    if (members.length <= inListChainMax || operand.value.form === 'words') {
      const literals = members.map((value) => this.#member(operand.type, value));
      return literals.map((literal) => comparisonCode(writer, '=', operand, literal)).join(' || ') || 'false';
    }
    if (isText(operand.type) || isBinary(operand.type)) {
      if (operand.value.form === 'slice') {
        const encoder = new TextEncoder();
        const entries = members.map((value) => (value instanceof Uint8Array ? value : encoder.encode(String(value))));
        const set = writer.parameter(new BytesSet(entries));
        return `${set}.has(${operand.value.bytes}, ${operand.value.start}, ${operand.value.end})`;
      }
      if (isBinary(operand.type)) {
        const set = writer.parameter(new BytesSet(members.filter((value) => value instanceof Uint8Array)));
        const code = plainCode(writer, operand);
        return `${set}.has(${code}, 0, ${code}.length)`;
      }
    }
    // A Set tells values apart as SQL does: NaN is in it when NaN is listed, -0 is 0.
    return `${writer.parameter(new Set(members))}.has(${plainCode(writer, operand)})`;
  }

  #member(type: SqlType, value: ScalarValue): Operand {
    return literalOperand(this.writer, {
      kind: 'literal',
      type,
      value,
      nullable: false,
      source: { place: {}, text: '' },
    });
  }

  #memo(scalar: Exclude<Scalar, Literal | ColumnReference>, ordinal: number): Operand {
    const writer = this.writer;
    const { type } = scalar;
    this.used.add(ordinal);
    const memo = this.memos.push({ ordinal, type }) - 1;
    const nullable = this.#shapes[ordinal]?.nullable ?? true;
    const code = nullable
      ? `((u${ordinal}[i >> 3] & (1 << (i & 7))) === 0 ? 0 : d${ordinal}[i] + 1)`
      : `d${ordinal}[i] + 1`;
    const slot = writer.define('m', code);
    const state = writer.declare('t', `ms${memo}[${slot}]`);
    writer.open(`if (${state} === 0)`);
    this.#insideMemo = true;
    const operand = this.#compute(scalar);
    this.#insideMemo = false;
    const plain = plainCode(writer, operand);
    const isBoolean = type.kind === 'BOOLEAN';
    const present = isBoolean ? `${plain} ? 3 : 2` : '2';
    writer.line(`${state} = ${operand.isNull === null ? present : `${operand.isNull} ? 1 : ${present}`};`);
    if (!isBoolean) writer.line(`mv${memo}[${slot}] = ${plain};`);
    writer.line(`ms${memo}[${slot}] = ${state};`);
    writer.close();
    const isNull = operand.isNull === null ? null : writer.define('n', `${state} === 1`);
    const value = writer.define('v', isBoolean ? `${state} === 3` : `mv${memo}[${slot}]`);
    return { type, isNull, value: { form: 'plain', code: value } };
  }
}

/** Not what is read from a bitmap faster than from a memo, nor what is the column's own bytes or chosen from bytes. */
function isWorthMemo(scalar: Scalar): boolean {
  if (isRaw(scalar)) return false;
  if (scalar.kind !== 'operator') return true;
  return (scalar.operator !== 'is null' && scalar.operator !== 'is not null') || scalar.operands[0]?.kind !== 'column';
}
