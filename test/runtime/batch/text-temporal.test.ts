// Dates, times, timestamps as text, against Date.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { malformed, outOfRange, parsed } from '../../../runtime/batch/text-outcome.ts';
import {
  parseDate,
  parseTime,
  parseTimestamp,
  printDate,
  printTime,
  printTimestamp,
  scanTimeFixed,
  scanTimestampFixed,
  temporalScanBytes,
} from '../../../runtime/batch/text-temporal.ts';
import { wordsOf } from '../../../runtime/batch/text-words.ts';

const out = new Uint8Array(64);
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (end: number): string => new TextDecoder().decode(out.subarray(0, end));
const refused = (outcome: number): string => (outcome === malformed ? 'malformed' : 'out of range');

function date(text: string): number | string {
  const into = new Int32Array(1);
  const bytes = bytesOf(text);
  const outcome = parseDate(bytes, 0, bytes.length, into, 0);
  return outcome === parsed ? (into[0] ?? 0) : refused(outcome);
}

function micros(kernel: typeof parseTime, text: string): bigint | string {
  const values = new BigInt64Array(3);
  const bytes = bytesOf(text);
  const outcome = kernel(bytes, 0, bytes.length, wordsOf(values), 1);
  return outcome === parsed ? (values[1] ?? 0n) : refused(outcome);
}

test('every day from year 1 to 9999 survives printing and parsing', () => {
  const first = Date.UTC(1, 0, 1) / 86400000 - 693596; // Date.UTC takes year 1 for 1901.
  assert.is(date('0001-01-01'), -719162);
  assert.ok(first < 0);
  for (let days = -719162; days <= 2932896; days += 13) {
    const text = textOf(printDate(days, out, 0));
    assert.is(text, new Date(days * 86400000).toISOString().slice(0, 10));
    assert.is(date(text), days);
  }
  for (let days = 18000; days < 20000; days++) assert.is(date(textOf(printDate(days, out, 0))), days);
});

test('a date may be padded with spaces and spelled without leading zeros, and has to exist', () => {
  assert.is(date(' 1970-1-2 '), 1);
  assert.is(date('2024-02-29'), 19782);
  for (const text of [
    '2023-02-29',
    '1900-02-29',
    '2023-13-01',
    '2023-00-10',
    '2023-04-31',
    '0000-01-01',
    '2023-01-32',
  ]) {
    assert.is(date(text), 'out of range', text);
  }
  for (const text of [
    '',
    '2023',
    '2023-01',
    '2023-01-',
    '2023/01/01',
    '-2023-01-01',
    '20230101',
    '12023-01-01',
    '2023-01-01x',
    '2023-001-01',
  ]) {
    assert.is(date(text), 'malformed', text);
  }
});

test('a time keeps nanoseconds', () => {
  assert.is(micros(parseTime, '00:00:00'), 0n);
  assert.is(micros(parseTime, '23:59:59.999999999'), 86399999999999n);
  assert.is(micros(parseTime, ' 1:2:3.5 '), 3723500000000n);
  for (const text of ['24:00:00', '12:60:00', '12:00:60']) assert.is(micros(parseTime, text), 'out of range', text);
  for (const text of ['', '12', '12:00', '12:00:', '12:00:00.', '12:00:00.1234567890', '12:00:00x', '012:00:00']) {
    assert.is(micros(parseTime, text), 'malformed', text);
  }
  const print = (value: bigint): string => textOf(printTime(wordsOf(BigInt64Array.of(0n, value)), 1, out, 0));
  assert.is(print(0n), '00:00:00');
  assert.is(print(86399999999999n), '23:59:59.999999999');
  assert.is(print(3723500000000n), '01:02:03.5');
  assert.is(print(10n), '00:00:00.00000001');
});

test('every microsecond from year 1 to 9999 survives printing and parsing', () => {
  const min = -62135596800000000n;
  const max = 253402300799999999n;
  const check = (value: bigint): void => {
    const text = textOf(printTimestamp(wordsOf(BigInt64Array.of(1n, value)), 1, out, 0));
    assert.is(micros(parseTimestamp, text), value, text);
    const millis = (value - (((value % 1000n) + 1000n) % 1000n)) / 1000n;
    const expected = new Date(Number(millis)).toISOString().replace('T', ' ').slice(0, 19);
    assert.is(text.slice(0, 19), expected);
  };
  for (const value of [min, max, 0n, -1n, 1n, -1000000n, -16000001n, -15999999n, -16000000n, 9007199254740993n])
    check(value);
  fc.assert(fc.property(fc.bigInt({ min, max }), check), { numRuns: 3000 });
});

