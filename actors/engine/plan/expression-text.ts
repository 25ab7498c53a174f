// Source of the functions of texts that programs call for every row, computed on the bytes of UTF-8 without making a string.
//
// They mean exactly what the rows of sql/functions-string.ts mean, which serve every other function and texts that are at hand as
// strings; a test compares them. A result is a number, a part of the bytes of its operand, or bytes in a `TextEditor` of its own.
// `textCode` gives null where it has no source. Not here: NULL of operands that decide (emitter), comparison (expression-comparison.ts).
import type { FunctionCall } from '../sql/bound.ts';
import { anyNull, type CodeWriter, guarded, type Operand, type ValueCode } from './expression-code.ts';
import { TextEditor } from './text-kernels.ts';

type Slice = Extract<ValueCode, { form: 'slice' }>;

/** The value of a call whose operands have been computed; null: it is for the row of the function. */
export function textCode(writer: CodeWriter, call: FunctionCall, operands: readonly Operand[]): Operand | null {
  const slices = operands.map(({ value }) => (value.form === 'slice' ? value : null));
  if (call.user !== undefined || slices.includes(null)) return null;
  // SAFETY: there is no null among them.
  const texts = slices as readonly Slice[];
  switch (call.name) {
    case 'char_length':
      return guarded(writer, call.type, operands, () => `countCharacters(${texts.map(bytesOf).join(', ')})`);
    case 'replace':
      return edited(writer, call, operands, 'replace', texts);
    case 'upper':
    case 'lower':
      return edited(writer, call, operands, call.name, texts);
    default:
      return null;
  }
}

/** A text that is that of the first operand unless an editor makes another one of it. */
function edited(
  writer: CodeWriter,
  call: FunctionCall,
  operands: readonly Operand[],
  method: 'replace' | 'upper' | 'lower',
  texts: readonly Slice[],
): Operand {
  const [text] = texts;
  const isNull = anyNull(writer, operands);
  const bytes = writer.declare('b', text?.bytes ?? 'noBytes');
  const start = writer.declare('s', text?.start ?? '0');
  const end = writer.declare('e', text?.end ?? '0');
  const editor = writer.parameter(new TextEditor());
  writer.line(`site = ${writer.site(call)};`);
  const edits = `${editor}.${method}(${texts.map(bytesOf).join(', ')})`;
  writer.open(isNull === null ? `if (${edits})` : `if (!${isNull} && ${edits})`);
  writer.line(`${bytes} = ${editor}.bytes; ${start} = 0; ${end} = ${editor}.used;`);
  writer.close();
  return { type: call.type, isNull, value: { form: 'slice', bytes, start, end } };
}

function bytesOf({ bytes, start, end }: Slice): string {
  return `${bytes}, ${start}, ${end}`;
}
