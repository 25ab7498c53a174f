// The narrowest SQL type that holds every text seen of a column: a lattice walked upwards, one value at a time.
//
//   BOOLEAN   true, false                     BIGINT  integers within 64 bits, without leading zeros (zip codes are texts)
//   DECIMAL   every fraction has 2 to 4 digits, the same number throughout      DOUBLE  other numbers
//   DATE, TIMESTAMP  as Millrace reads them   VARCHAR  the rest, and columns of which nothing is known
// A sample is a sample: a later value may not fit. Then its row is refused and counted, never changed.
import {
  parseDateText,
  parseDoubleText,
  parseIntegerText,
  parseTimestampText,
} from '../../runtime/batch/scalar-text.ts';
import type { SqlType } from '../../runtime/batch/sql-type.ts';

/** What has been seen of one column. */
export class TypeEvidence {
  #values = 0;
  #nulls = 0;
  #booleans = 0;
  #integers = 0;
  #numbers = 0;
  #dates = 0;
  #timestamps = 0;
  #uuids = 0;
  #structures = 0;
  /** JSON values that are no strings. */
  #literals = 0;
  /** Fraction digits, the same for all numbers so far; -1: they differ. */
  #fractionDigits: number | null = null;
  #wholeDigits = 0;

  /** A value as it is spelt. A JSON string is never a number, another JSON value never a text; a CSV field may be both. */
  add(text: string, spelling: 'string' | 'literal' | 'field'): void {
    this.#values++;
    if (spelling === 'literal') this.#literals++;
    const quoted = spelling === 'string';
    if (!quoted && /^(true|false)$/i.test(text)) this.#booleans++;
    else if (!quoted && /^[+-]?(0|[1-9]\d*)$/.test(text) && parseIntegerText(text) !== undefined) {
      this.#integers++;
      this.#numbers++;
      this.#wholeDigits = Math.max(this.#wholeDigits, text.replace(/^[+-]/, '').length);
    } else if (!quoted && /^[+-]?(0|[1-9]\d*|(?=\.))(\.\d+)?([eE][+-]?\d+)?$/.test(text)) this.#addFraction(text);
    else if (parseDateText(text) !== undefined) this.#dates++;
    else if (parseTimestampText(text) !== undefined) this.#timestamps++;
    else if (/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(text)) this.#uuids++;
  }

  addNull(): void {
    this.#nulls++;
  }

  /** An array or object. */
  addStructure(): void {
    this.#values++;
    this.#structures++;
  }

  /** `records`: how many there are in the sample; a column that some of them lack is nullable. */
  conclude(records: number): { readonly type: SqlType; readonly nullable: boolean } {
    return { type: this.#type(), nullable: this.#values < records || this.#nulls > 0 };
  }

  #addFraction(text: string): void {
    if (parseDoubleText(text) === undefined) return;
    this.#numbers++;
    const [, whole, fraction] = /^[+-]?(\d*)\.(\d+)$/.exec(text) ?? [];
    const digits = fraction?.length ?? -1;
    this.#wholeDigits = Math.max(this.#wholeDigits, whole?.length ?? 0);
    this.#fractionDigits = this.#fractionDigits === null || this.#fractionDigits === digits ? digits : -1;
  }

  #type(): SqlType {
    const all = this.#values;
    if (all === 0) return { kind: 'VARCHAR', length: null };
    if (this.#structures > 0) return { kind: 'VARIANT' };
    if (this.#booleans === all) return { kind: 'BOOLEAN' };
    if (this.#integers === all) return { kind: 'BIGINT' };
    if (this.#numbers === all) {
      const scale = this.#fractionDigits ?? 0;
      if (this.#integers > 0 || scale < 2 || scale > 4) return { kind: 'DOUBLE' };
      // Room for a thousand times the largest value seen.
      return { kind: 'DECIMAL', precision: Math.min(38, Math.max(10, this.#wholeDigits + 3 + scale)), scale };
    }
    // A column of texts and numbers takes both as they are only as VARIANT.
    if (this.#literals > 0) return { kind: 'VARIANT' };
    if (this.#dates === all) return { kind: 'DATE' };
    if (this.#timestamps + this.#dates === all) return { kind: 'TIMESTAMP' };
    return this.#uuids === all ? { kind: 'UUID' } : { kind: 'VARCHAR', length: null };
  }
}
