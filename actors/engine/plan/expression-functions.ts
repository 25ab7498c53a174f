// The evaluator of a bound call. Replaced by sql/functions.ts as soon as its rows are there.
import { assert } from '../../../runtime/assert.ts';
import type { FunctionCall, ScalarValue } from '../sql/bound.ts';

export interface ResolvedFunction {
  readonly evaluate: (...values: ScalarValue[]) => ScalarValue;
  readonly strict: boolean;
  readonly nullable: boolean;
}

export function resolveFunction(call: FunctionCall): ResolvedFunction {
  assert(false, `no function ${call.name}`);
}
