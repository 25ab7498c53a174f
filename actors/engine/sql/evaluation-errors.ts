// Errors of evaluation: what an expression may throw when it meets a value that it cannot compute with.
//
// Function rows, casts and generated code throw these with a plain message; the expression compiler adds the view, the
// expression and the row. `on_error` then decides what becomes of the step. Defined once, here.
// Not here: errors of the SQL text itself (sql-errors.ts).
import { type CodedErrorClass, defineError } from '../../../runtime/errors.ts';

export const DivisionByZero: CodedErrorClass<Record<string, never>> = defineError(
  'sql.division_by_zero',
  { help: 'Guard the division, for example with NULLIF(divisor, 0), or set on_error: skip.' },
  () => 'division by zero',
);

export const NumericOverflow: CodedErrorClass<{ readonly type: string; readonly detail: string }> = defineError(
  'sql.numeric_overflow',
  { help: 'Cast the operands to a wider type, such as BIGINT, DECIMAL(38, s) or DOUBLE.' },
  (f) => `${f.detail} does not fit ${f.type}`,
);

export const InvalidCast: CodedErrorClass<{ readonly value: string; readonly from: string; readonly to: string }> =
  defineError(
    'sql.invalid_cast',
    { help: 'Use SAFE_CAST, which gives NULL where the value cannot be converted.' },
    (f) => `${f.value} cannot be cast from ${f.from} to ${f.to}`,
  );

export const UserFunctionFailed: CodedErrorClass<{ readonly function: string; readonly detail: string }> = defineError(
  'sql.user_function_failed',
  { help: 'Mend the function in its module, guard the call, for example with CASE, or set on_error: skip.' },
  (f) => `${f.function}: ${f.detail}`,
);

export const InvalidArgument: CodedErrorClass<{ readonly function: string; readonly detail: string }> = defineError(
  'sql.invalid_argument',
  { help: 'Check the argument before the call, for example with CASE, or set on_error: skip.' },
  (f) => `${f.function}: ${f.detail}`,
);
