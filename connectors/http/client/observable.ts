// An observable of three methods, without a library: `from` of rxjs takes it (by Symbol.observable), so does `for await`.
// Cold: each subscription opens a stream of its own and ends it.

export interface Observer<T> {
  next?(value: T): void;
  error?(error: unknown): void;
  complete?(): void;
}

export interface Subscription {
  readonly closed: boolean;
  unsubscribe(): void;
}

/** An iterator that can be left while it waits. */
export interface ClosableIterator<T> extends AsyncIterableIterator<T> {
  close(): Promise<void>;
}

export class ChangeObservable<T> implements AsyncIterable<T> {
  readonly #open: () => ClosableIterator<T>;

  constructor(open: () => ClosableIterator<T>) {
    this.#open = open;
    // Libraries that define the symbol may be loaded after this module: it is looked up late, and its stand-in is set too.
    for (const key of new Set(['@@observable', interopSymbol()])) {
      Object.defineProperty(this, key, { value: () => this, enumerable: false });
    }
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    return this.#open();
  }

  subscribe(observer: Observer<T> | ((value: T) => void)): Subscription {
    const { next, error, complete }: Observer<T> =
      typeof observer === 'function' ? { next: observer } : bound(observer);
    const iterator = this.#open();
    let closed = false;
    const run = async (): Promise<void> => {
      for await (const value of iterator) {
        if (closed) return;
        next?.(value);
      }
      if (closed) return;
      closed = true;
      complete?.();
    };
    run().catch((cause: unknown) => {
      if (closed) return;
      closed = true;
      if (error !== undefined) error(cause);
      else reportLater(cause);
    });
    return {
      get closed() {
        return closed;
      },
      unsubscribe: () => {
        if (closed) return;
        closed = true;
        void iterator.close();
      },
    };
  }
}

function interopSymbol(): symbol | string {
  const candidate: unknown = Reflect.get(Symbol, 'observable');
  return typeof candidate === 'symbol' ? candidate : '@@observable';
}

function bound<T>(observer: Observer<T>): Observer<T> {
  return {
    next: (value) => observer.next?.(value),
    complete: () => observer.complete?.(),
    ...(observer.error === undefined ? {} : { error: (cause: unknown) => observer.error?.(cause) }),
  };
}

/** As an unhandled rejection does: an error that nobody takes is not swallowed. */
function reportLater(cause: unknown): void {
  queueMicrotask(() => {
    throw cause;
  });
}
