// What is asked of the settings of the avro formats beside their types: where schemas come from, and how a registry is asked.
// What depends on the connector (its `index`, its topic) is checked where the encoder is made.
import type { ParameterValues } from '../sdk/parameters.ts';
import type { SettingProblem } from '../sdk/setting-rules.ts';

export function* avroInputRules(values: ParameterValues): Iterable<SettingProblem> {
  const [hasSchema, hasRegistry] = [values['schema'] !== undefined, hasUrls(values)];
  if (hasSchema && hasRegistry) {
    yield { key: 'schema', reason: 'and registry_urls are both given: schemas come from one of them' };
  }
  if (!hasSchema && !hasRegistry) yield { key: 'registry_urls', reason: 'names no registry, and no schema is given' };
  if (hasRegistry && values['skip_schema_id'] === true) {
    yield {
      key: 'skip_schema_id',
      reason: 'means that messages name no schema of a registry: give the schema itself',
    };
  }
  yield* registryRules(values);
}

export function* avroOutputRules(values: ParameterValues): Iterable<SettingProblem> {
  const isJdbc = values['update_format'] === 'confluent_jdbc';
  if (!hasUrls(values) && values['schema'] === undefined) {
    yield { key: 'registry_urls', reason: 'names no registry, and no schema is given' };
  }
  if (isJdbc && typeof values['cdc_field'] === 'string') {
    yield { key: 'cdc_field', reason: 'goes only with update_format raw' };
  }
  if (isJdbc && values['key_mode'] === 'none') {
    yield { key: 'key_mode', reason: 'is none, but update_format confluent_jdbc needs keys: leave it out' };
  }
  yield* registryRules(values);
}

function* registryRules(values: ParameterValues): Iterable<SettingProblem> {
  const urls: unknown = values['registry_urls'];
  for (const url of Array.isArray(urls) ? urls : []) {
    const isAddress = typeof url !== 'string' || (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol));
    if (!isAddress) yield { key: 'registry_urls', reason: 'holds what is no http:// or https:// address' };
  }
  const proxy = values['registry_proxy'];
  if (typeof proxy === 'string' && !(URL.canParse(proxy) && /^https?:$/.test(new URL(proxy).protocol))) {
    yield { key: 'registry_proxy', reason: 'is no http:// or https:// address' };
  }
  const { registry_username: user, registry_password: password, registry_authorization_token: token } = values;
  if (token !== undefined && user !== undefined) {
    yield {
      key: 'registry_authorization_token',
      reason: 'and registry_username are both given: the registry knows one of them',
    };
  }
  if (password !== undefined && user === undefined) {
    yield { key: 'registry_password', reason: 'needs registry_username' };
  }
}

function hasUrls({ registry_urls: urls }: ParameterValues): boolean {
  return Array.isArray(urls) && urls.length > 0;
}
