// Settings of OAUTHBEARER: which of them say where the token comes from, and what is asked of them. Pure.
import type { ParameterValues } from '../sdk/parameters.ts';
import { type SettingProblem, unknownText } from '../sdk/setting-rules.ts';

/** See oauth-tokens.ts. */
export type TokenOrigin = 'oidc' | 'unsecured' | 'given' | 'aws';

export function tokenOrigin(settings: ParameterValues): TokenOrigin {
  if (textOf(settings, 'sasl.oauthbearer.method')?.toLowerCase() === 'oidc') return 'oidc';
  if (textOf(settings, 'enable.sasl.oauthbearer.unsecure.jwt') === 'true') return 'unsecured';
  return textOf(settings, 'sasl.oauthbearer.config') === undefined ? 'aws' : 'given';
}

/** The first of the names that has a value. */
export function textOf(settings: ParameterValues, ...names: readonly string[]): string | undefined {
  const given = names.map((name) => settings[name]).find((value) => value !== undefined && value !== '');
  return given === undefined ? undefined : String(given);
}

/** `name=value` by name, whatever stands between two of them. */
export function pairsOf(text: string, between: string): (readonly [name: string, value: string])[] {
  return text
    .split(between)
    .filter((pair) => pair.trim() !== '')
    .map((pair) => {
      const at = pair.indexOf('=');
      return at < 0 ? [pair.trim(), ''] : [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
    });
}

/** Of a connector that logs in by OAUTHBEARER. */
export function* oauthRules(values: ParameterValues): Iterable<SettingProblem> {
  const given = (...names: readonly string[]): boolean => textOf(values, ...names) !== undefined;
  const one = (key: string, known: readonly string[]): SettingProblem | null => {
    const text = textOf(values, key);
    if (text === undefined || text.includes('${') || known.includes(text.toLowerCase())) return null;
    return unknownText(key, text, known, `must be ${known.join(' or ')}`);
  };
  for (const problem of [
    one('sasl.oauthbearer.method', ['default', 'oidc']),
    one('sasl.oauthbearer.grant.type', ['client_credentials']),
    one('enable.sasl.oauthbearer.unsecure.jwt', ['true', 'false']),
  ]) {
    if (problem !== null) yield problem;
  }
  switch (tokenOrigin(values)) {
    case 'oidc': {
      for (const key of ['sasl.oauthbearer.client.id', 'sasl.oauthbearer.client.secret']) {
        if (!given(key, key.replace('client.', 'client.credentials.'))) yield { key, reason: 'missing' };
      }
      const key = 'sasl.oauthbearer.token.endpoint.url';
      const address = textOf(values, key);
      if (address === undefined) yield { key, reason: 'missing' };
      else if (!address.includes('${') && !/^https?:\/\/./.test(address)) {
        yield { key, reason: 'is no http:// or https:// address' };
      }
      return;
    }
    case 'unsecured':
      if (!/(?:^|\s)principal=./.test(textOf(values, 'sasl.oauthbearer.config') ?? '')) {
        yield { key: 'sasl.oauthbearer.config', reason: 'says no principal=NAME' };
      }
      return;
    case 'aws':
      // Without a region there is nobody whose token it could be.
      if (!given('region')) yield { key: 'sasl.oauthbearer.config', reason: 'missing' };
      return;
    default:
  }
}
