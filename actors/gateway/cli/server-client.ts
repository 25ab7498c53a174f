// Calls of the command line to a server: its address, the key, and what it says when it refuses.
//
// `--url` and `--api-key`, else MILLRACE_URL and MILLRACE_API_KEY, else the address that `millrace serve` has by default.
import { type CodedErrorClass, defineError, type MillraceError } from '../../../runtime/errors.ts';
import { nearestName } from '../../../runtime/nearest-name.ts';
import { type OptionValues, type Tools, UsageError } from './command.ts';
import { list, text } from './reply-fields.ts';

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

export const ServerUnauthorized: CodedErrorClass<{ readonly detail: string }> = defineError(
  'server.unauthorized',
  {
    help: 'Give a key with --api-key or MILLRACE_API_KEY; `millrace api-key create NAME` makes one, with the key of an admin.',
  },
  (f) => `the server wants another API key: ${f.detail}`,
);

/** What was looked for in a list of the server's, and is not in it. */
export function absent(what: string, wanted: string, names: readonly string[]): MillraceError {
  const fields = { status: 404, errorCode: '', detail: `the server has no ${what} "${wanted}"` };
  return new ServerRefused(fields, { suggestion: nearestName(wanted, names) });
}

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

  /**
   * The reply of `path` below /v0/pipelines/{pipeline}. A pipeline that does not exist is reported with the nearest name.
   * @throws ServerUnreachable, ServerRefused, ServerUnauthorized, the signal's reason
   */
  async ask(pipeline: string, path: string, init: RequestInit = {}): Promise<Response> {
    try {
      return await this.call(`/pipelines/${encodeURIComponent(pipeline)}${path}`, init);
    } catch (error) {
      if (!(error instanceof ServerRefused) || error.fields['errorCode'] !== 'UnknownPipelineName') throw error;
      const fields = { status: 404, errorCode: 'UnknownPipelineName', detail: `there is no pipeline "${pipeline}"` };
      throw new ServerRefused(fields, { suggestion: nearestName(pipeline, await this.#pipelineNames()), cause: error });
    }
  }

  /** The reply of `path` below /v0. @throws ServerUnreachable, ServerRefused, ServerUnauthorized, the signal's reason */
  call(path: string, init: RequestInit = {}): Promise<Response> {
    return this.fetch(`/v0${path}`, init);
  }

  /** The reply of a whole path. @throws ServerUnreachable, ServerRefused, ServerUnauthorized, the signal's reason */
  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const content = init.body === undefined ? {} : { 'content-type': 'application/json' };
    let response: Response;
    try {
      response = await fetch(`${this.#url}${path}`, { ...init, headers: { ...this.#headers, ...content } });
    } catch (error) {
      if (init.signal?.aborted === true) throw error;
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      const detail = cause instanceof Error ? cause.message || String(Reflect.get(cause, 'code')) : String(cause);
      throw new ServerUnreachable({ url: this.#url, detail }, { cause: error });
    }
    if (response.ok) return response;
    const { message, errorCode } = problemOf(await response.text());
    if (response.status === 401) throw new ServerUnauthorized({ detail: message });
    throw new ServerRefused({ status: response.status, errorCode, detail: message });
  }

  /** None for a key that may not list them: the suggestion is left out then. */
  async #pipelineNames(): Promise<string[]> {
    const reply = await this.call('/pipelines?selector=status').catch(() => null);
    return reply === null ? [] : list(await reply.json()).map((pipeline) => text(pipeline, 'name'));
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
      // `/v1` has its codes in the details.
      const [detail]: readonly unknown[] = list(Reflect.get(problem, 'details'));
      const errorCode: unknown = Reflect.get(problem, 'error_code') ?? text(detail, 'reason');
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
