// Source of a whole row program: the loop, the predicate, the outputs, for one combination of column layouts.
//
// The generated function works on a `Frame`. Arrays are hoisted into locals by ordinal:
//   c fixed values   b bytes   x offsets   d dictionary codes   u validity          of input columns
//   o values   w validity   z text sink                                            of outputs
//   ms mv states and values of memos   selection   p parameters
// It runs rows frame.row .. frame.rows and writes results from position frame.out on. An exception ends the loop: the frame
// then says at which row and in which expression; the driver decides whether to go on behind that row.
// Only code is made here; it is compiled and driven by expression-compiler.ts.
import { type SqlType, storageOf } from '../../../runtime/batch/sql-type.ts';
import type { Literal, Scalar } from '../sql/bound.ts';
import { CodeWriter, type Operand, plainCode } from './expression-code.ts';
import { ExpressionEmitter, type MemoPlan } from './expression-emitter.ts';
import type { ColumnShape } from './expression-leaf.ts';
import type { FailureSite } from './expression-library.ts';
import { flattened } from './expression-logic.ts';

/** Where a column of the result comes from. */
export type OutputPlan =
  | { readonly kind: 'column'; readonly ordinal: number }
  | { readonly kind: 'constant'; readonly literal: Literal }
  /** `slot` numbers the computed outputs. */
  | { readonly kind: 'computed'; readonly scalar: Scalar; readonly slot: number; readonly type: SqlType };

export interface ProgramSource {
  readonly text: string;
  readonly parameters: readonly unknown[];
  readonly sites: readonly FailureSite[];
  readonly memos: readonly MemoPlan[];
  /** Whether each computed output can be NULL, by slot. */
  readonly nullableSlots: readonly boolean[];
}

export function emitProgram(options: {
  readonly shapes: readonly ColumnShape[];
  readonly predicate: Scalar | null;
  readonly outputs: readonly OutputPlan[];
  readonly fold: (scalar: Scalar) => Literal | null;
}): ProgramSource {
  const writer = new CodeWriter(3);
  const emitter = new ExpressionEmitter(writer, options.shapes, options.fold);
  for (const conjunct of conjunctsOf(options.predicate)) {
    writer.line(`if (!${plainCode(writer, emitter.emit(conjunct))}) continue;`);
  }
  const computed = options.outputs.filter((output) => output.kind === 'computed');
  // Every output is computed before any is written, so a row that fails leaves nothing behind but text.
  const operands = computed.map((output) => emitter.emit(output.scalar));
  computed.forEach((output, slot) => {
    const operand = operands[slot];
    if (operand !== undefined) writeOutput(writer, slot, output.type, operand);
  });
  const nullableSlots = operands.map((operand) => operand.isNull !== null);
  const { parameters, sites } = writer;
  const head = [
    ...parameters.map((_, i) => `const p${i} = p[${i}];`),
    'return function rowProgram(f) {',
    '  const rows = f.rows, selection = f.selection;',
    ...[...emitter.used].sort((a, b) => a - b).flatMap((ordinal) => hoistColumn(ordinal, options.shapes[ordinal])),
    ...computed.flatMap((output, slot) => hoistOutput(slot, output.type, nullableSlots[slot] ?? false)),
    ...emitter.memos.map((_, i) => `  const ms${i} = f.memos[${i}].states, mv${i} = f.memos[${i}].values;`),
    ...writer.kept.map((line) => `  ${line}`),
    '  let i = f.row, o = f.out, site = -1;',
    '  try {',
    '    for (; i < rows; i++) {',
  ];
  const tail = [
    '      selection[o++] = i;',
    '    }',
    '  } catch (error) {',
    '    f.failed = true; f.error = error; f.site = site;',
    '  }',
    '  f.row = i; f.out = o;',
    '};',
  ];
  const text = [...head, writer.text, ...tail].filter((line) => line !== '').join('\n');
  return { text, parameters, sites, memos: emitter.memos, nullableSlots };
}

