// Problems found while binding: collected, so that one does not hide another.
import { MillraceError } from '../../../runtime/errors.ts';

/** Thrown where something cannot be bound because of a problem that has been reported already. Carries nothing. */
export class AlreadyReported extends Error {}

export class ProblemList {
  readonly #problems: MillraceError[] = [];

  /** What `bind` returns, or null when it threw a coded error, which is kept. */
  attempt<T>(bind: () => T): T | null {
    try {
      return bind();
    } catch (thrown) {
      this.keep(thrown);
      return null;
    }
  }

  keep(thrown: unknown): void {
    if (thrown instanceof AlreadyReported) return;
    if (!(thrown instanceof MillraceError)) throw thrown;
    this.#problems.push(thrown);
  }

  get count(): number {
    return this.#problems.length;
  }

  list(): readonly MillraceError[] {
    return this.#problems;
  }
}
