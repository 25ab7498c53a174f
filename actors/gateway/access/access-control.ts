// Who may do what: reads the key of a request, finds what it is good for, and refuses the rest.
//
//   no keys, loopback            everybody may do everything; requests of other hosts and origins are refused even so
//   keys, none of them admin,    a key is needed, except to manage keys: else nobody ever could
//     loopback
//   otherwise                    a key is needed
//
// `admin` is good for everything, `write` for what `read` and `ingest` are good for too. A key may be bound to pipelines: it is
// then good for these alone, and for what the server says of itself. A key that is presented counts, also where none is needed.
import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../../runtime/clock.ts';
import type { AccessScope, Store, StoredApiKey } from '../../store/messages.ts';
import { HttpProblem } from '../http/http-problem.ts';
import type { Principal } from '../http/principal.ts';
import { idOfSecret, isSecret, makeSecret, saltedHash } from './key-secret.ts';
import { isLoopbackHost, isTrustedOrigin } from './request-origin.ts';
import { type Rate, TokenBucket } from './token-bucket.ts';

export interface AccessRequest {
  readonly scope: AccessScope | 'none';
  /** The pipeline's name as the path says it; null: none in particular. */
  readonly pipeline: string | null;
  /** The reply holds what the caller may see only: it need not be good for all pipelines. */
  readonly isFiltered?: boolean;
}

export interface AccessOptions {
  readonly store: Pick<Store, 'apiKeys' | 'addApiKey' | 'removeApiKey'>;
  readonly clock: Clock;
  /** What the server listens on. */
  readonly host: string;
  /** An admin key beside those in the store, from the environment; the way in where nobody may enter without one. */
  readonly adminKey?: string | undefined;
  /** Of each key; none: no limit. */
  readonly rate?: Rate | undefined;
  /** The most bytes that the body of a request of a key may have, announced or not; none: no limit. */
  readonly bodyBytesMax?: number | undefined;
  /** Origins that browsers may call from, beside loopback; `*`: all. */
  readonly corsOrigins?: readonly string[] | undefined;
}

export interface NewKey {
  readonly name: string;
  readonly scopes: readonly AccessScope[];
  readonly pipelines: readonly string[] | null;
}

const everything: readonly AccessScope[] = ['read', 'write', 'ingest', 'admin'];
/** A caller without a key, where none is needed. */
export const anonymous: Principal = { key: null, scopes: everything, pipelines: null };
const adminKeyName = 'environment';
const keyRoutes = /^\/v0\/api_keys(?:[/?]|$)/;
/** What the server says of itself: a client asks before it does anything else. */
const aboutServer = /^\/v0\/(?:config|cluster_healthz)(?:[/?]|$)/;

export class AccessControl {
  readonly #options: AccessOptions;
  readonly #keys: Map<string, StoredApiKey>;
  readonly #buckets = new Map<string, TokenBucket>();
  readonly #adminKey: { readonly salt: string; readonly hash: string } | null;
  readonly #principals = new WeakMap<IncomingMessage, Principal>();
  readonly #isLoopback: boolean;
  /** A Host that was found to be this machine: nearly every request has the same. */
  #ownHost: string | null = null;

  private constructor(options: AccessOptions, keys: readonly StoredApiKey[]) {
    this.#options = options;
    this.#keys = new Map(keys.map((key) => [key.id, key]));
    this.#isLoopback = isLoopbackHost(options.host);
    const { salt } = makeSecret();
    const { adminKey } = options;
    this.#adminKey = adminKey === undefined || adminKey === '' ? null : { salt, hash: saltedHash(adminKey, salt) };
  }

  static async open(options: AccessOptions): Promise<AccessControl> {
    return new AccessControl(options, await options.store.apiKeys());
  }

  /** No key is needed: it listens on loopback only, and there are no keys. */
  get isOff(): boolean {
    return this.#isLoopback && this.#keys.size === 0 && this.#adminKey === null;
  }

