// Messages as data: what is written is what the wire format says, and what is read is what was written.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { conduitMethods } from '../../../../actors/gateway/grpc/conduit-methods.ts';
import {
  enumeration,
  list,
  map,
  message,
  one,
  readMessage,
  writeMessage,
} from '../../../../actors/gateway/grpc/proto-message.ts';
import { routeCall } from '../../../../actors/gateway/grpc/route-request.ts';
import { codeOf } from '../../../connectors/connector-context.ts';

const inner = message({ text: one(1), bytes: one(2, 'bytes') });
const type = message({
  id: one(1),
  count: one(2, 'count'),
  large: one(3, 'count64'),
  isSet: one(4, 'flag'),
  kind: one(5, enumeration('NONE', 'FIRST', 'SECOND')),
  texts: list(6),
  inner: one(7, inner),
  inners: list(8, inner),
  settings: map(9),
  byName: map(10, inner),
  at: one(20, 'moment'),
});

test('fields are written as the wire format says, and those with their default are left out', () => {
  const bytes = writeMessage(type, {
    id: 'ab',
    count: 300,
    large: '0',
    isSet: true,
    kind: 'SECOND',
    texts: ['x', ''],
    inner: {},
    settings: { k: 'v' },
    at: '1970-01-01T00:00:01.5Z',
    unknown: [1],
  });
  const fields = ['0a026162', '10ac02', '2001', '2802', '320178', '3200', '3a00', '4a060a016b120176'];
  // Timestamp { seconds 1, nanos 500,000,000 } in field 20.
  assert.is(Buffer.from(bytes).toString('hex'), `${fields.join('')}a2010808011080cab5ee01`);
});

test('what is read is what was written', () => {
  const text = fc.string({ unit: 'grapheme' });
  const bytes = fc.uint8Array({ minLength: 1 }).map((value) => Buffer.from(value).toString('base64'));
  const innerValue = fc.record({ text: text.filter((value) => value !== ''), bytes }, { noNullPrototype: true });
  const value = fc.record(
    {
      id: text.filter((one) => one !== ''),
      count: fc.integer({ min: 1 }),
      large: fc.integer({ min: 1, max: 2 ** 48 }).map(String),
      isSet: fc.constant(true),
      kind: fc.constantFrom('FIRST', 'SECOND'),
      texts: fc.array(text, { minLength: 1 }),
      inner: innerValue,
      inners: fc.array(innerValue, { minLength: 1 }),
      settings: fc.dictionary(text, text, { minKeys: 1, noNullPrototype: true }),
      byName: fc.dictionary(text, innerValue, { minKeys: 1, noNullPrototype: true }),
      at: fc
        .date({ min: new Date('1980-01-01'), max: new Date('2200-01-01'), noInvalidDate: true })
        .map((at) => at.toISOString()),
    },
    { requiredKeys: [], noNullPrototype: true },
  );
  fc.assert(fc.property(value, (json) => assert.equal(readMessage(type, writeMessage(type, json)), json)));
});

test('fields that are not known are passed over, and what is no message is refused', async () => {
  assert.equal(readMessage(message({ id: one(1) }), writeMessage(type, { id: 'a', settings: { k: 'v' }, count: 3 })), {
    id: 'a',
  });
  assert.is(await codeOf(async () => readMessage(type, Uint8Array.of(0x0a, 5, 1))), 'protobuf.malformed');
});

test('a call becomes the request of its route: the path, the query, the body', () => {
  const call = (path: string, request: Readonly<Record<string, unknown>>): readonly unknown[] => {
    const method = conduitMethods.get(path);
    assert.ok(method !== undefined, path);
    const { verb, url, body } = routeCall(method, request);
    return [verb, url, body === null ? null : JSON.parse(body)];
  };
  assert.equal(call('/api.v1.PipelineService/StopPipeline', { id: 'a/b', force: true }), [
    'POST',
    '/v1/pipelines/a%2Fb/stop',
    { force: true },
  ]);
  assert.equal(call('/api.v1.ProcessorService/ListProcessors', { parentIds: ['a', 'b'] }), [
    'GET',
    '/v1/processors?parentIds=a&parentIds=b',
    null,
  ]);
  assert.equal(call('/api.v1.PipelineService/UpdateDLQ', { id: 'p', dlq: { plugin: 'builtin:log' } }), [
    'PUT',
    '/v1/pipelines/p/dead-letter-queue',
    { plugin: 'builtin:log' },
  ]);
  assert.is(conduitMethods.size, 31);
});

test.run();
