// Go templates: what Go prints, where errors are, what is bounded, and that bytes come out as they went in.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ConnectorRecord } from '../../../connectors/sdk/record.ts';
import { GoTemplate } from '../../../connectors/templates/go-template.ts';
import { bytesOfText, textOfBytes } from '../../../connectors/templates/go-values.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { MillraceError } from '../../../runtime/errors.ts';
import { goTemplateCases } from './go-template-cases.ts';
import { versionAndUrlCases } from './version-and-url-cases.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const record: ConnectorRecord = {
  position: bytes('pos-1'),
  operation: 'update',
  metadata: { 'opencdc.collection': 'users', 'opencdc.readAt': '1700000000123456789', kind: 'x', n: '12' },
  key: bytes('key-1'),
  before: null,
  after: {
    name: "Ann O'Neil",
    age: 42n,
    ratio: 2.5,
    big: 9007199254740993n,
    ok: true,
    none: null,
    f: 1e6,
    small: 1.5e-7,
    hundred: 100,
    tags: ['b', 'a', 'c'],
    nums: [3n, 1n, 2.5],
    addr: { city: 'Köln', zip: '50667', geo: { lat: 1.25 } },
    empty: '',
    html: '<a href="x">&\'</a>',
    bytes: Uint8Array.of(104, 105, 255),
    text: 'The quick brown fox jumps over the lazy dog',
    snake: 'someHTTPServer2Name',
    json: '{"a":[1,2.5,"x"],"b":null}',
    date: '2024-02-29T13:04:05.678+02:00',
    multi: 'a\nb\nc',
  },
};

function run(template: string): { readonly text: string | null; readonly error: string } {
  const fails = template.startsWith('!');
  try {
    const made = new GoTemplate(fails ? template.slice(1) : template, systemClock, { missingKeyFails: fails });
    return { text: Buffer.from(made.recordBytes(record)).toString(), error: '' };
  } catch (thrown) {
    if (!(thrown instanceof MillraceError)) throw thrown;
    return { text: null, error: `${thrown.code} ${thrown.message}` };
  }
}

for (const [i, [template, printed]] of [...goTemplateCases, ...versionAndUrlCases].entries()) {
  test(`case ${i} prints what Go prints: ${template.slice(0, 60)}`, () => {
    const { text, error } = run(template);
    assert.is(text, printed, error);
  });
}

test('errors of the template and of the record name line and column, and the nearest name', () => {
  assert.is(
    run('a\n  {{ uper .Key }}').error,
    'template.malformed 2:6: there is no function "uper" (did you mean "upper"?)',
  );
  assert.is(
    run('{{ $count := 1 }}\n{{ $cuont }}').error,
    'template.malformed 2:4: there is no variable "$cuont" (did you mean "$count"?)',
  );
  assert.is(run('x\n{{ lt 1 .Key }}').error, 'template.failed 2:4: error calling lt: invalid type for comparison');
  assert.is(run('{{ env "HOME" }}').error.startsWith('template.malformed 1:4: the function "env" is refused'), true);
});

test('what a template makes is bounded, in depth and in length', () => {
  assert.match(
    run('{{ define "a" }}{{ template "a" }}{{ end }}{{ template "a" }}').error,
    /templates call one another/,
  );
  assert.match(run('{{ repeat 100000000 "xxxxxxxxxx" }}').error, /too long/);
  assert.match(run('{{ range 100000000000 }}x{{ end }}').error, /too long/);
});

test('bytes that are no UTF-8 come out as they went in', () => {
  const raw = Uint8Array.from({ length: 256 }, (_, i) => i);
  assert.equal(new Uint8Array(bytesOfText(textOfBytes(raw))), raw);
  const template = new GoTemplate('<{{ printf "%s" .Key }}>', systemClock);
  const printed = template.recordBytes({ ...record, key: raw });
  assert.equal(new Uint8Array(printed), Uint8Array.of(0x3c, ...raw, 0x3e));
});

test('a template sees neither the prototype of an object nor the process', () => {
  for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
    assert.is(run(`{{ .Payload.After.${name} }}`).text, '<no value>');
    assert.is(run(`{{ index .Payload.After "${name}" }}`).text, '<no value>');
  }
});

test.run();