test('a timestamp is taken in SQL and RFC 3339 spelling and turned into UTC', () => {
  const at = (text: string): bigint | string => micros(parseTimestamp, text);
  const expected = BigInt(Date.UTC(2024, 0, 31, 12, 30, 15)) * 1000n;
  for (const text of [
    '2024-01-31 12:30:15',
    ' 2024-1-31 12:30:15.0 ',
    '2024-01-31T12:30:15Z',
    '2024-01-31t14:30:15+02:00',
  ]) {
    assert.is(at(text), expected, text);
  }
  for (const text of [
    '2024-01-31T07:00:15-05:30',
    '2024-01-31 14:30:15 +0200',
    '2024-01-31 13:30:15+01',
    '2024-01-31T12:30:15',
  ]) {
    assert.is(at(text), expected, text);
  }
  assert.is(at('2024-01-31T12:30:15.123456789Z'), expected + 123456n);
  assert.is(at('2024-01-31'), BigInt(Date.UTC(2024, 0, 31)) * 1000n);
  assert.is(at('0001-01-01T00:00:00+01:00'), 'out of range');
  for (const text of [
    '',
    '2024-01-31 ',
    '2024-01-31T',
    '2024-01-31 12:30',
    '2024-01-31 12:30:15+',
    '2024-01-31 12:30:15+1:00',
    '2024-01-31 12:30:15+24:00',
    '2024-01-31 12:30:15 CET',
    'x',
  ]) {
    if (text === '2024-01-31 ') assert.is(at(text), BigInt(Date.UTC(2024, 0, 31)) * 1000n);
    else assert.is(at(text), 'malformed', text);
  }
  assert.is(at('2024-02-30 00:00:00'), 'out of range');
});

test('the outcomes are distinct', () => {
  assert.is(new Set([parsed, malformed, outOfRange]).size, 3);
});

/** What a scan in place makes of `text`: its value, or null where the general kernel has to be asked; then the position. */
function scanned(scan: typeof scanTimeFixed, text: string): [bigint | null, number] {
  const bytes = new Uint8Array(text.length + temporalScanBytes).fill(0x39);
  bytes.set(bytesOf(`${text}"`));
  const values = new BigInt64Array(3);
  const stop = scan(bytes, new DataView(bytes.buffer), 0, wordsOf(values), 1);
  return [stop < 0 ? null : (values[1] ?? 0n), stop];
}

test('a scan in place reads what the general kernel reads, or stops before the end', () => {
  const byte = fc.constantFrom(...'0123456789:-. TZtz/;+'.split(''));
  const edit = fc.tuple(fc.nat({ max: 28 }), byte, fc.constantFrom(0, 0, 0, 1));
  const text = fc
    .tuple(
      fc.date({ min: new Date(-6e13), max: new Date(2e14), noInvalidDate: true }),
      fc.stringMatching(/^(\.\d{0,7})?Z?$/),
      fc.option(edit),
    )
    .map(([date, tail, change]) => {
      const whole = date.toISOString().slice(0, 19) + tail;
      if (change === null || change[0] >= whole.length) return whole;
      return whole.slice(0, change[0]) + change[1] + whole.slice(change[0] + 1 - change[2]);
    });
  let whole = 0;
  fc.assert(
    fc.property(text, (sample) => {
      for (const [scan, kernel, from] of [
        [scanTimestampFixed, parseTimestamp, 0],
        [scanTimeFixed, parseTime, 11],
      ] as const) {
        const part = sample.slice(from);
        const [value, stop] = scanned(scan, part);
        if (stop !== part.length) continue;
        whole++;
        assert.is(value, micros(kernel, part), part);
      }
    }),
    { numRuns: 3000 },
  );
  assert.ok(whole > 1000);
});

test('a scan in place takes fractions of one to six digits and a Z, a time nine digits', () => {
  assert.equal(scanned(scanTimestampFixed, '1970-01-01T00:00:01'), [1000000n, 19]);
  assert.equal(scanned(scanTimestampFixed, '1970-01-01 00:00:01.5Z'), [1500000n, 22]);
  assert.equal(scanned(scanTimestampFixed, '1970-01-01 00:00:01.000001'), [1000001n, 26]);
  assert.equal(scanned(scanTimestampFixed, '1969-12-31 23:59:59.25'), [-750000n, 22]);
  assert.is(scanned(scanTimestampFixed, '1970-01-01 00:00:01.')[1], -1);
  assert.is(scanned(scanTimestampFixed, '1970-01-01 00:00:01.1234567')[1], 26);
  assert.equal(scanned(scanTimeFixed, '23:59:59.037'), [86399037000000n, 12]);
  assert.equal(scanned(scanTimeFixed, '23:59:59.999999999'), [86399999999999n, 18]);
  assert.is(scanned(scanTimeFixed, '23:59:59.9999999991')[1], 18);
});

test.run();
