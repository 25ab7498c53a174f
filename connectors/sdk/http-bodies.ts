// GET requests whose bodies are read straight into memory of the caller's, over connections that are used again.
//
// For large bodies only, where the libraries of HTTP would take most of the time (body-connection.ts says why). What they know and this does
// not is told to the caller, who asks a library then: nothing was read, and a GET may be asked again. A connection that was used before and
// breaks before a byte of the answer is one that the server had closed meanwhile: the request goes out again on another one.
import { assert } from '../../runtime/assert.ts';
import { type AnswerHead, BodyConnection, type BodyTarget, type ConnectionLimits } from './body-connection.ts';
import type { TlsOptions } from './tls-settings.ts';

export interface BodyRequest {
  readonly url: URL;
  /** Path and query as they go over the wire. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** An answer of which the body is still to be read (where its length is known), or closed. */
export interface BodyAnswer extends AnswerHead {
  read(target: BodyTarget): Promise<void>;
  /** The target takes bytes again. */
  goOn(): void;
  /** Nobody wants the rest. */
  close(): void;
}

export interface HttpBodiesOptions extends ConnectionLimits {
  readonly tls: TlsOptions;
  /** Connections that are kept while nobody uses them. */
  readonly keptMax: number;
}

export class HttpBodies {
  readonly #options: HttpBodiesOptions;
  readonly #idle: { readonly origin: string; readonly connection: BodyConnection }[] = [];
  readonly #all = new Set<BodyConnection>();
  /** Origins whose bodies are of a length that nobody knows before: they are not asked again. */
  readonly #unknown = new Set<string>();

  constructor(options: HttpBodiesOptions) {
    this.#options = options;
  }

  /** Null: a library has to ask; so it has for a body whose length nobody knows before. @throws why the connection was lost, or the reason of `signal` */
  async get(request: BodyRequest, signal: AbortSignal): Promise<BodyAnswer | null> {
    const text = textOf(request);
    if (text === null || this.#unknown.has(request.url.origin)) return null;
    for (;;) {
      signal.throwIfAborted();
      const kept = this.#kept(request.url.origin);
      const connection = kept ?? this.#open(request.url);
      const abort = (): void => connection.close();
      signal.addEventListener('abort', abort, { once: true });
      try {
        const head = await connection.ask(text);
        if (head.status === 0) {
          connection.close();
          return null;
        }
        if (head.length === null && head.status < 300) this.#unknown.add(request.url.origin);
        return this.#answer(request.url.origin, connection, head, signal);
      } catch (thrown) {
        signal.throwIfAborted();
        if (kept === null || connection.hasBegun) throw thrown;
      } finally {
        signal.removeEventListener('abort', abort);
      }
    }
  }

  close(): void {
    for (const connection of this.#all) connection.close();
    this.#idle.length = 0;
  }

  #answer(origin: string, connection: BodyConnection, head: AnswerHead, signal: AbortSignal): BodyAnswer {
    return {
      ...head,
      read: async (target) => {
        assert(head.length !== null, 'a body is read whose length is known');
        const abort = (): void => connection.close();
        signal.addEventListener('abort', abort, { once: true });
        try {
          await connection.body(target);
        } catch (thrown) {
          signal.throwIfAborted();
          throw thrown;
        } finally {
          signal.removeEventListener('abort', abort);
        }
        if (connection.isIdle && this.#idle.length < this.#options.keptMax) this.#idle.push({ origin, connection });
        else connection.close();
      },
      goOn: () => connection.goOn(),
      close: () => connection.close(),
    };
  }

  #kept(origin: string): BodyConnection | null {
    for (;;) {
      const at = this.#idle.findLastIndex((kept) => kept.origin === origin);
      if (at < 0) return null;
      const [found] = this.#idle.splice(at, 1);
      if (found?.connection.isIdle === true) return found.connection;
    }
  }

  #open({ protocol, hostname, port }: URL): BodyConnection {
    const host = hostname.replace(/^\[|\]$/g, '');
    const address = { protocol, host, port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port) };
    const connection: BodyConnection = new BodyConnection(address, this.#options.tls, this.#options, () =>
      this.#all.delete(connection),
    );
    this.#all.add(connection);
    return connection;
  }
}

/** Null: it cannot be spelled plainly. */
function textOf({ url, path, headers }: BodyRequest): string | null {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const host = Object.keys(headers).some((name) => name.toLowerCase() === 'host') ? '' : `host: ${url.host}\r\n`;
  const values = [path, ...Object.keys(headers), ...Object.values(headers)];
  // Printable Latin-1 alone; names are checked by the library that would be asked instead.
  if (values.some((value) => /[^\t\x20-\x7e\x80-\xff]/.test(value)) || /\s/.test(path)) return null;
  return `GET ${path} HTTP/1.1\r\n${host}${lines.join('')}\r\n`;
}
