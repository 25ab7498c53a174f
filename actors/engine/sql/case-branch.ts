// A branch of CASE: the one place where an object with a `then` is made.
import type { CaseExpression, Scalar } from './bound.ts';

export type CaseBranch = CaseExpression['branches'][number];

export function caseBranch(when: Scalar, result: Scalar): CaseBranch {
  // biome-ignore lint/suspicious/noThenProperty: the word of SQL; a branch is plain data that nobody awaits.
  return { when, then: result };
}
