// A schema registry that speaks the protocol of Confluent, over HTTP: schemas by id, and schemas registered under a subject.
//
//   GET  /schemas/ids/{id}                          { schema, references? }
//   GET  /subjects/{subject}/versions/{version}     { schema, references? }    a schema that another one refers to
//   POST /subjects/{subject}/versions               { schema, schemaType }  ->  { id }
//
// The addresses are asked in turn until one answers; what may pass is tried again with growing pauses, each failure reported. Schemas
// never change: callers keep what they got. What the registry refuses is an error that names the setting. Secrets stay here.
import type { Dispatcher } from 'undici';
import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';
import type { FormatContext } from '../sdk/format.ts';
import type { ParameterValues } from '../sdk/parameters.ts';
import { wait } from '../sdk/wait.ts';

export const RegistryUnavailable: CodedErrorClass<{ readonly reason: string; readonly attempts: number }> = defineError(
  'schema_registry.unavailable',
  { help: 'Check `registry_urls` and that the schema registry runs.', retry: 'later' },
  (f) => `the schema registry cannot be asked: ${f.reason} (attempt ${f.attempts})`,
);

export const RegistryDenied: CodedErrorClass<{ readonly status: number }> = defineError(
  'schema_registry.denied',
  { help: 'Correct `registry_username` and `registry_password`, or `registry_authorization_token`.' },
  (f) => `the schema registry denies access (status ${f.status})`,
);

export const RegistryRefused: CodedErrorClass<{ readonly subject: string; readonly reason: string }> = defineError(
  'schema_registry.refused',
  {
    help: 'The schema does not go with those that the subject has. Choose another `subject_name_strategy`, or change the rules of the subject.',
  },
  (f) => `the schema registry refuses a schema under the subject "${f.subject}": ${f.reason}`,
);

/** A schema as text, and the schemas that it refers to, each behind those that it refers to itself. */
export interface SchemaText {
  readonly text: string;
  readonly references: readonly string[];
}

const attemptsMax = 10;
const firstPauseMs = 100;
const pauseMsMax = 5_000;
const timeoutSecsDefault = 10;
const referencesMax = 64;
const mediaType = 'application/vnd.schemaregistry.v1+json';

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export class SchemaRegistryClient {
  readonly #context: Pick<FormatContext, 'signal' | 'clock' | 'reportError'>;
  readonly #urls: readonly string[];
  readonly #headers: Readonly<Record<string, string>>;
  readonly #timeoutMs: number;
  readonly #proxy: string | null;

  /** `configuration` of a format with the registry's parameters; it keeps the rules of avro-rules.ts. */
  constructor(configuration: ParameterValues, context: Pick<FormatContext, 'signal' | 'clock' | 'reportError'>) {
    this.#context = context;
    // SAFETY: the parameter is a list of texts.
    this.#urls = (configuration['registry_urls'] as readonly string[]).map((url) => url.replace(/\/+$/, ''));
    this.#headers = headersOf(configuration);
    this.#timeoutMs = Number(configuration['registry_timeout_secs'] ?? timeoutSecsDefault) * 1000;
    const proxy = configuration['registry_proxy'];
    this.#proxy = typeof proxy === 'string' ? proxy : null;
  }

  /** Null: there is none with this id. */
  async schemaById(id: number): Promise<SchemaText | null> {
    const { status, body } = await this.#ask('GET', `/schemas/ids/${id}`);
    return status === 404 ? null : await this.#schemaOf(body, 0);
  }

  /** The id of the schema; the same schema again has the same one. @throws RegistryRefused */
  async register(subject: string, schema: string): Promise<number> {
    const path = `/subjects/${encodeURIComponent(subject)}/versions`;
    const { status, body } = await this.#ask('POST', path, { schema, schemaType: 'AVRO' });
    const { id, message } = body;
    if (status !== 200 || typeof id !== 'number') {
      throw new RegistryRefused({ subject, reason: String(message ?? `status ${status}`) });
    }
    return id;
  }

  async #schemaOf(body: Readonly<Record<string, unknown>>, depth: number): Promise<SchemaText | null> {
    const { schema, schemaType = 'AVRO', references = [] } = body;
    if (typeof schema !== 'string' || schemaType !== 'AVRO' || depth > referencesMax) return null;
    const texts: string[] = [];
    for (const reference of Array.isArray(references) ? references : []) {
      const subject = encodeURIComponent(String(reference?.subject));
      const found = await this.#ask('GET', `/subjects/${subject}/versions/${Number(reference?.version)}`);
      const inner = found.status === 404 ? null : await this.#schemaOf(found.body, depth + 1);
      if (inner === null) return null;
      texts.push(...inner.references, inner.text);
    }
    return { text: schema, references: texts };
  }

  /** An answer that is not about the state of the registry: 200, 404, or what is wrong with the request. */
  async #ask(method: 'GET' | 'POST', path: string, body: object | null = null): Promise<Answer> {
    const { signal, clock, reportError } = this.#context;
    for (let failures = 1; ; failures++) {
      let reason = 'no address is given';
      for (const url of this.#urls) {
        try {
          const answer = await this.#request(method, url + path, body);
          if (answer.status === 401 || answer.status === 403) throw new RegistryDenied({ status: answer.status });
          if (answer.status < 500 && answer.status !== 429) return answer;
          reason = `${url} answered with status ${answer.status}`;
        } catch (thrown) {
          if (thrown instanceof RegistryDenied || signal.aborted) throw thrown;
          reason = `${url}: ${reasonOf(thrown)}`;
        }
      }
      const failed = new RegistryUnavailable({ reason, attempts: failures });
      if (failures >= attemptsMax) throw failed;
      reportError(failed);
      await wait(clock, Math.min(pauseMsMax, firstPauseMs * 2 ** (failures - 1)), signal);
    }
  }

  async #request(method: 'GET' | 'POST', url: string, body: object | null): Promise<Answer> {
    const { request, ProxyAgent } = await import('undici');
    const { clock, signal } = this.#context;
    const controller = new AbortController();
    const abort = (): void => controller.abort();
    signal.addEventListener('abort', abort);
    const timer = clock.after(this.#timeoutMs, abort);
    const proxy: Dispatcher | null = this.#proxy === null ? null : new ProxyAgent(this.#proxy);
    try {
      const response = await request(url, {
        method,
        headers: { accept: `${mediaType}, application/json`, ...(body === null ? {} : contentType), ...this.#headers },
        body: body === null ? null : JSON.stringify(body),
        signal: controller.signal,
        ...(proxy === null ? {} : { dispatcher: proxy }),
      });
      return { status: response.statusCode, body: parsed(await response.body.text()) };
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', abort);
      await proxy?.close();
    }
  }
}

const contentType = { 'content-type': mediaType };

function headersOf(configuration: ParameterValues): Readonly<Record<string, string>> {
  // SAFETY: the parameter is a map of texts.
  const given = (configuration['registry_headers'] ?? {}) as Readonly<Record<string, string>>;
  const { registry_username: user, registry_password: password, registry_authorization_token: token } = configuration;
  if (token !== undefined) return { ...given, authorization: `Bearer ${String(token)}` };
  if (user === undefined) return given;
  const pair = Buffer.from(`${String(user)}:${String(password ?? '')}`).toString('base64');
  return { ...given, authorization: `Basic ${pair}` };
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    // SAFETY: an object that is not null.
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
}

function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const code = 'code' in thrown ? String(thrown.code) : '';
  return thrown.message === '' ? code || thrown.name : thrown.message;
}
