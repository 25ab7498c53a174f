// What the SQL shell shows of a pipeline's tables and views.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readRelations } from '../../../../actors/gateway/cli/sql-command.ts';

test('a DECIMAL is shown with its precision and scale, as the program spells it', () => {
  const field = (name: string, columntype: object): object => ({ name, columntype });
  const fields = [
    field('a', { type: 'DECIMAL', precision: 10, scale: 2, nullable: true }),
    field('b', { type: 'DECIMAL', precision: 5, scale: 0, nullable: false }),
    field('c', { type: 'BIGINT', nullable: true }),
    field('d', { type: 'DECIMAL', nullable: true }),
  ];
  const [table] = readRelations({ program_info: { schema: { inputs: [{ name: 't', fields }], outputs: [] } } });
  assert.equal(
    table?.columns.map(({ type }) => type),
    ['DECIMAL(10, 2)', 'DECIMAL(5)', 'BIGINT', 'DECIMAL'],
  );
});

test.run();
