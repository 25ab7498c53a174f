// Threads that decode: one pool for all sources of a thread, made when the first large piece asks for it, or is expected.
//
// Requests are plain data and go to workers by transfer, or are lent to them in shared memory; small ones are decoded at once on the calling
// thread, since a hop to a worker costs more than they do. Workers end after they have been idle for a while, and when the last source
// lets go of the pool. Order is not kept here: answers come back when they are ready (delivery.ts puts them in order).
import type { Piscina } from 'piscina';
import { inputFormats, ownFormats } from '../../connectors/input-formats.ts';
import type { DecodeJob } from './decode-job.ts';
import { type Decoded, type DecodeRequest, PieceDecoder } from './piece-decoder.ts';

/** Pieces below this are decoded where they are. */
const pooledBytesMin = 64 << 10;
const idleTimeoutMs = 10_000;

type Threads = Piscina<DecodeJob, Decoded>;

/** Shared by every source of one thread. */
export class DecodePool {
  readonly #inline = new PieceDecoder([...inputFormats, ...ownFormats]);
  #threads: Promise<Threads> | null = null;
  #leases = 0;

  /** A source begins to use the pool. */
  lease(): void {
    this.#leases++;
  }

  /** A source has done with the pool; the last one ends its threads. */
  async release(): Promise<void> {
    this.#leases--;
    if (this.#leases > 0) return;
    const threads = this.#threads;
    this.#threads = null;
    await (await threads)?.destroy();
  }

  /** Large pieces will come: a thread starts and makes their decoder. `workers` as for `decode`. */
  expect(setup: string, workers: number): void {
    if (workers === 0 || this.#threads !== null) return;
    this.#threads = openThreads(workers);
    // One that cannot begin says why to the first piece that it is given.
    this.#threads.then((threads) => threads.run({ kind: 'begin', setup })).catch(() => {});
  }

  /** `workers` is the most threads that the pool may have when this call is the one that makes it; 0: no threads. */
  decode(request: DecodeRequest, workers: number): Promise<Decoded> | Decoded {
    if (workers === 0 || request.bytes.length < pooledBytesMin) return this.#inline.decode(request);
    this.#threads ??= openThreads(workers);
    return this.#threads.then((threads) => threads.run(request, { transferList: givenWith(request) }));
  }
}

/** What the request gives away: what is lent is in the memory of both threads. */
function givenWith(request: DecodeRequest): ArrayBuffer[] {
  const buffers = [request.bytes.buffer];
  if (request.kind === 'piece' && request.messages !== undefined) {
    buffers.push(request.messages.starts.buffer, request.messages.ends.buffer);
  }
  return buffers.filter((buffer) => buffer instanceof ArrayBuffer);
}

async function openThreads(workers: number): Promise<Threads> {
  const { Piscina } = await import('piscina');
  return new Piscina({
    filename: new URL(`./decode-job${extension}`, import.meta.url).href,
    minThreads: 0,
    maxThreads: workers,
    idleTimeout: idleTimeoutMs,
    recordTiming: false,
  });
}

/** The worker's file is spelled like this one: `.js` when compiled. */
const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
