// What crosses between the face of the store (actors/store/open-store.ts) and its thread (store-thread.ts): `Store`, except that a replay
// is read in pages.
import type { IngressRecord, Store } from './messages.ts';

export interface StoreCalls extends Omit<Store, 'folder' | 'close' | 'replayIngress'> {
  /** At least one record if there is one after `after`; none: the end. */
  readIngress(id: string, after: number, bytesMax: number): Promise<readonly IngressRecord[]>;
  /** Writes what is queued and closes the file. */
  closeFile(): Promise<void>;
}

/** workerData of the store's thread. */
export interface StoreThreadData {
  readonly file: string;
}
