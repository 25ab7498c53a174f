// Assertions: invariants of our own code, checked at every border between parts.
// A failed one is a defect: the actor dies with `runtime.assertion_failed`. Bad input never ends here.
import { AssertionFailed } from './errors.ts';

/** @throws AssertionFailed when `condition` is false. Keep it O(1) or O(batch); never per row. */
export function assert(condition: boolean, invariant: string): asserts condition {
  if (!condition) throw new AssertionFailed({ invariant });
}

/** The end of an exhaustive `switch`: does not compile while a case is missing. */
export function unreachable(value: never): never {
  throw new AssertionFailed({ invariant: `no case for ${JSON.stringify(value)}` });
}
