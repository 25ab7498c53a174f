// What was done through the server, by whom: one line of JSON for each request that changes something, manages keys or was
// refused, in the data folder. Never a query (it may hold a key), a header or a body.
//
//   {"time":"…","request_id":"…","key":"name"|null,"remote":"…","method":"…","path":"/…","status":200}
//
// Rows that come in and queries are data, not administration: they stand in statistics, here only when they are refused.
// A file that has reached its size is renamed; the latest `filesMax` stay. Lines are written in order, behind one another; the
// request does not wait for them. Lines that cannot be written are counted in the log of the server.
import { appendFile, rename, stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../../runtime/clock.ts';
import type { Log } from '../../../runtime/log.ts';

const fileBytesMax = 64 << 20;
const filesMax = 5;

export interface AuditLogOptions {
  readonly file: string;
  readonly clock: Clock;
  readonly log: Log;
  /** The name of the key behind a request. */
  readonly keyOf: (request: IncomingMessage) => string | null;
  readonly bytesMax?: number;
}

export class AuditLog {
  readonly #options: AuditLogOptions;
  readonly #bytesMax: number;
  #lines: string[] = [];
  #writing: Promise<void> | null = null;

  constructor(options: AuditLogOptions) {
    this.#options = options;
    this.#bytesMax = options.bytesMax ?? fileBytesMax;
  }

  /** Called once for each request, when it comes in; the line is written when its reply is over. */
  watch(request: IncomingMessage, response: ServerResponse, requestId: string): void {
    response.once('close', () => {
      // Without a head nothing was answered: the client has left.
      this.record(request, requestId, response.headersSent ? response.statusCode : 0);
    });
  }

  /** For replies that are not a ServerResponse (an upgrade). */
  record(request: IncomingMessage, requestId: string, status: number): void {
    const method = request.method ?? '';
    const path = (request.url ?? '').split('?')[0] ?? '';
    if (!isNotable(method, path, status)) return;
    const line = {
      time: new Date(this.#options.clock.now()).toISOString(),
      request_id: requestId,
      key: this.#options.keyOf(request),
      remote: request.socket.remoteAddress ?? null,
      method,
      path,
      status,
    };
    this.#lines.push(`${JSON.stringify(line)}\n`);
    this.#writing ??= this.#write();
  }

  /** Everything recorded so far is written. */
  async flush(): Promise<void> {
    while (this.#writing !== null) await this.#writing;
  }

  async #write(): Promise<void> {
    // What else comes in this turn goes with it.
    await Promise.resolve();
    while (this.#lines.length > 0) {
      const lines = this.#lines;
      this.#lines = [];
      try {
        await this.#rotate();
        await appendFile(this.#options.file, lines.join(''), { mode: 0o600 });
      } catch (error) {
        const detail = error instanceof Error ? error.message : String(error);
        this.#options.log.error('lines of the audit log could not be written', { lines: lines.length, detail });
      }
    }
    this.#writing = null;
  }

  async #rotate(): Promise<void> {
    const { file } = this.#options;
    const bytes = await stat(file).then(
      (found) => found.size,
      () => 0,
    );
    if (bytes < this.#bytesMax) return;
    for (let i = filesMax - 1; i >= 1; i--) {
      await rename(i === 1 ? file : `${file}.${i - 1}`, `${file}.${i}`).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
      });
    }
  }
}

function isNotable(method: string, path: string, status: number): boolean {
  if (status === 401 || status === 403 || status === 413 || status === 429) return true;
  if (path.startsWith('/v0/api_keys')) return true;
  if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') return false;
  return !/^\/v0\/pipelines\/[^/]+\/(?:ingress|egress)\//.test(path);
}
