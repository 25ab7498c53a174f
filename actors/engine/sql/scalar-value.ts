// What a constant of SQL is in JavaScript: literals, and the arguments and results of functions that are evaluated value by value.

/**
 * A value as expressions compute with it; the row of `sql/functions.ts` and generated code agree on it:
 * BOOLEAN boolean · TINYINT SMALLINT INTEGER DATE INTERVAL_MONTHS REAL DOUBLE number · BIGINT TIME TIMESTAMP
 * INTERVAL_MICROS bigint · DECIMAL bigint (value · 10^scale, any precision) · CHAR VARCHAR VARIANT ARRAY MAP ROW (JSON text) UUID
 * (canonical lower case) string · BINARY VARBINARY Uint8Array · NULL null.
 */
export type ScalarValue = boolean | number | bigint | string | Uint8Array | null;
