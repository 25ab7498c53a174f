// The changes that a listener hears, in the two other forms that users ask for: an observable, and calls of a function.
//
// Made by Pipeline; a listener is closed when nobody takes from it any more.
import { Observable } from 'rxjs/internal/Observable';
import type { ChangeListener, Changes } from './change-listener.ts';
import type { ChunkSubscription } from './pipeline-options.ts';

/** Listening begins with the subscription and ends with it. */
export function observedChanges<Row>(listen: () => ChangeListener<Row>): Observable<Changes<Row>> {
  return new Observable((subscriber) => {
    const listener = listen();
    const run = async (): Promise<void> => {
      for await (const changes of listener) subscriber.next(changes);
      subscriber.complete();
    };
    run().catch((error: unknown) => subscriber.error(error));
    return () => {
      listener.close().catch(() => {
        // The pipeline ended first, and the listener with it.
      });
    };
  });
}

/** One call at a time. Resolves once it listens. */
export async function eachChunk<Row>(
  listener: ChangeListener<Row>,
  callback: (chunk: Changes<Row>) => void | Promise<void>,
): Promise<ChunkSubscription> {
  await listener.ready;
  const run = async (): Promise<void> => {
    for await (const chunk of listener) await callback(chunk);
  };
  const closed = run();
  // Whoever does not await `closed` does not want the process to end for it.
  closed.catch(() => {});
  return { closed, close: () => listener.close() };
}
