// An error as HTTP tells it: a status beside the stable code, and the body `{message, error_code, details}` that clients of
// `/v0` read. Thrown by handlers, written by the server (http-server.ts), never shown to embedded users.
//
// Not here: which coded error of the runtime becomes which status (problem-reply.ts).

export interface HttpProblemOptions {
  readonly status: number;
  /** Stable and foreign: the name that `/v0` uses, for instance `UnknownPipelineName`. */
  readonly code: string;
  readonly message: string;
  /** JSON; null when there is nothing more to say. Never a secret. */
  readonly details?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

export class HttpProblem extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: unknown;
  readonly headers: Readonly<Record<string, string>>;

  constructor(options: HttpProblemOptions) {
    super(options.message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'HttpProblem';
    this.status = options.status;
    this.code = options.code;
    this.details = options.details ?? null;
    this.headers = options.headers ?? {};
  }
}
