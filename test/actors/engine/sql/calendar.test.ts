// The calendar against that of JavaScript.
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  addMonths,
  dateOf,
  daysOf,
  isoWeek,
  isoWeekday,
  joinTimestamp,
  splitTimestamp,
} from '../../../../actors/engine/sql/calendar.ts';

const anyDay = fc.integer({ min: -719_162, max: 2_932_896 });

test('days and dates agree with those of the JavaScript calendar', () => {
  fc.assert(
    fc.property(anyDay, (days) => {
      const date = new Date(days * 86_400_000);
      assert.equal(dateOf(days), {
        year: date.getUTCFullYear(),
        month: date.getUTCMonth() + 1,
        day: date.getUTCDate(),
      });
      const { year, month, day } = dateOf(days);
      assert.is(daysOf(year, month, day), days);
      assert.is(isoWeekday(days) % 7, date.getUTCDay());
    }),
  );
});

test('adding months and taking them away again stays in the month, and keeps early days', () => {
  fc.assert(
    fc.property(anyDay, fc.integer({ min: -600, max: 600 }), (days, months) => {
      const { year, month, day } = dateOf(days);
      const moved = dateOf(addMonths(days, months));
      assert.is(moved.year * 12 + moved.month, year * 12 + month + months);
      assert.ok(moved.day <= day);
      if (day <= 28) assert.is(addMonths(addMonths(days, months), -months), days);
    }),
  );
});

test('timestamps before 1970 round down to their day', () => {
  assert.equal(splitTimestamp(-1n), { days: -1, micros: 86_399_999_999 });
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }), (micros) => {
      const split = splitTimestamp(micros);
      assert.is(joinTimestamp(split.days, split.micros), micros);
    }),
  );
});

test('ISO weeks belong to the year of their Thursday', () => {
  assert.equal(isoWeek(daysOf(2021, 1, 3)), { year: 2020, week: 53 });
  assert.equal(isoWeek(daysOf(2018, 12, 31)), { year: 2019, week: 1 });
});

test.run();