/** The operands of a top-level AND. A row passes when each of them is true, so each alone may reject it. */
function conjunctsOf(predicate: Scalar | null): readonly Scalar[] {
  if (predicate === null) return [];
  return predicate.kind === 'operator' && predicate.operator === 'and' ? flattened(predicate) : [predicate];
}

function hoistColumn(ordinal: number, shape: ColumnShape | undefined): readonly string[] {
  const column = `f.columns[${ordinal}]`;
  const lines: string[] = [];
  if (shape?.nullable) lines.push(`  const u${ordinal} = ${column}.validity;`);
  if (shape?.layout === 'fixed') lines.push(`  const c${ordinal} = ${column}.values;`);
  if (shape?.layout === 'bytes') lines.push(`  const b${ordinal} = ${column}.bytes, x${ordinal} = ${column}.offsets;`);
  if (shape?.layout === 'dictionary' || shape?.layout === 'memo') {
    lines.push(`  const d${ordinal} = ${column}.codes, b${ordinal} = ${column}.dictionary.bytes;`);
    lines.push(`  const x${ordinal} = ${column}.dictionary.offsets;`);
  }
  return lines;
}

function hoistOutput(slot: number, type: SqlType, nullable: boolean): readonly string[] {
  const target =
    storageOf(type) === 'bytes' ? `z${slot} = f.outputs[${slot}].sink` : `o${slot} = f.outputs[${slot}].values`;
  const lines = [`  const ${target};`];
  if (nullable) lines.push(`  const w${slot} = f.outputs[${slot}].validity;`);
  return lines;
}

function writeOutput(writer: CodeWriter, slot: number, type: SqlType, operand: Operand): void {
  const storage = storageOf(type);
  const isBytes = storage === 'bytes';
  if (operand.isNull !== null) {
    const none = isBytes ? ` z${slot}.none(o);` : '';
    writer.line(`if (${operand.isNull}) { w${slot}[o >> 3] &= ~(1 << (o & 7));${none} }`);
    if (operand.isNull === 'true') return;
    writer.open('else');
  }
  const value = operand.value;
  if (isBytes) {
    if (value.form === 'slice') writer.line(`z${slot}.slice(${value.bytes}, ${value.start}, ${value.end}, o);`);
    else {
      const code = plainCode(writer, operand);
      const isBinary = type.kind === 'BINARY' || type.kind === 'VARBINARY';
      writer.line(isBinary ? `z${slot}.slice(${code}, 0, ${code}.length, o);` : `z${slot}.text(${code}, o);`);
    }
  } else if (storage === 'i128') {
    writeWide(writer, slot, type, operand);
  } else if (storage === 'bool') {
    writer.line(`o${slot}[o] = ${plainCode(writer, operand)} ? 1 : 0;`);
  } else {
    writer.line(`o${slot}[o] = ${plainCode(writer, operand)};`);
  }
  if (operand.isNull !== null) writer.close();
}

function writeWide(writer: CodeWriter, slot: number, type: SqlType, operand: Operand): void {
  const value = operand.value;
  if (value.form === 'words') {
    writer.line(`o${slot}[2 * o] = ${value.low}; o${slot}[2 * o + 1] = ${value.high};`);
    return;
  }
  const code = plainCode(writer, operand);
  if (type.kind === 'UUID') {
    writer.line(`writeUuid(${code}, o${slot}, o);`);
    return;
  }
  // A typed array keeps the low 64 bits. The high word of a value of one word is its sign, which needs no big shift.
  writer.line(`o${slot}[2 * o] = ${code};`);
  const high = `BigInt.asIntN(64, ${code}) === ${code} ? (${code} < 0n ? -1n : 0n) : ${code} >> 64n`;
  writer.line(`o${slot}[2 * o + 1] = ${high};`);
}
