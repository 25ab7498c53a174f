// Where the messages of a batch end within the bytes that an encoder prints, as EncodedMessages has it. Reused from batch to batch.
import type { EncodedMessages } from '../sdk/format.ts';

export class MessageList {
  count = 0;
  #keyEnds = new Int32Array(1024);
  #valueEnds = new Int32Array(1024);
  #hasValue = new Uint8Array(1024);
  #headers = new Uint8Array(1024);

  clear(): void {
    this.count = 0;
  }

  /** `headers`: which set of them it has. */
  add(keyEnd: number, valueEnd: number, hasValue: boolean, headers: number): void {
    if (this.count === this.#keyEnds.length) this.#grow();
    const at = this.count++;
    this.#keyEnds[at] = keyEnd;
    this.#valueEnds[at] = valueEnd;
    this.#hasValue[at] = hasValue ? 1 : 0;
    this.#headers[at] = headers;
  }

  /** Until the next call of `clear`. */
  messages(hasKeys: boolean, headerSets: EncodedMessages['headerSets']): EncodedMessages {
    return {
      count: this.count,
      keyEnds: this.#keyEnds,
      valueEnds: this.#valueEnds,
      hasKeys,
      hasValue: this.#hasValue,
      headers: this.#headers,
      headerSets,
    };
  }

  #grow(): void {
    const length = this.#keyEnds.length * 2;
    this.#keyEnds = twice(new Int32Array(length), this.#keyEnds);
    this.#valueEnds = twice(new Int32Array(length), this.#valueEnds);
    this.#hasValue = twice(new Uint8Array(length), this.#hasValue);
    this.#headers = twice(new Uint8Array(length), this.#headers);
  }
}

function twice<A extends Int32Array | Uint8Array>(made: A, from: A): A {
  made.set(from);
  return made;
}
