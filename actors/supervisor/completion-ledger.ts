// What is complete: which steps every output has confirmed, which marks of which ingress, and who waits for either.
//
// Steps only grow. A waiter is asked again after every change; waiting without a bound is the caller's choice (it has a
// signal). `failWaiters` ends every wait when the pipeline can no longer get there.
import { type CompletionToken, decodeToken, encodeToken, MarkProgress, TokenForeign } from '../completion-token.ts';

interface Waiter {
  readonly isDone: () => boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class CompletionLedger {
  readonly incarnation: string;
  #completedStep = 0;
  readonly #marks = new Map<string, MarkProgress>();
  readonly #waiters = new Set<Waiter>();

  constructor(incarnation: string) {
    this.incarnation = incarnation;
  }

  get completedStep(): number {
    return this.#completedStep;
  }

  nextMark(endpoint: string): { mark: number; token: string } {
    let progress = this.#marks.get(endpoint);
    if (progress === undefined) this.#marks.set(endpoint, (progress = new MarkProgress()));
    const mark = progress.nextMark();
    return { mark, token: encodeToken({ incarnation: this.incarnation, endpoint, mark }) };
  }

  /** Marks of this endpoint are numbered by the one who sends them. It stays known when it is closed. */
  admit(endpoint: string): void {
    if (!this.#marks.has(endpoint)) this.#marks.set(endpoint, new MarkProgress(false));
  }

  /** A token for the first `records` rows of a connector, which may be none. */
  recordsToken(endpoint: string, records: number): string {
    this.recordsStepped(endpoint, 0, 0);
    return encodeToken({ incarnation: this.incarnation, endpoint, mark: records + 1 });
  }

  /** The rows of a connector are its marks, counted from 2: the first stands for none. */
  recordsStepped(endpoint: string, records: number, step: number): void {
    if (records === 0 && this.#marks.has(endpoint)) return;
    this.admit(endpoint);
    this.markStepped(endpoint, records + 1, step);
  }

  /** A connector begins to count anew. */
  forget(endpoint: string): void {
    this.#marks.delete(endpoint);
  }

  markStepped(endpoint: string, mark: number, step: number): void {
    const progress = this.#marks.get(endpoint);
    progress?.stepped(mark, step);
    // The step may have been confirmed before this notice was read.
    progress?.completed(this.#completedStep);
    this.check();
  }

  stepCompleted(step: number): void {
    this.#completedStep = Math.max(this.#completedStep, step);
    for (const progress of this.#marks.values()) progress.completed(this.#completedStep);
    this.check();
  }

  /** Every mark given so far is in a step, for those who wait for all of it. */
  get areMarksStepped(): boolean {
    return [...this.#marks.values()].every((progress) => progress.areAllStepped);
  }

  /** @throws TokenMalformed, TokenForeign */
  isTokenComplete(token: string): () => boolean {
    const { progress, mark } = this.#find(token);
    return () => progress.isComplete(mark);
  }

  /** @throws TokenMalformed, TokenForeign */
  tokenStatus(token: string): { readonly complete: boolean; readonly step: number | null } {
    const { progress, mark } = this.#find(token);
    const complete = progress.isComplete(mark);
    const step = progress.stepOf(mark);
    // A step that is not remembered was before this one.
    return { complete, step: complete ? (step ?? this.#completedStep) : step };
  }

  #find(token: string): { readonly progress: MarkProgress; readonly mark: CompletionToken['mark'] } {
    const { incarnation, endpoint, mark } = decodeToken(token);
    const progress = this.#marks.get(endpoint);
    const isKnown = progress !== undefined && (!progress.givesMarks || mark <= progress.lastMark);
    if (incarnation !== this.incarnation || !isKnown) throw new TokenForeign({ token });
    return { progress, mark };
  }

  /** Resolves when `isDone` first holds; asked at once and after every change. Rejects with the signal's reason. */
  async when(isDone: () => boolean, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (isDone()) return;
    await new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        this.#waiters.delete(waiter);
        signal.removeEventListener('abort', onAbort);
      };
      const waiter: Waiter = {
        isDone,
        resolve: () => {
          leave();
          resolve();
        },
        reject: (error) => {
          leave();
          reject(error);
        },
      };
      const onAbort = (): void => waiter.reject(signal.reason);
      this.#waiters.add(waiter);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Something that waiters look at has changed. `isDone` may throw to end its wait. */
  check(): void {
    for (const waiter of this.#waiters) {
      try {
        if (waiter.isDone()) waiter.resolve();
      } catch (error) {
        waiter.reject(error);
      }
    }
  }

  failWaiters(error: unknown): void {
    for (const waiter of this.#waiters) waiter.reject(error);
  }
}
