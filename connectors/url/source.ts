// url_input: the bytes of an HTTP resource, resumed after every interruption.
//
// Position: { offset, validator }. A broken connection, a time-out, 408, 425, 429 and 5xx are tried again with growing
// pauses; the count starts anew whenever bytes have arrived. What has been read is never asked for twice where the server
// knows ranges, and skipped where it does not. Other errors end the input. Each retry is reported as a problem that
// does not end the connector.
// `pause_timeout` is accepted: a connection that the server closes while nobody reads is simply opened again.

import type { Agent } from 'undici';
import { MillraceError } from '../../runtime/errors.ts';
import { BodyRooms } from '../sdk/body-rooms.ts';
import { ConfigInvalidValue } from '../sdk/configuration-errors.ts';
import { HttpBodies } from '../sdk/http-bodies.ts';
import type { ParameterValues } from '../sdk/parameters.ts';
import {
  defineSource,
  type Payload,
  type Position,
  type RandomAccess,
  type Source,
  type SourceContext,
  type SourceDefinition,
} from '../sdk/source.ts';
import { isTlsFailure, readTls, type TlsOptions, type TlsSettings } from '../sdk/tls-settings.ts';
import { wait } from '../sdk/wait.ts';
import { retriesDefault, urlInputDeclaration } from './declarations.ts';
import {
  type Asking,
  bodyTimeoutMs,
  type RangedResponse,
  requestRange,
  shownUrl,
  TransientStatus,
  UrlChanged,
  UrlTls,
  UrlUnavailable,
} from './ranged-request.ts';

const roomBytes = 1 << 20;
/** Two that are full, one that is being filled, and those that are being decoded. */
const roomsKept = 6;
const connectMs = 10_000;
/** At a time: blocks of a file are read side by side. */
const connectionsMax = 4;
const firstPauseMs = 200;
const pauseMsMax = 10_000;

export const urlInput: SourceDefinition = defineSource({
  ...urlInputDeclaration,
  create: (configuration, context) => new UrlSource(configuration, context),
});

class UrlSource implements Source {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #retriesMax: number;
  readonly #context: SourceContext;
  readonly #tls: TlsSettings;
  #agents: Promise<Agents> | null = null;
  readonly #rooms = new BodyRooms(roomBytes, roomsKept);
  #offset = 0;
  #validator: string | null = null;
  #size: number | null = null;
  #acceptsRanges = false;
  #response: RangedResponse | null = null;
  #failures = 0;

