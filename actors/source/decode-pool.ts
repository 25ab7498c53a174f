// Threads that decode: one pool for all sources of a thread, made when the first large input asks for it.
//
// Requests are plain data and go to workers by transfer; small ones are decoded at once on the calling thread, since a
// hop to a worker costs more than they do. Workers end after they have been idle for a while, and when the last source
// lets go of the pool. Order is not kept here: answers come back when they are ready (delivery.ts puts them in order).
import type { Piscina } from 'piscina';
import { registry } from '../../connectors/registry.ts';
import { type Decoded, type DecodeRequest, PieceDecoder } from './piece-decoder.ts';

/** Pieces below this are decoded where they are. */
const pooledBytesMin = 64 << 10;
const idleTimeoutMs = 10_000;

/** Shared by every source of one thread. */
export class DecodePool {
  readonly #inline = new PieceDecoder([...registry.inputFormats, ...(registry.ownFormats ?? [])]);
  #piscina: Promise<Piscina<DecodeRequest, Decoded>> | null = null;
  #leases = 0;

  /** A source begins to use the pool. */
  lease(): void {
    this.#leases++;
  }

  /** A source has done with the pool; the last one ends its threads. */
  async release(): Promise<void> {
    this.#leases--;
    if (this.#leases > 0) return;
    const piscina = this.#piscina;
    this.#piscina = null;
    await (await piscina)?.destroy();
  }

  /** `workers` is the most threads that the pool may have when this call is the one that makes it; 0: no threads. */
  decode(request: DecodeRequest, workers: number): Promise<Decoded> | Decoded {
    if (workers === 0 || request.bytes.length < pooledBytesMin) {
      return this.#inline.decode(request);
    }
    this.#piscina ??= openPiscina(workers);
    const given = [request.bytes.buffer];
    if (request.kind === 'piece' && request.messages !== undefined) {
      given.push(request.messages.starts.buffer, request.messages.ends.buffer);
    }
    // What is lent is in the memory of both threads.
    const transferList = given.filter((buffer) => buffer instanceof ArrayBuffer);
    return this.#piscina.then((piscina) => piscina.run(request, { transferList }));
  }
}

async function openPiscina(workers: number): Promise<Piscina<DecodeRequest, Decoded>> {
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
