// Every failure of the client: a stable code, the status of the reply where there was one, and whether the same call can
// succeed later. Codes of the server are passed on as they are; those that begin with `client.` are made here.

export interface ClientErrorOptions {
  readonly code: string;
  readonly message: string;
  readonly status?: number | null | undefined;
  readonly retryable?: boolean | undefined;
  readonly details?: unknown;
  readonly cause?: unknown;
}

export class ClientError extends Error {
  /**
   * The server's `error_code`, or `client.network`, `client.silent`, `client.timed_out`, `client.closed`, `client.gave_up`,
   * `client.malformed_reply`, `client.not_json`, `client.query_failed`, `client.changes_lost`, `client.copy_diverged`,
   * `client.pipeline_failed`, `client.bad_option`.
   */
  readonly code: string;
  /** Of the reply; null when there was none. */
  readonly status: number | null;
  readonly retryable: boolean;
  /** What the server says besides; null when it says nothing. */
  readonly details: unknown;

  constructor(options: ClientErrorOptions) {
    super(options.message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'ClientError';
    this.code = options.code;
    this.status = options.status ?? null;
    this.retryable = options.retryable ?? false;
    this.details = options.details ?? null;
  }
}

const passing: ReadonlySet<number> = new Set([408, 425, 429, 502, 503, 504]);

/** The error that a reply with a status of 400 or more tells. */
export function errorOfReply(status: number, body: unknown, text: string): ClientError {
  const fields: Readonly<Record<string, unknown>> = typeof body === 'object' && body !== null ? { ...body } : {};
  const { message, error_code: code, details } = fields;
  return new ClientError({
    code: typeof code === 'string' ? code : `http.${status}`,
    message: typeof message === 'string' ? message : text.slice(0, 1000) || `the server answered ${status}`,
    status,
    retryable: passing.has(status),
    details: details ?? null,
  });
}
