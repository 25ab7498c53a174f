// template: a record as what a Go template prints for it.
//
// A template of fixed text and whole fields ({{ printf "%s" .Payload.After }}, {{ .Position }}) is not run at all: raw bytes are copied
// from their columns. Everything else, and every row whose field is no raw data, is run by the interpreter, record by record.
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { FailedRecord } from '../sdk/processor.ts';
import { dataShape, recordAt, recordColumn, shapeShift } from '../sdk/record-batch.ts';
import { GoTemplate } from '../templates/go-template.ts';
import type { Operand, TemplateNode } from '../templates/template-syntax.ts';
import { bytesView, smallValues } from './opencdc-printer.ts';
import { PrintedBytes } from './printed-bytes.ts';
import type { PrintedRecords, RecordPrinter } from './record-format.ts';

/** Fixed bytes, or the bytes of a column. */
type Part =
  | { readonly bytes: Uint8Array }
  /** `shift` null: the position, which is always bytes. */
  | { readonly ordinal: number; readonly shift: number | null };

export class TemplatePrinter implements RecordPrinter {
  readonly #template: GoTemplate;
  readonly #parts: readonly Part[] | null;
  readonly #output = new PrintedBytes();

  /** @throws TemplateMalformed */
  constructor(text: string, clock: Clock) {
    this.#template = new GoTemplate(text, clock, { missingKeyFails: true });
    this.#parts = partsOf(this.#template.nodes);
  }

  /** Whether records are copied, not run. */
  get isPlain(): boolean {
    return this.#parts !== null;
  }

  print(batch: ChangeBatch, start: number, end: number): PrintedRecords {
    const output = this.#output;
    output.length = 0;
    const failed: FailedRecord[] = [];
    const parts = this.#parts;
    const shapes = smallValues(batch.columns[recordColumn.shapes]);
    const only = parts?.length === 1 ? parts[0] : undefined;
    if (only !== undefined && 'ordinal' in only && isRaw(shapes, only.shift, start, end)) {
      const column = bytesView(batch.columns[only.ordinal]);
      if (column.codes === null) {
        copyLines(column.bytes, column.offsets, start, end, output);
        return { bytes: output.bytes.subarray(0, output.length), failed };
      }
    }
    for (let row = start; row < end; row++) {
      const lineStart = output.length;
      try {
        if (parts === null || !parts.every((part) => 'bytes' in part || isRaw(shapes, part.shift, row, row + 1))) {
          output.append(this.#template.recordBytes(recordAt(batch, row)));
        } else {
          for (const part of parts) appendPart(part, batch, row, output);
        }
        output.reserve(1);
        output.bytes[output.length++] = 0x0a;
      } catch (thrown) {
        output.length = lineStart;
        failed.push({ row, error: thrown instanceof Error ? thrown : new Error(String(thrown)) });
      }
    }
    return { bytes: output.bytes.subarray(0, output.length), failed };
  }
}

function appendPart(part: Part, batch: ChangeBatch, row: number, output: PrintedBytes): void {
  if ('bytes' in part) {
    output.append(part.bytes);
    return;
  }
  const column = bytesView(batch.columns[part.ordinal]);
  const entry = column.codes === null ? row : (column.codes[row] ?? 0);
  output.append(column.bytes.subarray(column.offsets[entry], column.offsets[entry + 1]));
}

const columnsByField: ReadonlyMap<string, { readonly ordinal: number; readonly shift: number | null }> = new Map([
  ['Position', { ordinal: recordColumn.position, shift: null }],
  ['Key', { ordinal: recordColumn.key, shift: shapeShift.key }],
  ['Payload.Before', { ordinal: recordColumn.before, shift: shapeShift.before }],
  ['Payload.After', { ordinal: recordColumn.after, shift: shapeShift.after }],
]);

/** null: the template has to be run. */
function partsOf(nodes: readonly TemplateNode[]): readonly Part[] | null {
  const parts: Part[] = [];
  for (const node of nodes) {
    if (node.kind === 'text') {
      parts.push({ bytes: new TextEncoder().encode(node.text) });
      continue;
    }
    if (node.kind !== 'action' || node.pipe.variables.length > 0) return null;
    const operands = operandsOf(node.pipe.commands.map((command) => command.operands));
    const field = operands === null ? null : plainField(operands);
    if (field === null) return null;
    parts.push(field);
  }
  return parts;
}

/** `a b` and `b | a` are the same operands. */
function operandsOf(commands: readonly (readonly Operand[])[]): readonly Operand[] | null {
  const [first = [], second] = commands;
  if (commands.length === 1) return first;
  return commands.length === 2 && first.length === 1 && second !== undefined ? [...second, ...first] : null;
}

function plainField(operands: readonly Operand[]): Part | null {
  const [head, format, field] = operands;
  const isPrintf =
    head?.kind === 'function' && head.name === 'printf' && format?.kind === 'constant' && format.value === '%s';
  const operand = isPrintf ? field : head;
  if (operand?.kind !== 'dot' || operands.length !== (isPrintf ? 3 : 1)) return null;
  const column = columnsByField.get(operand.fields.join('.'));
  // Raw data without printf prints as numbers in brackets.
  return column === undefined || (!isPrintf && column.shift !== null) ? null : column;
}

// ── data plane ──

function isRaw(shapes: Int8Array, shift: number | null, start: number, end: number): boolean {
  if (shift === null) return true;
  for (let row = start; row < end; row++) if (((shapes[row]! >> shift) & 3) !== dataShape.raw) return false;
  return true;
}

/** Rows as lines: the bytes are copied in one piece to the end of their room and moved forward, a line feed behind each. */
function copyLines(bytes: Uint8Array, offsets: Int32Array, start: number, end: number, output: PrintedBytes): void {
  const from = offsets[start]!;
  const length = offsets[end]! - from;
  const rows = end - start;
  output.reserve(length + rows);
  const out = output.bytes;
  let at = output.length;
  const shift = at + rows - from;
  out.set(bytes.subarray(from, from + length), at + rows);
  for (let row = start; row < end; row++) {
    const lineStart = offsets[row]! + shift;
    const lineEnd = offsets[row + 1]! + shift;
    if (lineEnd - lineStart < 16) for (let i = lineStart; i < lineEnd; i++) out[at + i - lineStart] = out[i]!;
    else out.copyWithin(at, lineStart, lineEnd);
    at += lineEnd - lineStart;
    out[at++] = 0x0a;
  }
  output.length = at;
}
