// Every kind of type of PostgreSQL: the same value from a query, from a snapshot and from a change, exact; or refused with its column.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { postgresCdcInput } from '../../../connectors/postgres/cdc-source.ts';
import { postgresInput } from '../../../connectors/postgres/source.ts';
import { validateParameters } from '../../../connectors/sdk/validate-parameters.ts';
import { Pipeline } from '../../../index.ts';
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import { MillraceError } from '../../../runtime/errors.ts';
import { pollPause } from '../../poll-pause.ts';
import { startPostgresServer } from '../../servers/postgres-server.ts';
import { contextFor, relationOf } from '../connector-context.ts';

const types = suite('types of PostgreSQL');
const server = await startPostgresServer();
if ('missing' in server) {
  console.log(`skipped: types of PostgreSQL: ${server.missing}`);
  types('are not tried here', () => {});
} else {
  const { sql } = server;
  types.after(async () => await server.close());
  await sql(`CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN positive AS numeric(10,2) CHECK (VALUE > 0); CREATE DOMAIN flag AS boolean;
    CREATE DOMAIN stamp AS timestamptz; CREATE DOMAIN bin AS bytea; CREATE DOMAIN js AS jsonb; CREATE TYPE pair AS (a int, b text, at timestamptz)`);

  /** Type and value there, type here, the value here; null: it is refused, with its row. */
  const cases: readonly (readonly [type: string, value: string, here: string, expected: unknown])[] = [
    ['numeric', `'NaN'`, 'VARCHAR', 'NaN'],
    ['numeric', `'-Infinity'`, 'DOUBLE', Number.NEGATIVE_INFINITY],
    ['numeric', '1234567890123456789012345678.0123456789', 'DECIMAL(38,10)', '1234567890123456789012345678.0123456789'],
    ['numeric', '1.10', 'VARIANT', 1.1],
    ['double precision', `'NaN'`, 'DOUBLE', Number.NaN],
    ['double precision', `'-Infinity'`, 'DOUBLE', Number.NEGATIVE_INFINITY],
    ['double precision', `'-0'`, 'DOUBLE', -0],
    ['double precision', '0.1', 'DOUBLE', 0.1],
    ['real', `'Infinity'`, 'REAL', Number.POSITIVE_INFINITY],
    ['bigint', '-9223372036854775808', 'BIGINT', -9223372036854775808n],
    ['oid', '4294967295', 'BIGINT', 4294967295],
    ['money', '-1234567.89', 'DECIMAL(20,2)', '-1234567.89'],
    ['money', '1234.5', 'VARCHAR', '$1,234.50'],
    ['boolean', 'true', 'VARCHAR', 'true'],
    ['boolean', 'false', 'VARIANT', false],
    ['text', `'12'`, 'INT', 12],
    [
      'text',
      String.raw`E'"q" \\ \u00e9 \U0001F600 \b\f\n\r\t\x0b\x01\x7f'`,
      'VARCHAR',
      '"q" \\ é 😀 \b\f\n\r\t\v\u0001\u007f',
    ],
    ['text', `''`, 'VARCHAR', ''],
    ['text', String.raw`'\N'`, 'VARCHAR', String.raw`\N`],
    ['text', 'NULL', 'VARCHAR', null],
    ['char(5)', `'ab'`, 'VARCHAR', 'ab   '],
    ['"char"', `'x'`, 'VARCHAR', 'x'],
    ['bytea', `'\\xdeadbeef00'`, 'VARBINARY', new Uint8Array([0xde, 0xad, 0xbe, 0xef, 0])],
    ['bytea', `''`, 'VARBINARY', new Uint8Array(0)],
    ['bytea', `'\\xdeadbeef'`, 'VARCHAR', 'deadbeef'],
    ['date', `'9999-12-31'`, 'DATE', '9999-12-31'],
    ['date', `'0044-03-15 BC'`, 'VARCHAR', '0044-03-15 BC'],
    ['date', `'-infinity'`, 'VARCHAR', '-infinity'],
    ['time', `'23:59:59.999999'`, 'TIME', '23:59:59.999999'],
    ['timetz', `'12:34:56.789+02'`, 'TIME', '10:34:56.789'],
    ['timetz', `'23:30:00-05:30'`, 'TIME', '05:00:00'],
    ['timetz', `'01:00:00+03'`, 'VARCHAR', '22:00:00'],
    ['timestamp', `'1969-12-31 23:59:59.123456'`, 'TIMESTAMP', '1969-12-31 23:59:59.123456'],
    ['timestamptz', `'2024-01-01 00:00:00.123456+05:30'`, 'TIMESTAMP', '2023-12-31 18:30:00.123456'],
    ['timestamptz', `'2024-01-01 00:00:00.5+05:30'`, 'VARCHAR', '2023-12-31 18:30:00.5'],
    ['interval', `'1 year 2 mons 3 days 04:05:06.789'`, 'VARCHAR', '+1-2 +3 +4:05:06.789'],
    ['uuid', `'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'`, 'UUID', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
    ['inet', `'192.168.0.1/24'`, 'VARCHAR', '192.168.0.1/24'],
    ['macaddr', `'08:00:2b:01:02:03'`, 'VARCHAR', '08:00:2b:01:02:03'],
    ['bit(4)', `B'1010'`, 'VARCHAR', '1010'],
    ['bit varying', `B'10101'`, 'VARCHAR', '10101'],
    ['int4range', `'[1,5)'`, 'VARCHAR', '[1,5)'],
    ['tstzrange', `'[2024-01-01 00:00+02,)'`, 'VARCHAR', '["2023-12-31 22:00:00+00",)'],
    ['int4multirange', `'{[1,3),[5,7)}'`, 'VARCHAR', '{[1,3),[5,7)}'],
    ['xml', `'<a/>'`, 'VARCHAR', '<a/>'],
    ['point', `'(1,2)'`, 'VARCHAR', '(1,2)'],
    ['mood', `'ok'`, 'VARCHAR', 'ok'],
    ['mood[]', `'{ok,NULL}'`, 'VARCHAR ARRAY', ['ok', null]],
    ['positive', '12.30', 'DECIMAL(10,2)', '12.30'],
    ['flag', 'true', 'BOOLEAN', true],
    ['stamp', `'2024-01-01 00:00:00+05'`, 'TIMESTAMP', '2023-12-31 19:00:00'],
    ['bin', `'\\x00ff'`, 'VARBINARY', new Uint8Array([0, 255])],
    ['js', `'{"a": 9007199254740993}'`, 'VARIANT', { a: 9007199254740993n }],
    ['json', `'{"a": 12345678901234567890,\n "b": "\\u00e9\\n"}'`, 'VARIANT', { a: 12345678901234567890n, b: 'é\n' }],
    ['jsonb', `'{"big": 123456789012345678901234567890}'`, 'VARIANT', { big: 123456789012345678901234567890n }],
    ['jsonb', `'{"k": [1, 2]}'`, 'VARCHAR', '{"k": [1, 2]}'],
    ['jsonb', `'{"a": 1, "b": 2}'`, 'MAP<VARCHAR, INT>', { a: 1, b: 2 }],
    ['jsonb', `'{"a": 1, "b": "t"}'`, 'ROW(a INT, b VARCHAR)', { a: 1, b: 't' }],
    ['jsonb', `'[1, null]'`, 'INT ARRAY', [1, null]],
    ['int[]', `'{1,NULL,3}'`, 'INT ARRAY', [1, null, 3]],
    [
      'int[]',
      `'{{1,2},{3,NULL}}'`,
      'INT ARRAY ARRAY',
      [
        [1, 2],
        [3, null],
      ],
    ],
    ['int[]', `'{}'`, 'INT ARRAY', []],
    ['int[]', `'[0:2]={1,2,3}'`, 'INT ARRAY', [1, 2, 3]],
    [
      'text[]',
      String.raw`ARRAY['a,b', 'c"d', NULL, 'NULL', '', E'\\ \n', '{}']`,
      'VARCHAR ARRAY',
      ['a,b', 'c"d', null, 'NULL', '', '\\ \n', '{}'],
    ],
    ['bigint[]', `'{9223372036854775807}'`, 'BIGINT ARRAY', [9223372036854775807n]],
    ['numeric[]', `'{1.10,12345678901234567890.5}'`, 'DECIMAL(30,5) ARRAY', ['1.10000', '12345678901234567890.50000']],
    ['boolean[]', `'{t,f,NULL}'`, 'BOOLEAN ARRAY', [true, false, null]],
    ['timestamptz[]', `'{2024-01-01 12:00:00.5+02}'`, 'TIMESTAMP ARRAY', ['2024-01-01 10:00:00.5']],
    ['jsonb[]', `ARRAY['{"a": 1}'::jsonb, NULL]`, 'VARIANT ARRAY', [{ a: 1 }, null]],
    [
      'pair',
      `ROW(1, 'x "y", (z) \\ ''', '2024-01-01 12:00+02')`,
      'ROW(a INT, b VARCHAR, at TIMESTAMP)',
      { a: 1, b: `x "y", (z) \\ '`, at: '2024-01-01 10:00:00' },
    ],
    ['pair', 'ROW(NULL, NULL, NULL)', 'ROW(a INT, b VARCHAR)', { a: null, b: null }],
    ['pair', `ROW(1, '', NULL)`, 'VARCHAR', '(1,"",)'],
    ['pair[]', `ARRAY[ROW(1, 'x', NULL)::pair]`, 'ROW(b VARCHAR, a INT) ARRAY', [{ b: 'x', a: 1 }]],
  ];
  // Arrays of bytes: of changes alone, a query cannot give them.
  const followed: typeof cases = [
    ...cases,
    ['bytea[]', `ARRAY['\\x00ff'::bytea, NULL]`, 'VARBINARY ARRAY', [new Uint8Array([0, 255]), null]],
  ];

  types('a value is the same from a query, a snapshot and a change', async () => {
    const there = followed.map(([type], i) => `c${i} ${type}`).join(', ');
    const values = followed.map(([, value]) => value).join(', ');
    await sql(`CREATE TABLE kinds (id bigint PRIMARY KEY, ${there}); INSERT INTO kinds VALUES (1, ${values})`);
    const columns = (list: typeof followed): string => list.map(([, , here], i) => `c${i} ${here}`).join(', ');
    await using pipeline = await Pipeline.open({
      program: `CREATE TABLE asked (id BIGINT NOT NULL PRIMARY KEY, ${columns(cases)});
        CREATE TABLE kinds (id BIGINT NOT NULL PRIMARY KEY, ${columns(followed)});`,
      inputs: {
        q: {
          stream: 'asked',
          transport: {
            name: 'postgres_input',
            config: { uri: server.uri, query: `SELECT id, ${cases.map((_, i) => `c${i}`).join(', ')} FROM kinds` },
          },
        },
        c: {
          stream: 'kinds',
          transport: { name: 'postgres_cdc_input', config: { uri: server.uri, source_table: 'kinds' } },
        },
      },
    });
    await pipeline.start();
    const rowOf = async (table: string, connector: string, id: number): Promise<Readonly<Record<string, unknown>>> => {
      for (;;) {
        const [row] = await pipeline.query(`SELECT * FROM ${table} WHERE id = ${id}`);
        if (row !== undefined) return row;
        const { numParseErrors, error } = await pipeline.inputConnectorStats(table, connector);
        assert.is(numParseErrors, 0, `${table}: a row was refused`);
        assert.is(error, null, error?.message);
        await pollPause();
      }
    };
    const look = (row: Readonly<Record<string, unknown>>, list: typeof followed, where: string): void => {
      for (const [i, [type, value, here, expected]] of list.entries()) {
        const found = row[`c${i}`];
        assert.ok(
          Object.is(found, expected) || typeof expected === 'object' || Number.isNaN(expected),
          `${where}: ${type} ${value} as ${here}: ${String(found)}`,
        );
        assert.equal(found, expected, `${where}: ${type} ${value} as ${here}`);
      }
    };
    look(await rowOf('asked', 'q', 1), cases, 'query');
    look(await rowOf('kinds', 'c', 1), followed, 'snapshot');
    await sql(`INSERT INTO kinds VALUES (2, ${values})`);
    look(await rowOf('kinds', 'c', 2), followed, 'change');
    await pipeline.stop({ force: true });
  });

  types('a value that its column cannot hold costs its row, is counted, and leaves the others', async () => {
    const wrong: readonly (readonly [string, string, string])[] = [
      ['numeric', `'NaN'`, 'DECIMAL(38,10)'],
      ['numeric', '1.23456', 'DECIMAL(10,2)'],
      ['date', `'infinity'`, 'DATE'],
      ['date', `'0044-03-15 BC'`, 'DATE'],
      ['timestamptz', `'-infinity'`, 'TIMESTAMP'],
      ['time', `'24:00:00'`, 'TIME'],
      ['bigint', '9223372036854775807', 'INT'],
      ['text', `'abc'`, 'INT'],
    ];
    const there = wrong.map(([type], i) => `c${i} ${type}`).join(', ');
    await sql(`CREATE TABLE poison (id bigint PRIMARY KEY, ${there}); INSERT INTO poison (id) VALUES (0);
      ${wrong.map(([, value], i) => `INSERT INTO poison (id, c${i}) VALUES (${i + 1}, ${value});`).join('\n')}
      INSERT INTO poison (id) VALUES (100)`);
    const columns = wrong.map(([, , here], i) => `c${i} ${here}`).join(', ');
    await using pipeline = await Pipeline.open({
      program: `CREATE TABLE asked (id BIGINT NOT NULL PRIMARY KEY, ${columns}); CREATE TABLE poison (id BIGINT NOT NULL PRIMARY KEY, ${columns});`,
      inputs: {
        q: {
          stream: 'asked',
          transport: { name: 'postgres_input', config: { uri: server.uri, query: 'SELECT * FROM poison' } },
        },
        c: {
          stream: 'poison',
          transport: { name: 'postgres_cdc_input', config: { uri: server.uri, source_table: 'poison' } },
        },
      },
    });
    await pipeline.start();
    const becomes = async (
      table: string,
      connector: string,
      ids: readonly number[],
      refused: number,
    ): Promise<void> => {
      for (;;) {
        const rows = await pipeline.query(`SELECT id FROM ${table} ORDER BY id`);
        const { numParseErrors, error } = await pipeline.inputConnectorStats(table, connector);
        assert.is(error, null, error?.message);
        if (rows.length === ids.length && numParseErrors === refused) {
          assert.equal(
            rows.map(({ id }) => id),
            ids,
          );
          return;
        }
        await pollPause();
      }
    };
    await becomes('asked', 'q', [0, 100], wrong.length);
    await becomes('poison', 'c', [0, 100], wrong.length);
    await sql(`${wrong.map(([, value], i) => `INSERT INTO poison (id, c${i}) VALUES (${i + 11}, ${value});`).join('\n')}
      INSERT INTO poison (id) VALUES (200)`);
    await becomes('poison', 'c', [0, 100, 200], 2 * wrong.length);
    await pipeline.stop({ force: true });
  });

  types(
    'a column whose type has no values for ours is refused when it is opened, with its name and what to do',
    async () => {
      const kind = (name: string, of: SqlType): readonly [string, SqlType] => [name, of];
      const refused: readonly (readonly [string, readonly [string, SqlType], RegExp])[] = [
        [
          'boolean',
          kind('INT', { kind: 'INTEGER' }),
          /"x" is of type boolean, of which no INTEGER can be read: declare x as BOOLEAN/,
        ],
        ['int', kind('BOOLEAN', { kind: 'BOOLEAN' }), /declare x as a number or VARCHAR/],
        [
          'bit(4)',
          kind('VARBINARY', { kind: 'VARBINARY', length: null }),
          /"x" is of type bit, .*declare x as VARCHAR/,
        ],
        ['timestamp', kind('DATE', { kind: 'DATE' }), /declare x as TIMESTAMP or VARCHAR/],
        ['interval', kind('BIGINT', { kind: 'BIGINT' }), /declare x as VARCHAR/],
        ['int', kind('INT ARRAY', { kind: 'ARRAY', element: { kind: 'INTEGER' } }), /declare x as a number or VARCHAR/],
        [
          'bytea[]',
          kind('INT ARRAY', { kind: 'ARRAY', element: { kind: 'INTEGER' } }),
          /declare x as an ARRAY or VARCHAR/,
        ],
      ];
      for (const [type, [name, target], message] of refused) {
        await sql(`DROP TABLE IF EXISTS misfit; CREATE TABLE misfit (x ${type})`);
        const relation = relationOf({ x: target });
        for (const [definition, more] of [
          [postgresInput, { query: 'SELECT * FROM misfit' }],
          [postgresCdcInput, { source_table: 'misfit', slot_name: 'misfit' }],
        ] as const) {
          const { values } = validateParameters(definition.parameters, { uri: server.uri, ...more }, () => ({}), []);
          const source = definition.create(values, contextFor(relation, '.'));
          try {
            await source.open(null);
            assert.unreachable(`${type} as ${name}`);
          } catch (thrown) {
            assert.ok(thrown instanceof MillraceError && thrown.code === 'postgres.columns_differ', String(thrown));
            assert.match(thrown.message, message);
          } finally {
            await source.teardown?.();
          }
        }
      }
    },
  );
}

types.run();