  /** One sentence for the line that says that the server is up. */
  get description(): string {
    if (this.isOff) return 'no API keys: everybody on this machine may do everything';
    if (this.#keys.size === 0 && this.#adminKey === null)
      return 'no API keys, and one is needed: set MILLRACE_ADMIN_KEY';
    return 'an API key is needed';
  }

  /** Whom `authorize` has found behind a request; null: nobody in particular. */
  principalOf(request: IncomingMessage): Principal | null {
    return this.#principals.get(request) ?? null;
  }

  /** @throws HttpProblem 401, 403, 413, 429 */
  authorize(request: IncomingMessage, wanted: AccessRequest): Principal {
    const principal = this.#identify(request, wanted);
    // Nobody in particular is nobody to remember.
    if (principal !== anonymous) this.#principals.set(request, principal);
    if (wanted.scope !== 'none') allow(request, principal, wanted.scope, wanted);
    this.#limit(request, principal);
    return principal;
  }

  /** The most bytes that the body of an authorized request may have; null: no limit. */
  bodyBytesMaxOf(request: IncomingMessage): number | null {
    if ((this.#principals.get(request)?.key ?? null) === null) return null;
    return this.#options.bodyBytesMax ?? null;
  }

  async createKey(wanted: NewKey): Promise<{ readonly key: StoredApiKey; readonly secret: string }> {
    const { id, text, salt, hash } = makeSecret();
    const key: StoredApiKey = { ...wanted, id, salt, hash, createdAt: this.#options.clock.now() };
    await this.#options.store.addApiKey(key);
    this.#keys.set(id, key);
    return { key, secret: text };
  }

  /** By name. */
  keys(): readonly StoredApiKey[] {
    return [...this.#keys.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Takes effect with the next request. False: there is none of this id. */
  async revokeKey(id: string): Promise<boolean> {
    this.#keys.delete(id);
    this.#buckets.delete(id);
    return await this.#options.store.removeApiKey(id);
  }

  #identify(request: IncomingMessage, wanted: AccessRequest): Principal {
    const text = presentedKey(request);
    if (text !== null) return this.#holderOf(text) ?? this.#anonymous(request);
    if (wanted.scope === 'none') return { ...anonymous, scopes: [] };
    const isKeyless = this.isOff || (this.#isLackingAdmin && keyRoutes.test(request.url ?? ''));
    if (!isKeyless) {
      throw invalidKey('this server needs an API key: send it as `Authorization: Bearer apikey:…`');
    }
    return this.#anonymous(request);
  }

  #anonymous(request: IncomingMessage): Principal {
    // A page of another site, or a name that has been made to point here, must not ride on being on this machine.
    const { host = null, origin } = request.headers;
    if (origin === undefined && host !== null && host === this.#ownHost) return anonymous;
    if (!isTrustedOrigin(request.headers, this.#options.corsOrigins ?? [])) {
      throw denied(
        'without API keys the server answers requests from this machine only, addressed to it by its own name',
      );
    }
    if (host !== null && host.length < 100) this.#ownHost = host;
    return anonymous;
  }

  get #isLackingAdmin(): boolean {
    if (!this.#isLoopback || this.#adminKey !== null) return false;
    return ![...this.#keys.values()].some((key) => key.scopes.includes('admin'));
  }

  /** null: nobody, and nobody need be. @throws HttpProblem 401 */
  #holderOf(text: string): Principal | null {
    if (this.#adminKey !== null && isSecret(text, this.#adminKey.salt, this.#adminKey.hash)) {
      return { key: adminKeyName, scopes: everything, pipelines: null };
    }
    const key = this.#keys.get(idOfSecret(text) ?? '');
    // An unknown id costs as much as a wrong secret.
    const isValid = isSecret(text, key?.salt ?? '', key?.hash ?? '0'.repeat(64));
    // A server that asks for no key takes requests of clients that are set up with one for another server.
    if (!isValid && this.isOff) return null;
    if (key === undefined || !isValid) throw invalidKey('the API key is not valid: it is unknown or has been revoked');
    return { key: key.name, scopes: key.scopes, pipelines: key.pipelines };
  }

  #limit(request: IncomingMessage, principal: Principal): void {
    const { rate, bodyBytesMax, clock } = this.#options;
    if (principal.key === null) return;
    const announced = Number(request.headers['content-length'] ?? 0);
    if (bodyBytesMax !== undefined && announced > bodyBytesMax) {
      const message = `a request of this key may have ${bodyBytesMax} bytes, this one has ${announced}`;
      throw new HttpProblem({ status: 413, code: 'PayloadTooLarge', message, details: { bytes_max: bodyBytesMax } });
    }
    if (rate === undefined) return;
    let bucket = this.#buckets.get(principal.key);
    if (bucket === undefined) {
      bucket = new TokenBucket(rate, clock);
      this.#buckets.set(principal.key, bucket);
    }
    const waitSeconds = bucket.take();
    if (waitSeconds === 0) return;
    throw new HttpProblem({
      status: 429,
      code: 'TooManyRequests',
      message: `this key may send ${rate.perSecond} requests a second`,
      headers: { 'Retry-After': String(Math.ceil(waitSeconds)) },
    });
  }
}

function allow(request: IncomingMessage, principal: Principal, scope: AccessScope, wanted: AccessRequest): void {
  const { pipeline, isFiltered = false } = wanted;
  const { scopes, pipelines } = principal;
  const isGood =
    scopes.includes(scope) ||
    scopes.includes('admin') ||
    (scopes.includes('write') && (scope === 'read' || scope === 'ingest'));
  const isAbout = pipeline === null && aboutServer.test(request.url ?? '');
  if (!isGood && !isAbout) throw denied(`this key is not good for '${scope}'`);
  if (pipelines === null || isAbout || isFiltered) return;
  if (pipeline === null || !pipelines.includes(pipeline)) {
    throw denied(
      pipeline === null ? 'this key is good for single pipelines only' : 'this key is not good for this pipeline',
    );
  }
}

/** The text of `Authorization: Bearer`; of `?api_key=` where a browser can send no header (EventSource, WebSocket). */
function presentedKey(request: IncomingMessage): string | null {
  const header = request.headers.authorization;
  if (header !== undefined) {
    const found = /^Bearer +(\S+) *$/i.exec(header);
    if (found === null) throw invalidKey('the Authorization header must read `Bearer apikey:…`');
    return found[1] ?? '';
  }
  const url = request.url ?? '';
  if (request.method !== 'GET' || !url.includes('api_key=')) return null;
  return new URLSearchParams(url.slice(url.indexOf('?') + 1)).get('api_key');
}

function invalidKey(message: string): HttpProblem {
  return new HttpProblem({ status: 401, code: 'InvalidApiKey', message, headers: { 'WWW-Authenticate': 'Bearer' } });
}

function denied(message: string): HttpProblem {
  return new HttpProblem({ status: 403, code: 'InsufficientPermissions', message });
}
