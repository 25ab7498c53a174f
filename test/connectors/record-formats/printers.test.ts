// Formats of records: what Conduit's own connectors print, from columns of every layout.
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { makePrinter } from '../../../connectors/record-formats/make-printer.ts';
import { OpencdcPrinter } from '../../../connectors/record-formats/opencdc-printer.ts';
import { TemplatePrinter } from '../../../connectors/record-formats/template-printer.ts';
import { printJson } from '../../../connectors/sdk/exact-json.ts';
import type { ConnectorRecord, RecordData } from '../../../connectors/sdk/record.ts';
import { recordBatchOf } from '../../../connectors/sdk/record-batch.ts';
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { codeOf } from '../connector-context.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

// Printed by conduit-commons v0.6.0 for the same record.
const printedByGo =
  '{"position":"cDwxPg==","operation":"create","metadata":{"Z":"\\ufffd","a":"1","b":"\\u003c\\u0026\\u003e\\u2028\\u0008\\u000c\\n\\u0001\u007f\u00e9"},' +
  '"key":"a2V5","payload":{"before":null,"after":{"b":"aGk=","big":100000000000000000000,"d":1000000000,"e":{},"el":[],"f":1e+21,"g":1e-07,' +
  '"h":123456789.123,"i":9007199254740993,"l":[1,"x",true],"m":{"x":null,"y":2},"n":null,"z":1}}}\n';

const rich: ConnectorRecord = {
  position: bytes('p<1>'),
  operation: 'create',
  metadata: { b: '<&>\u2028\b\f\n\u0001\u007f\u00e9', a: '1', Z: '\ud800' },
  key: bytes('key'),
  before: null,
  after: {
    z: 1,
    f: 1e21,
    g: 1e-7,
    h: 123456789.123,
    i: 9007199254740993n,
    b: bytes('hi'),
    n: null,
    l: [1, 'x', true],
    m: { y: 2, x: null },
    d: 1000000000n,
    big: 1e20,
    e: {},
    el: [],
  },
};

function print(printer: { print: OpencdcPrinter['print'] }, batch: ChangeBatch): string {
  return Buffer.from(printer.print(batch, 0, batch.rows).bytes).toString();
}

test('opencdc/json is what Conduit prints', () => {
  const metadata = { ...rich.metadata, Z: '\ufffd' };
  const printed = print(new OpencdcPrinter(), recordBatchOf([{ ...rich, metadata }]));
  assert.is(printed, printedByGo.replace('\\ufffd', '\ufffd'));
});

const data: fc.Arbitrary<RecordData> = fc.oneof(
  fc.constant(null),
  fc.uint8Array({ maxLength: 40 }).map((array) => new Uint8Array(array)),
  fc.record({
    a: fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null)),
    '\u00e9': fc.array(fc.string(), { maxLength: 3 }),
  }),
);
const records: fc.Arbitrary<ConnectorRecord[]> = fc.array(
  fc.record({
    position: fc.uint8Array({ minLength: 1, maxLength: 9 }).map((array) => new Uint8Array(array)),
    operation: fc.constantFrom('create', 'update', 'delete', 'snapshot'),
    metadata: fc.constantFrom<Record<string, string>>({}, { a: '1' }, { a: '1', b: '"' }),
    key: data,
    before: data,
    after: data,
  }),
  { maxLength: 8 },
);

test('opencdc/json of any records is their JSON, base64 of any length included', () => {
  const printer = new OpencdcPrinter();
  fc.assert(
    fc.property(records, (list) => {
      const lines = list.map(({ position, operation, metadata, key, before, after }) => {
        const payload = `{"before":${printJson(before)},"after":${printJson(after)}}`;
        return `{"position":${printJson(position)},"operation":"${operation}","metadata":${printJson(metadata)},"key":${printJson(key)},"payload":${payload}}\n`;
      });
      assert.is(print(printer, recordBatchOf(list)), lines.join(''));
    }),
    { numRuns: 200 },
  );
});

test('a plain field is copied and prints what the interpreter prints', () => {
  fc.assert(
    fc.property(records, fc.constantFrom('Payload.After', 'Payload.Before', 'Key', 'Position'), (list, field) => {
      const batch = recordBatchOf(list);
      const plain = new TemplatePrinter(`{{ printf "%s" .${field} }}`, systemClock);
      const around = new TemplatePrinter(`<{{ .${field} | printf "%s" }}>`, systemClock);
      const run = new TemplatePrinter(`{{ if true }}{{ printf "%s" .${field} }}{{ end }}`, systemClock);
      assert.equal([plain.isPlain, around.isPlain, run.isPlain], [true, true, false]);
      const expected = Buffer.from(run.print(batch, 0, batch.rows).bytes);
      assert.equal(Buffer.from(plain.print(batch, 0, batch.rows).bytes), expected);
      assert.is(Buffer.from(around.print(batch, 0, batch.rows).bytes).length, expected.length + 2 * list.length);
    }),
    { numRuns: 200 },
  );
});

test('debezium/json wraps a record in an event with its schema', () => {
  const configuration = {
    'sdk.record.format': 'debezium/json',
    'sdk.record.format.options': 'debezium.schema.name=customers,debezium.rawData.key=raw',
  };
  const record: ConnectorRecord = {
    position: bytes('1'),
    operation: 'update',
    metadata: { 'opencdc.readAt': '1700000000123456789' },
    key: null,
    before: bytes('no json'),
    after: bytes('{"id":1.5,"big":9007199254740993,"tags":["a"],"none":null}'),
  };
  const event = JSON.parse(print(makePrinter(configuration, systemClock), recordBatchOf([record])));
  assert.is(event.schema.name, 'customers');
  assert.equal(event.schema.fields[0], {
    type: 'struct',
    optional: true,
    fields: [{ type: 'bytes', optional: true, field: 'raw' }],
    field: 'before',
  });
  assert.equal(
    event.schema.fields[1].fields.map((field: { field: string; type: string }) => `${field.field} ${field.type}`),
    ['big int64', 'id double', 'none string', 'tags array'],
  );
  assert.equal(event.payload.before, { raw: Buffer.from('no json').toString('base64') });
  assert.is(event.payload.op, 'u');
  assert.is(event.payload.ts_ms, 1700000000123);
  assert.is(event.payload.transaction, null);
});

test('wrong options are refused by name', async () => {
  const made = (format: string, options: string): Promise<string> =>
    codeOf(() => makePrinter({ 'sdk.record.format': format, 'sdk.record.format.options': options }, systemClock));
  assert.is(await made('template', '{{ .Key'), 'template.malformed');
  assert.is(await made('template', ''), 'config.invalid_value');
  assert.is(await made('debezium/json', 'debezium.schema.nam=x'), 'config.unknown_key debezium.schema.name');
});

test.run();
