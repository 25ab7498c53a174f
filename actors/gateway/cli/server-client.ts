// Calls of the command line to a server: its address, the key, and what it says when it refuses.
//
// `--url` and `--api-key`, else MILLRACE_URL and MILLRACE_API_KEY, else the address that `millrace serve` has by default.
import { type CodedErrorClass, defineError } from '../../../runtime/errors.ts';
import { type OptionValues, type Tools, UsageError } from './command.ts';

export const ServerUnreachable: CodedErrorClass<{ readonly url: string; readonly detail: string }> = defineError(
  'server.unreachable',
  { help: 'Start one with `millrace serve`, or name it with --url or MILLRACE_URL.', retry: 'later' },
  (f) => `no server answers at ${f.url}: ${f.detail}`,
);

export const ServerRefused: CodedErrorClass<{
  readonly status: number;
  readonly errorCode: string;
  readonly detail: string;
}> = defineError(
  'server.refused',
  { help: 'The message is that of the server.' },
  (f) => `${f.detail} (${f.errorCode === '' ? '' : `${f.errorCode}, `}status ${f.status})`,
);

/** Options of every command that talks to a server. */
export const serverOptions: {
  readonly url: { readonly type: 'string' };
  readonly 'api-key': { readonly type: 'string' };
} = { url: { type: 'string' }, 'api-key': { type: 'string' } };

const urlDefault = 'http://127.0.0.1:8080';

export class ServerClient {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;

  /** @throws UsageError */
  constructor(options: OptionValues, environment: Tools['environment']) {
    const given = options['url'] ?? environment['MILLRACE_URL'] ?? urlDefault;
    const url = typeof given === 'string' && URL.canParse(given) ? new URL(given) : null;
    if (url === null || !/^https?:$/.test(url.protocol)) {
      throw new UsageError({ detail: `--url: "${String(given)}" is no http address` });
    }
    this.#url = url.href.replace(/\/+$/, '');
    const key = options['api-key'] ?? environment['MILLRACE_API_KEY'];
    this.#headers = typeof key === 'string' && key !== '' ? { authorization: `Bearer ${key}` } : {};
  }

  /** The reply of `path` below /v0/pipelines/{pipeline}. @throws ServerUnreachable, ServerRefused, the signal's reason */
  async ask(pipeline: string, path: string, init: RequestInit = {}): Promise<Response> {
    const url = `${this.#url}/v0/pipelines/${encodeURIComponent(pipeline)}${path}`;
    let response: Response;
    try {
      response = await fetch(url, { ...init, headers: this.#headers });
    } catch (error) {
      if (init.signal?.aborted === true) throw error;
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      const detail = cause instanceof Error ? cause.message : String(cause);
      throw new ServerUnreachable({ url: this.#url, detail }, { cause: error });
    }
    if (response.ok) return response;
    const { message, errorCode } = problemOf(await response.text());
    throw new ServerRefused({ status: response.status, errorCode, detail: message });
  }

  query(pipeline: string, sql: string, format: string, signal?: AbortSignal): Promise<Response> {
    const parameters = new URLSearchParams({ sql, format });
    return this.ask(pipeline, `/query?${parameters}`, signal === undefined ? {} : { signal });
  }
}

function problemOf(body: string): { readonly message: string; readonly errorCode: string } {
  try {
    const problem: unknown = JSON.parse(body);
    if (typeof problem === 'object' && problem !== null) {
      const message: unknown = Reflect.get(problem, 'message');
      const errorCode: unknown = Reflect.get(problem, 'error_code');
      return {
        message: typeof message === 'string' ? message : body,
        errorCode: typeof errorCode === 'string' ? errorCode : '',
      };
    }
  } catch {
    // Something else than our server has answered; its text says more than we could.
  }
  return { message: body.slice(0, 500), errorCode: '' };
}
