// Which settings are masked, and what a mask means that comes back.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { maskSettings, unmaskSettings } from '../../../../actors/gateway/v1/masked-settings.ts';
import { isSecret } from '../../../../connectors/sdk/secret-settings.ts';

test('names that say so are secret, in any spelling', () => {
  for (const name of [
    'password',
    'saslPassword',
    'db.password',
    'auth_token',
    'aws.secretAccessKey',
    'apiKey',
    'api_key',
    'tls.clientKey',
    'client-secret',
    'key',
  ]) {
    assert.ok(isSecret(name), name);
  }
  for (const name of [
    'path',
    'sdk.schema.extract.key.enabled',
    'topic',
    'aws.accessKeyId',
    'max_tokens',
    'monkey',
    'tables',
    'partitionKey',
    'keyField',
  ]) {
    assert.not.ok(isSecret(name), name);
  }
  assert.ok(isSecret('pin', true));
});

test('secrets are masked, passwords inside addresses alone, everything else is shown', () => {
  assert.equal(
    maskSettings({
      password: 'hunter2',
      token: '',
      url: 'postgres://me:hunter2@db:5432/x?sslmode=disable',
      dsn: 'host=db user=me password=hunter2 dbname=x',
      path: '/tmp/a:b@c',
    }),
    {
      password: '***',
      token: '',
      url: 'postgres://me:***@db:5432/x?sslmode=disable',
      dsn: 'host=db user=me password=*** dbname=x',
      path: '/tmp/a:b@c',
    },
  );
});

test('a mask that is written back leaves the value, another value replaces it', () => {
  const before = { password: 'hunter2', url: 'http://me:hunter2@db/', path: 'a' };
  assert.equal(unmaskSettings(maskSettings(before), before), before);
  assert.equal(unmaskSettings({ password: 'new', url: 'http://me:***@other/', path: '***' }, before), {
    password: 'new',
    url: 'http://me:***@other/',
    path: '***',
  });
});

test.run();
