// Tokens for OAUTHBEARER, as the settings of librdkafka and of Feldera ask for them:
//
//   sasl.oauthbearer.method: oidc                from a server of tokens, for the credentials of a client
//   enable.sasl.oauthbearer.unsecure.jwt: true   made here, signed by nobody: for brokers that are only tried
//   sasl.oauthbearer.config                      the token itself
//   none of them                                 of Amazon MSK, signed with the credentials of AWS, for `region`
//
// A token is kept for most of its life; connections that are made meanwhile, and sessions that are prolonged, have the same. A server of tokens
// that says no ends the connector (kafka.token_refused); one that cannot be reached is asked again, as brokers are.
import { readFile } from 'node:fs/promises';
import { request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { resolve } from 'node:path';
import type { Clock } from '../../runtime/clock.ts';
import { ConfigInvalidValue } from '../sdk/configuration-errors.ts';
import type { ParameterValues } from '../sdk/parameters.ts';
import { awsToken, awsTokenSeconds } from './aws-token.ts';
import { KafkaTokenRefused } from './kafka-errors.ts';
import { pairsOf, textOf, tokenOrigin } from './oauth-settings.ts';

const answerMs = 10_000;
const answerBytesMax = 1 << 20;
const secondsDefault = 300;

interface Token {
  readonly text: string;
  readonly seconds: number;
}

export class OauthTokens {
  readonly #settings: ParameterValues;
  readonly #baseFolder: string;
  readonly #clock: Clock;
  #kept: { readonly text: string; readonly until: number } | null = null;

  constructor(settings: ParameterValues, baseFolder: string, clock: Clock) {
    this.#settings = settings;
    this.#baseFolder = baseFolder;
    this.#clock = clock;
  }

  /** What goes with the token: `sasl.oauthbearer.extensions`. */
  get extensions(): Readonly<Record<string, string>> {
    return Object.fromEntries(pairsOf(textOf(this.#settings, 'sasl.oauthbearer.extensions') ?? '', ','));
  }

  /** @throws KafkaTokenRefused, ConfigInvalidValue; what is not coded may pass */
  async current(): Promise<string> {
    const now = this.#clock.now();
    if (this.#kept !== null && now < this.#kept.until) return this.#kept.text;
    const { text, seconds } = await this.#next(now);
    this.#kept = { text, until: now + seconds * 800 };
    return text;
  }

  #next(nowMs: number): Promise<Token> | Token {
    switch (tokenOrigin(this.#settings)) {
      case 'oidc':
        return this.#fetched();
      case 'unsecured':
        return unsecuredToken(textOf(this.#settings, 'sasl.oauthbearer.config') ?? '', nowMs);
      case 'given':
        return { text: textOf(this.#settings, 'sasl.oauthbearer.config') ?? '', seconds: secondsDefault };
      default:
        return this.#ofAws(nowMs);
    }
  }

  async #ofAws(nowMs: number): Promise<Token> {
    const { S3Client } = await import('@aws-sdk/client-s3');
    const region = textOf(this.#settings, 'region') ?? '';
    // Its client looks where the tools of AWS do: the environment, profiles, the role of the machine.
    const client = new S3Client({ region });
    try {
      return { text: awsToken(region, await client.config.credentials(), nowMs), seconds: awsTokenSeconds };
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new KafkaTokenRefused({ server: 'AWS', reason }, { cause });
    } finally {
      client.destroy();
    }
  }

  async #fetched(): Promise<Token> {
    const address = new URL(textOf(this.#settings, 'sasl.oauthbearer.token.endpoint.url') ?? '');
    const scope = textOf(this.#settings, 'sasl.oauthbearer.scope');
    const body = new URLSearchParams({ grant_type: 'client_credentials', ...(scope === undefined ? {} : { scope }) });
    const id = textOf(this.#settings, 'sasl.oauthbearer.client.id', 'sasl.oauthbearer.client.credentials.id') ?? '';
    const secret =
      textOf(this.#settings, 'sasl.oauthbearer.client.secret', 'sasl.oauthbearer.client.credentials.secret') ?? '';
    const login = Buffer.from(`${id}:${secret}`).toString('base64');
    const { status, text } = await this.#post(address, body.toString(), `Basic ${login}`);
    const server = address.origin + address.pathname;
    if (status >= 500 || status === 429) throw new Error(`${server} answers with ${status}`);
    const refuse = (reason: string): Error => new KafkaTokenRefused({ server, reason });
    let answer: unknown;
    try {
      answer = JSON.parse(text);
    } catch {
      throw refuse(`it answers with ${status} and no JSON`);
    }
    const { access_token: token, expires_in: seconds, error } = Object(answer);
    if (typeof token !== 'string' || status >= 400) {
      throw refuse(`it answers with ${status}${typeof error === 'string' ? ` ${error}` : ' and no access_token'}`);
    }
    return { text: token, seconds: Number(seconds) > 0 ? Number(seconds) : secondsDefault };
  }

  async #post(address: URL, body: string, authorization: string): Promise<{ status: number; text: string }> {
    const ca = address.protocol === 'https:' ? await this.#authorities() : undefined;
    const send = address.protocol === 'https:' ? tlsRequest : plainRequest;
    const headers = {
      authorization,
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': Buffer.byteLength(body),
    };
    return await new Promise((done, fail) => {
      const options = { method: 'POST', headers, timeout: answerMs, ...(ca === undefined ? {} : { ca }) };
      const sent = send(address, options, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
          if (text.length > answerBytesMax) sent.destroy(new Error(`${address.origin} answers without end`));
        });
        response.on('end', () => done({ status: response.statusCode ?? 0, text }));
        response.on('error', fail);
      });
      sent.on('timeout', () => sent.destroy(new Error(`${address.origin} has not answered for ${answerMs} ms`)));
      sent.on('error', fail);
      sent.end(body);
    });
  }

  async #authorities(): Promise<string | undefined> {
    const pem = textOf(this.#settings, 'https.ca.pem');
    const key = 'https.ca.location';
    const path = textOf(this.#settings, key);
    if (pem !== undefined || path === undefined) return pem;
    try {
      return await readFile(resolve(this.#baseFolder, path), 'utf8');
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new ConfigInvalidValue({ key, reason: `cannot be read: ${why}` }, { cause });
    }
  }
}

/** `principal=NAME lifeSeconds=3600 scope=A,B …`, as librdkafka reads it. */
function unsecuredToken(config: string, nowMs: number): Token {
  const given = new Map(pairsOf(config, ' '));
  const seconds = Number(given.get('lifeSeconds') ?? 3600);
  const issued = Math.floor(nowMs / 1000);
  const scope = given.get('scope')?.split(',');
  const claims = {
    [given.get('principalClaimName') ?? 'sub']: given.get('principal') ?? '',
    iat: issued,
    exp: issued + seconds,
    ...(scope === undefined ? {} : { [given.get('scopeClaimName') ?? 'scope']: scope }),
  };
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return { text: `${part({ alg: 'none' })}.${part(claims)}.`, seconds };
}
