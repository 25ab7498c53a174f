// Those who wait for credit: promises that are released together, or rejected one by one by their signals.
//
// Used by both kinds of FrameSender. When the other end is gone nobody waits any longer: a waiter that were resolved would
// find no credit and wait again without end, so it is rejected (ChannelClosed). A waiter whose signal fires is forgotten.
import { type CodedErrorClass, defineError } from '../errors.ts';

export const ChannelClosed: CodedErrorClass<Record<never, never>> = defineError(
  'channel.closed',
  { help: 'The actor at the other end has stopped or failed; its own error says why.', retry: 'reconnect' },
  () => 'the other end of the channel is gone',
);

interface Waiter {
  resolve(): void;
  reject(reason: unknown): void;
}

export class Readiness {
  readonly #waiters = new Set<Waiter>();

  /** Resolves at the next release; rejects with the signal's reason. */
  wait(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#waiters.delete(waiter);
        reject(signal?.reason);
      };
      const forget = (): void => signal?.removeEventListener('abort', abort);
      const waiter: Waiter = {
        resolve: () => {
          forget();
          resolve();
        },
        reject: (reason) => {
          forget();
          reject(reason);
        },
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiters.add(waiter);
    });
  }

  /** There is credit. */
  release(): void {
    for (const waiter of this.#takeAll()) waiter.resolve();
  }

  /** There will be none. */
  close(): void {
    for (const waiter of this.#takeAll()) waiter.reject(new ChannelClosed({}));
  }

  #takeAll(): readonly Waiter[] {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    return waiters;
  }
}
