// Function rows against hand-written expectations; the example of every row is one of them.
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { functionTable } from '../../../../actors/engine/sql/functions.ts';
import { MillraceError } from '../../../../runtime/errors.ts';
import { valueText } from './bound-text.ts';
import { evaluate } from './evaluate-scalar.ts';
import { constantOf } from './program-rows.ts';

for (const {
  name,
  category,
  example: [expression, result],
} of functionTable()) {
  // Lambdas are computed by generated code alone: nested-functions.test.ts.
  if (expression.includes('->')) continue;
  test(`${name}: ${expression} is ${result}`, () => {
    const { value } = evaluate(expression);
    if (category === 'json' && !result.startsWith("'")) assert.is(String(value), result);
    else if (/^(null|\[.*\]|-?Infinity)$/.test(result)) assert.is(String(value), result);
    else if (typeof value === 'number' || (typeof value === 'bigint' && !/[.'A-Z]/.test(result))) {
      const expected = /^[-\d.]+$/.test(result) ? Number(result) : evaluate(result).value;
      assert.is(Number(value), expected);
    } else assert.equal(value, evaluate(result).value);
  });
}

const expectations: Readonly<Record<string, string>> = {
  // What has no value is NULL.
  'MAKE_DATE(2021, 2, 29)': 'null',
  'MAKE_TIME(24, 0, 0)': 'null',
  'MAKE_TIMESTAMP(2021, 2, 30, 1, 1, 1)': 'null',
  "CONVERT_TIMEZONE('Nowhere', 'UTC', TIMESTAMP '2008-03-05 12:25:29')": 'null',
  "FORMAT_TIMESTAMP('%c | %x | %r | %v', TIMESTAMP '2008-12-05 17:30:00')":
    "'Fri Dec  5 17:30:00 2008 | 12/05/08 | 05:30:00 PM |  5-Dec-2008'",
  "FORMAT_DATE('%G-W%V %g %U %W %P', DATE '2024-12-30')": "'2025-W01 25 52 53 am'",
  "FORMAT_DATE('%U %W %V', DATE '2023-01-01')": "'01 00 52'",
  "FORMAT_DATE('%Y', PARSE_DATE('%x', '12/25/08'))": "'2008'",
  "FORMAT_TIMESTAMP('%F %T', PARSE_TIMESTAMP('%c', 'Thu Dec 25 07:30:00 2008'))": "'2008-12-25 07:30:00'",
  "'abc' SIMILAR TO 'b'": 'false',
  "'a.c' SIMILAR TO 'a!.c' ESCAPE '!'": 'true',
  "'abc' SIMILAR TO 'a!.c' ESCAPE '!'": 'false',
  "'a1' SIMILAR TO '[[:alpha:]][^a-z]'": 'true',
  // Strings: characters, not UTF-16 units.
  "CHAR_LENGTH('a😀b')": '3',
  "LEFT('a😀b', 2)": "'a😀'",
  "RIGHT('a😀b', 2)": "'😀b'",
  "REVERSE('a😀b')": "'b😀a'",
  "POSITION('b' IN 'a😀b')": '3',
  "OCTET_LENGTH('é😀')": '6',
  "SUBSTRING('Thomas' FROM -1 FOR 4)": "'Th'",
  "SUBSTRING('Thomas' FROM 3)": "'omas'",
  "SUBSTRING('Thomas' FROM 2 FOR -1)": "''",
  "SUBSTRING('Thomas' FROM 9)": "''",
  "SUBSTR('Thomas', -2)": "'as'",
  "SUBSTR('Thomas', 0, 2)": "'Th'",
  "LEFT('abc', -1)": "''",
  "RIGHT('abc', 9)": "'abc'",
  "TRIM('  a ')": "'a'",
  "TRIM(LEADING 'xyz' FROM 'yxTomxx')": "'Tomxx'",
  "TRIM(TRAILING 'x' FROM 'xax')": "'xa'",
  "TRIM('' FROM 'a')": "'a'",
  "SPLIT_PART('a|b|c|', '|', 5)": "''",
  "SPLIT_PART('abc', '', 1)": "'abc'",
  "SPLIT_PART('a|b', '|', 0)": "''",
  "REPLACE('aaa', '', 'x')": "'aaa'",
  "REPEAT('a', -1)": "''",
  'CHR(-1)': "''",
  "ASCII('')": '0',
  "ASCII('é')": '233',
  "LPAD('abc', 2)": "'ab'",
  "LPAD('a', 4, 'xy')": "'xyxa'",
  "LPAD('a', 4, '')": "'a'",
  "OVERLAY('abc' PLACING 'X' FROM 0)": "'abc'",
  "OVERLAY('abc' PLACING 'X' FROM 9)": "'abcX'",
  "OVERLAY('abcdef' PLACING 'XY' FROM 2)": "'aXYdef'",
  'UPPER(NULL)': 'null',
  "CONCAT('a', NULL)": 'null',
  "CONCAT_WS(NULL, 'a')": 'null',
  "CONCAT_WS('-', 'a', NULL, 'b')": "'a-b'",
  "'a' || NULL": 'null',
  // Patterns.
  "'a%b' LIKE 'a\\%b'": 'true',
  "'axb' LIKE 'a\\%b'": 'false',
  "'h%' LIKE 'h#%' ESCAPE '#'": 'true',
  "'a\nb' LIKE 'a_b'": 'true',
  "'😀' LIKE '_'": 'true',
  "'abc' LIKE '%b%'": 'true',
  "'abc' LIKE '%c'": 'true',
  "'abc' LIKE 'ab'": 'false',
  "'abc' LIKE '%'": 'true',
  "'' LIKE ''": 'true',
  "'a.c' LIKE 'a.c'": 'true',
  "'abc' LIKE 'a.c'": 'false',
  "'ABC' ILIKE 'a%'": 'true',
  "'abc' NOT LIKE 'a%'": 'false',
  "RLIKE('string', '^t')": 'false',
  "REGEXP_REPLACE('John Smith', '(\\w+) (\\w+)', '$2 $1')": "'Smith John'",
  "REGEXP_REPLACE('a1b2', '[0-9]')": "'ab'",
  // Numbers.
  'ABS(-5)': '5',
  'SIGN(-2.5)': '-10n',
  'FLOOR(-1.5)': '-2n',
  'CEIL(-1.5)': '-1n',
  'FLOOR(-1.5e0)': '-2',
  'ROUND(2.5)': '30n',
  'ROUND(-2.345, 2)': '-2350n',
  'ROUND(9.99, 1)': '1000n',
  'ROUND(155, -1)': '160',
  'ROUND(-155, -1)': '-160',
  'ROUND(2.5e0)': '2',
  'ROUND(3.5e0)': '4',
  'ROUND(1.005e0, 2)': '1.01',
  'ROUND(-1.5e0, 0)': '-2',
  'TRUNCATE(-2.349, 2)': '-2340n',
  'TRUNCATE(-1.99e0, 1)': '-1.9',
  'LN(0e0)': '-Infinity',
  'SQRT(-1e0)': 'NaN',
  'LOG(100, 10)': '2',
  'POWER(2, 0.5)': String(Math.SQRT2),
  "GREATEST('a', 'b')": "'b'",
  'GREATEST(1, NULL)': 'null',
  "LEAST('😀', '￿')": "'￿'",
  // Dates and times.
  "EXTRACT(WEEK FROM DATE '2021-01-03')": '53n',
  "EXTRACT(DOW FROM DATE '2021-01-03')": '1n',
  "EXTRACT(ISODOW FROM DATE '2021-01-03')": '7n',
  "EXTRACT(DOY FROM DATE '2020-12-31')": '366n',
  "EXTRACT(QUARTER FROM DATE '2020-12-31')": '4n',
  "EXTRACT(CENTURY FROM DATE '2000-12-31')": '20n',
  "EXTRACT(MILLENNIUM FROM DATE '2001-01-01')": '3n',
  "EXTRACT(DECADE FROM DATE '2001-01-01')": '200n',
  "EXTRACT(MILLISECOND FROM TIMESTAMP '2020-01-01 00:00:12.345678')": '12345n',
  "EXTRACT(MICROSECOND FROM TIME '00:00:12.345678')": '12345678n',
  "EXTRACT(EPOCH FROM TIMESTAMP '1969-12-31 23:59:59.5')": '-1n',
  "EXTRACT(HOUR FROM TIMESTAMP '1969-12-31 23:00:00')": '23n',
  "EXTRACT(DAY FROM INTERVAL '49' HOUR)": '2n',
  "EXTRACT(MONTH FROM INTERVAL '1-2' YEAR TO MONTH)": '2n',
  "DATE_PART('year', DATE '2020-02-29')": '2020n',
  "DATE_TRUNC(DATE '1969-05-05', DECADE)": evaluateText("DATE '1960-01-01'"),
  "DATE_TRUNC(DATE '2000-05-05', CENTURY)": evaluateText("DATE '1901-01-01'"),
  "DATE_TRUNC(DATE '2020-05-05', QUARTER)": evaluateText("DATE '2020-04-01'"),
  "FLOOR(TIMESTAMP '1969-12-31 23:59:59.5' TO SECOND)": evaluateText("TIMESTAMP '1969-12-31 23:59:59'"),
  "CEIL(TIMESTAMP '2020-12-05 00:00:01' TO MONTH)": evaluateText("TIMESTAMP '2021-01-01 00:00:00'"),
  "CEIL(DATE '2020-12-01' TO MONTH)": evaluateText("DATE '2020-12-01'"),
  "TIMESTAMPDIFF(MONTH, TIMESTAMP '2020-01-31 10:00:00', TIMESTAMP '2020-02-29 10:00:00')": '0',
  "TIMESTAMPDIFF(YEAR, DATE '2020-02-29', DATE '2021-03-01')": '1',
  "TIMESTAMPDIFF(DAY, TIMESTAMP '2020-01-02 00:00:00', TIMESTAMP '2020-01-01 12:00:00')": '0',
  "DATEDIFF(WEEK, DATE '2020-01-01', DATE '2020-01-15')": '2',
  "TIMESTAMPADD(MONTH, 1, TIMESTAMP '2020-01-31 00:00:00')": evaluateText("TIMESTAMP '2020-02-29 00:00:00'"),
  "DATE '2020-02-29' + INTERVAL 1 YEAR": evaluateText("DATE '2021-02-28'"),
  // Of an interval that is added to a date, what is less than a day is cut off.
  "DATE '2020-01-02' - INTERVAL '36' HOUR": evaluateText("DATE '2020-01-01'"),
  "DATE '2020-01-02' + INTERVAL '-36' HOUR": evaluateText("DATE '2020-01-01'"),
  "DATE '2020-01-02' - INTERVAL '10' MINUTE": evaluateText("DATE '2020-01-02'"),
  "TIMESTAMPADD(DAY, 1, DATE '2020-02-29')": evaluateText("DATE '2020-03-01'"),
  "TIMESTAMPADD(HOUR, 49, DATE '2020-02-28')": evaluateText("TIMESTAMP '2020-03-01 01:00:00'"),
  "TIME '23:00:00' + INTERVAL '2' HOUR": evaluateText("TIME '01:00:00'"),
  "TIMESTAMP '2020-01-01 00:00:00' - TIMESTAMP '2019-12-31 23:59:59.5'": '500000n',
  "DATE '2020-01-03' - DATE '2020-01-01'": '172800000000n',
  "INTERVAL '-1 2:03:04' DAY TO SECOND": '-93784000000n',
  "INTERVAL '80:01.001' MINUTE TO SECOND": '4801001000n',
  "INTERVAL -'5' DAY": '-432000000000n',
  "FORMAT_DATE('%a, %d %b %Y', DATE '2020-02-29')": "'Sat, 29 Feb 2020'",
  "FORMAT_TIMESTAMP('%I:%M:%S%.f %p', TIMESTAMP '2020-02-29 15:04:05.25')": "'03:04:05.25 PM'",
  "PARSE_DATE('%d %B %Y', '29 February 2020')": evaluateText("DATE '2020-02-29'"),
  "PARSE_DATE('%Y-%m-%d', '2021-02-29')": 'null',
  "PARSE_TIME('%I:%M %p', '12:30 AM')": evaluateText("TIME '00:30:00'"),
  "PARSE_TIMESTAMP('%Y-%m-%d %H:%M:%S%.f', '2020-01-01 00:00:00.5')": evaluateText("TIMESTAMP '2020-01-01 00:00:00.5'"),
  // Replacements name groups by the longest word behind the dollar, or in braces; a group that there is not is nothing.
  "REGEXP_REPLACE('abc16', 'b(.*)(.)', '$2${1}X$0')": "'a6c1Xbc16'",
  "REGEXP_REPLACE('deep fried', '(?<a>\\w+) (?<b>\\w+)', '${a}_$b')": "'deep_fried'",
  "REGEXP_REPLACE('ab', '(a)', '<$1x$$>')": "'<$>b'",
  "REGEXP_REPLACE('ab', '(a)', '$3&')": "'&b'",
  // Bytes and JSON.
  "OVERLAY(X'123456' PLACING X'1010' FROM -1)": "X'123456'",
  "MD5(X'0123456789ABCDEF')": "'a1cd1d1fc6491068d91007283ed84489'",
  "BIN2UTF8(X'ff')": 'null',
  "X'ab' || X'cd'": "X'abcd'",
  'PARSE_JSON(\'{"a": [1, {"b": 12345678901234567890}]}\').a[2].b': "'12345678901234567890'",
  "PARSE_JSON('[1]')[2]": 'null',
  "PARSE_JSON('{}')['toString']": 'null',
  "PARSE_JSON('nope')": 'null',
  'TO_JSON(PARSE_JSON(\' { "a" : 1 } \'))': '\'{"a":1}\'',
};

function evaluateText(expression: string): string {
  return valueText(evaluate(expression).value);
}

for (const [expression, expected] of Object.entries(expectations)) {
  test(`${expression} is ${expected}`, () => assert.is(evaluateText(expression), expected));
}

/** What a view shows of expressions whose arguments are cast first. */
const shown: readonly (readonly [expression: string, value: unknown])[] = [
  // NULL is an element like others.
  ['ARRAY_POSITION(ARRAY[2, NULL, 4], NULL)', 2],
  ['ARRAY_CONTAINS(ARRAY[2, 4], NULL)', false],
  ['ARRAY_REMOVE(ARRAY[NULL, 2, NULL], NULL)', [2]],
  ['ARRAYS_OVERLAP(ARRAY[1, NULL], ARRAY[NULL, 2])', true],
  ['ARRAY_CONTAINS(CAST(NULL AS INT ARRAY), 2)', null],
  // Elements and what stands beside them get one type: nothing is cut off.
  ['ARRAY_APPEND(ARRAY[1, 2], 3.5)', ['1.0', '2.0', '3.5']],
  ['ARRAY_APPEND(ARRAY[NULL], 1)', [null, 1]],
  ['ARRAY_POSITION(ARRAY[1, 2], 2.5)', 0],
  ['ARRAY_APPEND(ARRAY[1], 3000000000)', [1, 3000000000]],
  ["MAP_CONTAINS_KEY(MAP[2, 'a'], 2.5)", false],
  ['MAP_CONTAINS_KEY(MAP[ARRAY[1], 2], ARRAY[1])', true],
  ['MAP_KEYS(MAP[ARRAY[2], 1, ARRAY[1], 1])', [[1], [2]]],
  // A DECIMAL is cut off at its scale.
  ['CAST(1234.1264 AS DECIMAL(6, 2))', '1234.12'],
  ["CAST(CAST('-0.1299' AS DECIMAL(8, 4)) AS DECIMAL(2, 2))", '-0.12'],
  ['CAST(-98.6 AS DECIMAL(2, 0))', '-98'],
  // Other ways to write arrays, maps, rows, texts and truncation.
  ["[1, 2][2] + MAP {'a': 5}['a'] + MAP(['x'], [4])['x']", 11],
  ['MAP(ARRAY[1], ARRAY[2])[ARRAY[1]]', [2]],
  ["CAST(STRUCT(1, 'a') AS ROW(x INT, y VARCHAR))", { x: 1, y: 'a' }],
  ["U&'d!0061t!0061 ''!!!+01F600' UESCAPE '!'", "data '!😀"],
  ["U&'\\0041'", 'A'],
  ["DATE_TRUNC('month', DATE '2020-03-04')", '2020-03-01'],
  // A text that stands for a number is one.
  ["1.5e0 * '-10'", -15],
  ["'7' + 1", 8],
  ["CAST(1004.3 AS REAL) = '1004.3'", true],
  ['POWER(1, 1e0 / 0)', 1],
  ['POWER(-1, -1e0 / 0)', 1],
  ['TRUE AND UNKNOWN', null],
  ["CAST(CAST(-1 AS TINYINT) AS BINARY(4)) = X'000000ff'", true],
];

for (const [expression, value] of shown) {
  test(`a view shows ${expression} as ${JSON.stringify(value)}`, () => assert.equal(constantOf(expression), value));
}

const failures: Readonly<Record<string, string>> = {
  'LN(-1)': 'sql.invalid_argument',
  "FROM_HEX('abc')": 'sql.invalid_argument',
  "RLIKE('a', '(')": 'sql.invalid_argument',
  "'a' LIKE 'b' ESCAPE 'xy'": 'sql.invalid_argument',
  "REPEAT('abc', 1000000000000)": 'sql.invalid_argument',
  "EXTRACT(DOW FROM INTERVAL '1' MONTH)": 'sql.invalid_argument',
  "DATE_TRUNC(DATE '2020-01-01', DOW)": 'sql.invalid_argument',
  "PARSE_TIME('%I:%M', '10:00')": 'sql.invalid_argument',
  "FORMAT_DATE('%Q', DATE '2020-01-01')": 'sql.invalid_argument',
  "INTERVAL '1' DAY / 0": 'sql.division_by_zero',
  'ABS(CAST(-128 AS TINYINT))': 'sql.numeric_overflow',
  'ROUND(2147483647, -1)': 'sql.numeric_overflow',
  "INTERVAL '1' DAY * 9000000000000": 'sql.numeric_overflow',
  "TIMESTAMPDIFF(MICROSECOND, DATE '2000-01-01', DATE '2020-01-01')": 'sql.numeric_overflow',
};
for (const [expression, code] of Object.entries(failures)) {
  test(`${expression} fails with ${code}`, () => {
    try {
      assert.unreachable(String(evaluate(expression).value));
    } catch (thrown) {
      assert.is(thrown instanceof MillraceError ? thrown.code : thrown, code);
    }
  });
}

test('times move between zones, over changes of clocks and before 1970', () => {
  const at = (from: string, to: string, text: string): unknown =>
    constantOf(`CONVERT_TIMEZONE('${from}', '${to}', TIMESTAMP '${text}')`);
  assert.is(at('America/New_York', 'UTC', '2024-07-01 12:00:00'), '2024-07-01 16:00:00');
  assert.is(at('America/New_York', 'UTC', '2024-12-01 12:00:00'), '2024-12-01 17:00:00');
  assert.is(at('UTC', 'Asia/Kolkata', '1960-01-01 00:00:00.000001'), '1960-01-01 05:30:00.000001');
});

test('DIV_NULL is NULL where there is no quotient', () => {
  assert.is(constantOf('DIV_NULL(7, 2)'), 3);
  for (const call of ['(6, 0)', '(CAST(-128 AS TINYINT), CAST(-1 AS TINYINT))', '(1e0, 0e0)', '(1.5, 0)']) {
    assert.is(constantOf(`DIV_NULL${call}`), null);
  }
});

test('every row says what it takes, and no name is taken twice', () => {
  const names = functionTable().flatMap((row) => [row.name, ...(row.aliases ?? [])]);
  assert.is(new Set(names).size, names.length);
  for (const row of functionTable())
    assert.ok(row.synopsis !== '' && row.summary.endsWith('.') && row.overloads.length > 0);
});

test('LIKE agrees with a regular expression of the same meaning', () => {
  const alphabet = fc.constantFrom('a', 'b', '%', '_', '.', '\\');
  fc.assert(
    fc.property(
      fc.array(alphabet, { maxLength: 6 }),
      fc.array(fc.constantFrom('a', 'b', '.', '%'), { maxLength: 6 }),
      (pattern, text) => {
        // A backslash at the end means itself; two mean one.
        const source = pattern.join('').replace(/\\(.)|[\s\S]/g, (all: string, escaped: string | undefined) => {
          if (escaped !== undefined) return escaped === '.' || escaped === '\\' ? `\\${escaped}` : escaped;
          if (all === '%') return '.*';
          return all === '_' ? '.' : all === '.' || all === '\\' ? `\\${all}` : all;
        });
        const { value } = evaluate(`'${text.join('')}' LIKE '${pattern.join('')}'`);
        assert.is(value, new RegExp(`^${source}$`, 's').test(text.join('')));
      },
    ),
    { numRuns: 300 },
  );
});

test.run();
