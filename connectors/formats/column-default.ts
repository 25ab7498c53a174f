// Defaults of columns: JSON text in the default flavour, read anew for each row that lacks the column.
// A default is read once when the decoder is made, so that no row can fail on it.
import { type ColumnTarget, spelledPlain, targetVariant } from './column-target.ts';
import { FormatBadDefault } from './format-errors.ts';
import { readValue } from './json-value.ts';
import { Refusal } from './refusal.ts';

/** The default of each column as bytes; null: it has none. @throws FormatBadDefault */
export function encodeDefaults(
  targets: readonly ColumnTarget[],
  texts: readonly (string | null)[],
): (Uint8Array | null)[] {
  return targets.map((target) => {
    const text = texts[target.ordinal]?.trim() ?? null;
    if (text === null) return null;
    const bytes = new TextEncoder().encode(text);
    if (text === 'null') {
      // The default of a column without one; a NOT NULL column then has none.
      return target.nullable && target.kind !== targetVariant ? bytes : null;
    }
    const end = readValue(bytes, viewOf(bytes), 0, bytes.length, target, 0, new Refusal());
    target.column.clearRow(0);
    if (end !== bytes.length) throw new FormatBadDefault({ column: target.field.name, value: text });
    return bytes;
  });
}

// ── data plane ──

/** Writes the default of a column, or NULL; false when it has neither. */
export function writeDefault(
  defaults: readonly (Uint8Array | null)[],
  target: ColumnTarget,
  row: number,
  refusal: Refusal,
): boolean {
  const value = defaults[target.ordinal] ?? null;
  if (value === null || value[0] === 0x6e) {
    if (!target.nullable) return false;
    target.column.setNull(row);
  } else {
    const { spelled } = target;
    target.spelled = spelledPlain;
    readValue(value, viewOf(value), 0, value.length, target, row, refusal);
    target.spelled = spelled;
  }
  return true;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