  constructor(configuration: ParameterValues, context: SourceContext) {
    this.#context = context;
    this.#url = String(configuration['path']);
    if (!URL.canParse(this.#url) || !/^https?:$/.test(new URL(this.#url).protocol)) {
      throw new ConfigInvalidValue({ key: 'path', reason: 'must be an http:// or https:// address' });
    }
    // SAFETY: the value has been validated against the parameters above.
    this.#headers = (configuration['headers'] ?? {}) as Readonly<Record<string, string>>;
    // SAFETY: as above: the interface spells parameters of it.
    this.#tls = configuration as unknown as TlsSettings;
    this.#retriesMax = Number(configuration['max_retries'] ?? retriesDefault);
  }

  async open(position: Position | null): Promise<void> {
    if (position !== null) {
      this.#offset = Number(position['offset']);
      this.#validator = typeof position['validator'] === 'string' ? position['validator'] : null;
    }
    this.#response = await this.#retried(() => this.#request(this.#offset, null));
    if (this.#response === null) return;
    const { size, validator, acceptsRanges } = this.#response;
    this.#size = size;
    this.#validator ??= validator;
    this.#acceptsRanges = acceptsRanges;
  }

  async *read(): AsyncIterable<Payload> {
    const { signal } = this.#context;
    while (!signal.aborted) {
      const response = this.#response ?? (await this.#retried(() => this.#request(this.#offset, null)));
      this.#response = null;
      if (response === null || response.body === null) return;
      let skip = this.#offset - response.start;
      try {
        for await (const received of response.body.pieces()) {
          if (signal.aborted) return;
          const skipped = Math.min(skip, received.length);
          skip -= skipped;
          if (skipped === received.length) continue;
          const bytes = skipped === 0 ? received : received.slice(skipped);
          const start = this.#offset;
          this.#offset += bytes.length;
          this.#failures = 0;
          const validator = this.#validator;
          const positionAfter = (length: number): Position => ({ offset: start + length, validator });
          yield { kind: 'bytes', bytes, positionAfter, release: () => this.#rooms.giveBack(bytes) };
        }
        if (this.#size === null || this.#offset >= this.#size) return;
        await this.#pauseBeforeRetry(new Error(`the body ended at ${this.#offset} of ${this.#size} bytes`));
      } catch (thrown) {
        if (signal.aborted) return;
        await this.#pauseBeforeRetry(thrown);
      } finally {
        response.body.destroy();
      }
    }
  }

  randomAccess(): RandomAccess | null {
    const size = this.#size;
    if (!this.#acceptsRanges || size === null) return null;
    this.#response?.body?.destroy();
    this.#response = null;
    return { size, read: (offset, length) => this.#readRange(offset, Math.min(length, size - offset)) };
  }

  bytesTotal(): number | null {
    return this.#size;
  }

  async teardown(): Promise<void> {
    this.#response?.body?.destroy();
    this.#response = null;
    const agents = await this.#agents?.catch(() => null);
    await Promise.all([agents?.own.close(), agents?.elsewhere.close()]);
  }

  async #readRange(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    if (length <= 0) return new Uint8Array(0);
    const whole = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const more = await this.#retried(async () => {
        const response = await this.#request(offset + filled, offset + length - 1);
        if (response.body === null) throw new Error('the resource ends before its size');
        let skip = offset + filled - response.start;
        const before = filled;
        try {
          for await (const received of response.body.pieces()) {
            const from = Math.min(skip, received.length);
            skip -= from;
            const piece = received.subarray(from, from + length - filled);
            whole.set(piece, filled);
            filled += piece.length;
            this.#rooms.giveBack(received);
            if (filled === length) break;
          }
        } finally {
          response.body.destroy();
        }
        if (filled === before) throw new Error('the server sent nothing');
        this.#failures = 0;
        return true;
      });
      if (more === null) return whole.slice(0, filled);
    }
    return whole;
  }

  /** @throws UrlChanged also when only the size tells that the resource is another one. */
  async #request(offset: number, last: number | null): Promise<RangedResponse> {
    this.#agents ??= agentsFor(this.#tls, this.#context.baseFolder);
    const { own, elsewhere } = await this.#agents;
    const response = await requestRange({
      url: this.#url,
      headers: this.#headers,
      own,
      elsewhere,
      rooms: this.#rooms,
      signal: this.#context.signal,
      offset,
      last,
      validator: this.#validator,
    });
    if (this.#size !== null && response.size !== null && response.size !== this.#size) {
      response.body?.destroy();
      throw new UrlChanged({ url: shownUrl(this.#url), offset });
    }
    return response;
  }

  /** Tries until it succeeds; null when the connector is stopped. @throws a coded error that ends the input. */
  async #retried<T>(attempt: () => Promise<T>): Promise<T | null> {
    while (!this.#context.signal.aborted) {
      try {
        return await attempt();
      } catch (thrown) {
        if (this.#context.signal.aborted) return null;
        await this.#pauseBeforeRetry(thrown);
      }
    }
    return null;
  }

  /** @throws what was thrown when it is final, or UrlUnavailable after too many failures. */
  async #pauseBeforeRetry(thrown: unknown): Promise<void> {
    if (thrown instanceof MillraceError) throw thrown;
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    if (isTlsFailure(thrown)) throw new UrlTls({ url: shownUrl(this.#url), reason }, { cause: thrown });
    this.#failures++;
    const failure = new UrlUnavailable(
      { url: shownUrl(this.#url), reason, attempts: this.#failures },
      { cause: thrown },
    );
    if (this.#failures > this.#retriesMax) throw failure;
    this.#context.reportError(failure);
    const asked = thrown instanceof TransientStatus ? thrown.retryAfterMs : 0;
    const pause = Math.min(pauseMsMax, firstPauseMs * 2 ** (this.#failures - 1));
    await wait(this.#context.clock, Math.max(asked, pause), this.#context.signal);
  }
}

/** For the origin of the address, and for those that it redirects to: they are not shown the certificate of the client. */
interface Agents {
  readonly own: Asking & { close(): Promise<void> };
  readonly elsewhere: Asking & { close(): Promise<void> };
}

async function agentsFor(settings: TlsSettings, baseFolder: string): Promise<Agents> {
  const tls = (await readTls(settings, baseFolder)) ?? {};
  const { cert: _cert, key: _key, passphrase: _passphrase, ...others } = tls;
  return { own: asking(tls), elsewhere: asking(others) };
}

function asking(connect: TlsOptions): Agents['own'] {
  const bodies = new HttpBodies({ tls: connect, connectMs, idleMs: bodyTimeoutMs, keptMax: connectionsMax });
  let agent: Promise<Agent> | null = null;
  const open = async (): Promise<Agent> => {
    const { Agent: Library } = await import('undici');
    return new Library({ connections: connectionsMax, connect });
  };
  return {
    bodies,
    library: () => (agent ??= open()),
    close: async () => {
      bodies.close();
      await (await agent?.catch(() => null))?.destroy();
    },
  };
}
