// What a row of the table of casts is. `undefined`: the value has no counterpart in the target type.
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import type { ScalarValue } from '../sql/scalar-value.ts';

export type Cast = (value: NonNullable<ScalarValue>, from: SqlType, to: SqlType) => ScalarValue | undefined;
